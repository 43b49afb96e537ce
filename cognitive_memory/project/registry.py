"""Which projects this machine knows, by a small file for each in the shared directory.

What a project has stored is removed here, too, since it has to be forgotten with it.

A file of its own for each project needs no lock: whoever writes one loses nothing of another's, and a reader sees a
whole one or none. Its time stamp says when the project was last used.
"""

from __future__ import annotations

import json
import os
import stat
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from cognitive_memory.project.find import DATABASE_NAME, Project
from heimdall.models import locations
from heimdall.models.ownership import is_own
from heimdall.models.regular_file import read_regular

FOLDER = "projects"
_MOST_BYTES = 1 << 16
_STEM, _SUFFIX = DATABASE_NAME.rsplit(".", 1)
_PATTERNS = (
    DATABASE_NAME,  # first: SQLite throws away a log that is left without its database
    *(f"{DATABASE_NAME}-{part}" for part in ("wal", "shm", "journal")),
    f"{_STEM}.schema-*.{_SUFFIX}",  # what a migration kept
    f"{_STEM}.vectors",  # what recall maps instead of reading rows
)


class KnownProject(NamedTuple):
    """A project that was used on this machine.

    Attributes:
        project: the project, where it was then.
        used: when it was last used, in UTC.
    """

    project: Project
    used: datetime

    @property
    def gone(self) -> bool:
        """Whether its directory is not there any more: it was removed or moved, or its disk is not mounted."""
        return not self.project.root.is_dir()


def remember(project: Project) -> None:
    """Note that the project is there and was used now.

    Raises:
        OSError: the shared directory can't be written.
    """
    note = _note(project.root)
    if not _touch(note):
        # new, noted by another user of a shared place, or put there by one
        from heimdall.models.files import write_atomically

        note.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(note, json.dumps({"root": str(project.root)}) + "\n", mode=0o644)


def _touch(note: Path) -> bool:
    """Say that a note of ours was used now; whether there is one."""
    try:
        status = note.lstat()
        if not stat.S_ISREG(status.st_mode) or not is_own(status):
            return False
        # Between the look and this, a link may have come there.
        os.utime(note, follow_symlinks=os.utime not in os.supports_follow_symlinks)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return False
    return True


def forget(project: Project) -> bool:
    """Take the note away, nothing else; whether there was one.

    Raises:
        OSError: the shared directory can't be written.
    """
    try:
        _note(project.root).unlink()
    except FileNotFoundError:
        return False
    return True


def known_projects() -> list[KnownProject]:
    """The projects that were noted, the last used one first; a note that can't be read, or that others may write, is passed over."""
    known: list[KnownProject] = []
    for note in _directory().glob("*.json"):
        try:
            content, status = read_regular(note, _MOST_BYTES)
            if not is_own(status):
                continue
            used = datetime.fromtimestamp(status.st_mtime, UTC)
            project = Project(Path(json.loads(content)["root"]))
        except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
            # being removed, cut by a full disk, or somebody else's
            continue
        if _note(project.root) == note:
            known.append(KnownProject(project, used))
    return sorted(known, key=lambda each: (each.used, each.project.root), reverse=True)


def stored_files(project: Project) -> list[Path]:
    """The files that hold memories: the database, what SQLite keeps beside it, what migrations kept."""
    return [
        file
        for pattern in _PATTERNS
        for file in sorted(project.folder.glob(pattern))
        if file.is_file()
    ]


def remove(project: Project) -> None:
    """Remove those files, and forget that this machine has the project.

    Raises:
        OSError: a file can't be removed.
    """
    for file in stored_files(project):
        file.unlink(missing_ok=True)
    forget(project)


def _directory() -> Path:
    return Path(locations.data_dir()) / FOLDER


def _note(root: Path) -> Path:
    return _directory() / f"{sha256(os.fsencode(root)).hexdigest()[:16]}.json"

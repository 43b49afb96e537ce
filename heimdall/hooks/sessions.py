"""What each conversation has been told already: small files in the data directory, of this user alone.

They are hints: where one can't be read or written, something is told twice. Old ones are swept.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from heimdall.cognitive_system.data_dirs import get_heimdall_data_dir
from heimdall.models.files import write_atomically
from heimdall.models.regular_file import read_regular

MOST_FILES = 30
"""How many conversations of a project are kept in mind."""
MOST_SECONDS = 30 * 86_400
"""For how long."""
MOST_SHOWN = 500
"""How many memories a conversation is known to have been shown: the last ones."""
_MOST_BYTES = 100_000


@dataclass(slots=True)
class Session:
    """A conversation.

    Attributes:
        path: the file that keeps it.
        revision: the memory's revision when it was told something last; None: never.
        shown: the ids of what it was shown, oldest first.
    """

    path: Path
    revision: int | None = None
    shown: list[str] = field(default_factory=list)

    def keep(self, revision: int, shown: Iterable[str]) -> None:
        """Note what it was shown, at which revision."""
        self.revision = revision
        self.shown = [*dict.fromkeys([*self.shown, *shown])][-MOST_SHOWN:]
        content = json.dumps({"revision": self.revision, "shown": self.shown})
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_atomically(self.path, content, mode=0o600, durable=False)


def session(project_id: str, host: str, name: str) -> Session:
    """What is known of a conversation.

    Args:
        project_id: the memory's id.
        host: the assistant's name.
        name: the conversation's id.
    """
    path = _folder(project_id) / f"{_digest(f'{host}/{name}')}.json"
    known = _read(path)
    return known or Session(path)


def last_seen(project_id: str) -> int | None:
    """The latest revision that any conversation of the project was told of; None: there was none. Sweeps old files."""
    folder = _folder(project_id)
    files: list[tuple[float, Path]] = []
    for path in folder.glob("*.json"):
        with contextlib.suppress(OSError):  # another hook has removed it
            files.append((path.stat().st_mtime, path))
    files.sort(reverse=True)
    oldest = time.time() - MOST_SECONDS
    kept = [path for written, path in files[:MOST_FILES] if written >= oldest]
    for _, path in files[len(kept) :]:
        with contextlib.suppress(OSError):
            path.unlink()
    known = [found.revision for path in kept if (found := _read(path))]
    return max((revision for revision in known if revision is not None), default=None)


def _folder(project_id: str) -> Path:
    return get_heimdall_data_dir() / "hooks" / _digest(project_id)


def _digest(text: str) -> str:
    return sha256(text.encode(errors="replace")).hexdigest()[:32]


def _read(path: Path) -> Session | None:
    try:
        known = json.loads(read_regular(path, _MOST_BYTES)[0])
        revision, shown = known["revision"], known["shown"]
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None
    if not isinstance(revision, int) or not isinstance(shown, list):
        return None
    return Session(path, revision, [one for one in shown if isinstance(one, str)])

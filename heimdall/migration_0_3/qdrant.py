"""Folders of Qdrant: recognised by their form, described truthfully, copied collection by collection.

The texts of memories are in the original's SQLite database. What a folder of Qdrant holds besides
vectors can be read by a running Qdrant alone, and its client's local form keeps it as Python
pickles, which can run code and are not opened.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from cognitive_memory.storage import files
from cognitive_memory.storage.errors import StorageError
from cognitive_memory.storage.hardening import ANSWER_SECONDS, bounded, distrusted
from heimdall.migration_0_3 import copying
from heimdall.migration_0_3.boundary import is_within, left_outside
from heimdall.migration_0_3.report import Options, Outcome, Step

_SERVER, _LOCAL, _META = "collections", "collection", "meta.json"
_OF_THE_CLIENT = frozenset({_LOCAL, _META, ".lock"})
_OF_THE_ORIGINAL = re.compile(r"(?P<project>.+_[0-9a-f]{8})_(concepts|contexts|episodes)")
"""How the original named its collections: the project's id and one of three levels."""


@dataclass(frozen=True, slots=True)
class QdrantFolder:
    """A folder in which Qdrant keeps its data.

    Attributes:
        path: the folder.
        local: whether qdrant-client made it, working without a server.
        collections: the folder of each collection, by its name.
    """

    path: Path
    local: bool
    collections: dict[str, Path]

    @property
    def projects(self) -> list[str]:
        """The original's ids of the projects that have collections here."""
        matches = (_OF_THE_ORIGINAL.fullmatch(name) for name in self.collections)
        return sorted({match["project"] for match in matches if match})


def recognise(folder: Path) -> QdrantFolder | None:
    """What a folder is, by its form: a server's storage, or a client's local one.

    None if it is neither.
    """
    for path in (folder, folder / "storage"):
        if not is_within(path, folder):
            continue
        server = {
            entry.name: entry
            for entry in _folders(path / _SERVER)
            if (entry / "config.json").is_file()
        }
        if server or _is_local(path):
            collections = server or {entry.name: entry for entry in _folders(path / _LOCAL)}
            return QdrantFolder(path, local=not server, collections=collections)
    return None


def migrate(folder: QdrantFolder, shared: Path, options: Options) -> Iterator[Step]:
    """Copy what is there into the shared Qdrant directory.

    A collection whose name is taken stays where it is.
    """
    if folder.path.resolve() == shared.resolve():
        detail = "it is the shared Qdrant directory itself"
        yield Step("qdrant", str(folder.path), Outcome.PRESENT, str(shared), detail)
        return
    if folder.local:
        # Its `meta.json` speaks of all collections at once: the folder is moved as one, beside a
        # server's.
        points = _points(folder)
        number = "" if points is None else f", {points} points"
        step = copying.migrate("qdrant", folder.path, shared / "local" / folder.path.name, options)
        yield _described(step, f"qdrant-client's local form{number}")
        return
    for name, path in sorted(folder.collections.items()):
        if not is_within(path, folder.path):
            yield left_outside("qdrant", path, folder.path)
            continue
        step = copying.migrate("qdrant", path, shared / _SERVER / name, options)
        yield _described(step, "a Qdrant server's storage")
    if options.remove:
        copying.remove_empty(folder.path)


def _described(step: Step, form: str) -> Step:
    return replace(step, detail=f"{step.detail}; {form}" if step.detail else form)


def _points(folder: QdrantFolder) -> int | None:
    """How many points qdrant-client's local form has; what they hold is not looked at."""
    total = 0
    for path in folder.collections.values():
        file = path / "storage.sqlite"
        try:
            if not is_within(file, folder.path) or not files.check(file):
                return None
            with distrusted(file) as connection, bounded(connection, ANSWER_SECONDS):
                total += int(connection.execute("SELECT count(*) FROM points").fetchone()[0])
        except (sqlite3.Error, StorageError):
            return None
    return total


def _is_local(path: Path) -> bool:
    """Whether a client made a folder; it is moved and removed as one, so there may be nothing else in it."""
    try:
        return (path / _META).is_file() and {
            entry.name for entry in path.iterdir()
        } <= _OF_THE_CLIENT
    except OSError:
        return False


def _folders(path: Path) -> list[Path]:
    try:
        return sorted(entry for entry in path.iterdir() if entry.is_dir())
    except OSError:
        return []

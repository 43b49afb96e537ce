"""What a project has stored, as files."""

from __future__ import annotations

from pathlib import Path

from cognitive_memory.project.find import DATABASE_NAME, Project
from cognitive_memory.project.registry import forget

_STEM, _SUFFIX = DATABASE_NAME.rsplit(".", 1)
_PATTERNS = (
    DATABASE_NAME,  # first: SQLite throws away a log that is left without its database
    *(f"{DATABASE_NAME}-{part}" for part in ("wal", "shm", "journal")),
    f"{_STEM}.schema-*.{_SUFFIX}",  # what a migration kept
    f"{_STEM}.vectors",  # what recall maps instead of reading rows
)


def stored_files(project: Project) -> list[Path]:
    """The files that hold memories: the database, what SQLite keeps beside it, and what migrations kept."""
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

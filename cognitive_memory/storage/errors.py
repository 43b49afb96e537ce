"""What can go wrong with a project's database. Each error names the file, carries its data and survives pickling."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from heimdall.errors import HeimdallError


class StorageError(HeimdallError):
    """A project's database can't be used.

    Attributes:
        database: its path.
        problem: what happened.
        advice: what was done and what to do next.
    """

    def __init__(self, database: str, problem: str, advice: str) -> None:
        super().__init__(database, problem, advice)
        self.database = database
        self.problem = problem
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.database}: {self.problem}; {self.advice}"


class DatabaseBusyError(StorageError):
    """Another process held the database for longer than we wait."""


class DatabaseUnreadableError(StorageError):
    """The file is damaged, no SQLite database, or one of something else. It was left as it is."""


class NewerSchemaError(StorageError):
    """A newer release of heimdall made or migrated the database. It was left as it is."""


class DatabaseReadOnlyError(StorageError):
    """The database or its directory can't be written to."""


class DatabaseFullError(StorageError):
    """There is no space left; what was being written is not stored, everything else is."""


class UnknownMemoryError(HeimdallError, KeyError):
    """No memory of this project has that id.

    Attributes:
        ids: the unknown ones.
    """

    def __init__(self, ids: tuple[str, ...]) -> None:
        super().__init__(ids)
        self.ids = ids

    def __str__(self) -> str:
        one = len(self.ids) == 1
        return (
            f"no memory has the id{'' if one else 's'} {', '.join(self.ids)}; nothing was changed"
        )


_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT}
_READ_ONLY = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH}


@contextlib.contextmanager
def explained(database: Path) -> Iterator[None]:
    """Turn SQLite's errors within into ours.

    Raises:
        StorageError: the kind of it that fits SQLite's error code.
    """
    try:
        yield
    except sqlite3.ProgrammingError:  # a mistake of ours, not of the file
        raise
    except sqlite3.DatabaseError as error:
        raise explanation(error, database) from error


def explanation(error: sqlite3.DatabaseError, database: Path) -> StorageError:
    """Our error for one of SQLite's."""
    path = str(database)
    # the primary code of an extended one
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code in _BUSY:
        return DatabaseBusyError(
            path,
            "another process has been writing to it for too long (database is locked)",
            "nothing was changed; try again, and look which heimdall processes are running",
        )
    if code in _DAMAGED:
        return DatabaseUnreadableError(
            path,
            f"it is damaged or no SQLite database ({error})",
            "it was left as it is; 'heimdall restore' brings back a backup, the sqlite3 tool's .recover may save the rest",
        )
    if code == sqlite3.SQLITE_IOERR:
        return StorageError(
            path, f"the disk failed ({error})", "nothing of this change was stored; check the disk"
        )
    if code in _READ_ONLY:
        return read_only_error(database)
    if code == sqlite3.SQLITE_FULL:
        return DatabaseFullError(
            path,
            "the disk is full",
            "nothing of this change was stored, everything before is; make room and repeat it",
        )
    if code == sqlite3.SQLITE_CANTOPEN:
        return StorageError(
            path,
            f"it can't be opened ({error})",
            "check that the directory exists and that you may write there",
        )
    return StorageError(path, f"SQLite says: {error}", "nothing of this change was stored")


def read_only_error(database: Path) -> DatabaseReadOnlyError:
    """The error for writing where we may only read."""
    return DatabaseReadOnlyError(
        str(database),
        "it can't be written to",
        "nothing was changed; check the owner and mode of the file and of its directory",
    )


def is_about_writing(error: sqlite3.DatabaseError) -> bool:
    """Whether SQLite could not open, or may not write, the file or what it needs beside it."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF in _READ_ONLY | {
        sqlite3.SQLITE_CANTOPEN
    }

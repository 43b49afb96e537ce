"""What can go wrong with a project's database. Each error names the file, carries its data and survives pickling."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from heimdall.errors import HeimdallError


@dataclass(eq=False, repr=False)
class StorageError(HeimdallError):
    """A project's database can't be used.

    Attributes:
        database: its path.
        problem: what happened.
        advice: what was done and what to do next.
    """

    database: str
    problem: str
    advice: str

    says = "{database}: {problem}; {advice}"


class DatabaseBusyError(StorageError):
    """Another process held the database for longer than we wait."""


class DatabaseUnreadableError(StorageError):
    """The file is damaged, no SQLite database, or one of something else. It was left as it is."""


class UnknownDatabaseError(DatabaseUnreadableError):
    """This user's installation neither made nor adopted the database: it came with its folder. Nothing in it was read."""


class AlteredDatabaseError(DatabaseUnreadableError):
    """There is something in the database, or beside it, that heimdall does not make. It was left as it is."""


class ForeignLogError(AlteredDatabaseError):
    """The write-ahead log beside the database is another one than heimdall left there. It was left as it is."""


class BadRowError(ValueError):
    """A row is no memory: which, and why. `explained` makes it a `DatabaseUnreadableError`."""


class NoAnswerError(StorageError):
    """The database did not answer in time, or did not come to an end."""


class NewerSchemaError(StorageError):
    """A newer release of heimdall made or migrated the database. It was left as it is."""


class DatabaseReadOnlyError(StorageError):
    """The database or its directory can't be written to."""


class DatabaseFullError(StorageError):
    """There is no space left; what was being written is not stored, everything else is."""


@dataclass(eq=False, repr=False)
class UnknownMemoryError(HeimdallError, KeyError):
    """No memory of this project has that id.

    Attributes:
        ids: the unknown ones.
    """

    ids: tuple[str, ...]

    def __str__(self) -> str:
        one = len(self.ids) == 1
        return (
            f"no memory has the id{'' if one else 's'} {', '.join(self.ids)}; nothing was changed"
        )


@dataclass(eq=False, repr=False)
class AmbiguousIdError(HeimdallError):
    """Several memories have ids that begin so.

    Attributes:
        beginning: what was given.
        ids: those that begin so.
    """

    beginning: str
    ids: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.beginning} is the beginning of {len(self.ids)} ids: {', '.join(self.ids)}; nothing was changed, name one of them"


def adopt_command(database: Path, *, own: bool = False) -> str:
    """The command that takes over a database of others, or puts aside what does not belong to one, for a message."""
    from heimdall.models.advice import argument

    inside = database.parent.name == ".heimdall"
    option = "--own " if own else ""
    return f"'heimdall project adopt {option}{argument(database.parent.parent if inside else database)}'"


_BUSY = (
    DatabaseBusyError,
    "another process has been writing to it for too long (database is locked)",
    "nothing was changed; try again, and look which heimdall processes are running",
)
_DAMAGED = (
    DatabaseUnreadableError,
    "it is damaged or no SQLite database ({error})",
    "it was left as it is; 'heimdall restore' brings back a backup, the sqlite3 tool's .recover may save the rest",
)
_READ_ONLY = (
    DatabaseReadOnlyError,
    "it can't be written to",
    "nothing was changed; check the owner and mode of the file and of its directory, and the free space",
)
_EXPLANATIONS: dict[int, tuple[type[StorageError], str, str]] = {
    **dict.fromkeys((sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL), _BUSY),
    **dict.fromkeys(
        (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT), _DAMAGED
    ),
    **dict.fromkeys(
        (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH), _READ_ONLY
    ),
    sqlite3.SQLITE_IOERR: (
        StorageError,
        "the disk failed, or is full ({error})",
        "what was being written is not stored, everything before is; check the disk and its free space",
    ),
    sqlite3.SQLITE_INTERRUPT: (
        NoAnswerError,
        "it did not answer in time, as if it was damaged or altered",
        "nothing was changed; 'heimdall restore' brings back a backup, {own} takes over the rest",
    ),
    sqlite3.SQLITE_FULL: (
        DatabaseFullError,
        "the disk is full",
        "what was being written is not stored, everything before is; make room and repeat it",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        StorageError,
        "it can't be opened ({error})",
        "check that the directory exists and that you may write there",
    ),
}
"""Our error, what happened and what to do, by SQLite's primary error code."""

_FORBIDDEN = {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH}

_WRITING = {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
"""What a full disk leads to, too: the index of the log needs some of it."""

_OTHER = (StorageError, "SQLite says: {error}", "nothing was changed")


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
    except BadRowError as error:
        raise _bad_row(database, error) from error
    except sqlite3.DatabaseError as error:
        raise explanation(error, database) from error


def _bad_row(database: Path, error: Exception) -> DatabaseUnreadableError:
    problem = f"it was changed by something else than heimdall: one memory is none ({error})"
    advice = f"{adopt_command(database)} takes the others over into a sound one"
    return DatabaseUnreadableError(str(database), problem, advice)


def explanation(error: sqlite3.DatabaseError, database: Path) -> StorageError:
    """Our error for one of SQLite's."""
    if str(error).startswith("Could not decode"):  # the module's own, without a code
        return _bad_row(database, error)
    kind, problem, advice = _EXPLANATIONS.get(_primary_code(error), _OTHER)
    advice = advice.format(own=adopt_command(database, own=True))
    if _primary_code(error) in _FORBIDDEN:
        from cognitive_memory.project.special_folders import privacy_advice

        advice += privacy_advice()
    return kind(str(database), problem.format(error=error), advice)


def read_only_error(database: Path) -> StorageError:
    """The error for writing where we may only read."""
    kind, *words = _READ_ONLY
    return kind(str(database), *words)


def is_about_writing(error: sqlite3.DatabaseError) -> bool:
    """Whether SQLite could not open, or could not write, the file or what it needs beside it."""
    code = _primary_code(error)
    return code in _WRITING or _EXPLANATIONS.get(code) is _READ_ONLY


def _primary_code(error: sqlite3.DatabaseError) -> int:
    """SQLite's error code without what extends it; errors of Python's own module have none."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF

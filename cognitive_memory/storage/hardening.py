"""How SQLite is kept from doing what a file wants instead of what we want."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

ANSWER_SECONDS = 5.0
"""How long a question to another project's database may take, and a look at one that is not known."""

_OPERATIONS = 10_000
"""After how many of SQLite's operations the time is looked at; that takes it a fraction of a millisecond."""

_LEAST_CALLS, _BYTES_A_CALL = 20_000, 4_000
"""So often a transaction may take so many at least, which is some seconds, and for how many bytes once more."""

_DEFENSIVE = 1010
"""`SQLITE_DBCONFIG_DEFENSIVE`, which Python has a name for since 3.12."""

_LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: 1 << 26,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 1 << 20,
    sqlite3.SQLITE_LIMIT_COLUMN: 100,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 100,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 20,
    sqlite3.SQLITE_LIMIT_VDBE_OP: 100_000,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 10,
}
"""What is enough to read our tables, and a row of them up to 64 MB."""


def seconds_for(size: int) -> float:
    """How long reading all of a database of so many bytes may take; a slow disk needs a tenth of it."""
    return 30.0 + size / 1e6


class Deadline:
    """When a connection's answers have to be there. `extend` gives it as long again."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.extend()

    def extend(self) -> None:
        """Begin to wait anew."""
        self.end = time.monotonic() + self.seconds

    def is_over(self) -> bool:
        """Whether the time is up."""
        return time.monotonic() > self.end


def ending(connection: sqlite3.Connection, size: int) -> contextlib.AbstractContextManager[None]:
    """Let no transaction on a database of so many bytes go on for ever; Ctrl-C ends it at once.

    A page of a damaged or altered file can be part of itself many times. A transaction may ask many
    times what reading all of the database takes. That is counted in operations, not in time: our own
    work between two questions, the wait for a lock, and whoever reads slowly, as through a pipe, cost
    nothing. What is written gives more.

    Raises:
        sqlite3.OperationalError: as for `bounded`.
    """
    calls, changes = count(), connection.total_changes
    most = _LEAST_CALLS + size // _BYTES_A_CALL
    return _asking(connection, lambda: next(calls) >= most + connection.total_changes - changes)


@contextlib.contextmanager
def bounded(connection: sqlite3.Connection, seconds: float) -> Iterator[Deadline]:
    """End what a connection is asked within after a time; Ctrl-C ends it at once, as it can't without.

    Within another one, or within `ending`, it takes its place to the end.

    Raises:
        sqlite3.OperationalError: the time was up; its code is SQLITE_INTERRUPT.
    """
    deadline = Deadline(seconds)
    with _asking(connection, deadline.is_over):
        yield deadline


@contextlib.contextmanager
def _asking(connection: sqlite3.Connection, is_over: Callable[[], bool]) -> Iterator[None]:
    over = False

    def handler() -> bool:
        nonlocal over
        over = is_over()
        return over

    connection.set_progress_handler(handler, _OPERATIONS)
    try:
        yield
    except sqlite3.OperationalError as error:
        # The module drops an exception in the handler, and ends the query: without its word only
        # Ctrl-C does that.
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT and not over:
            raise KeyboardInterrupt from None
        raise
    finally:
        with contextlib.suppress(sqlite3.ProgrammingError):  # it was closed
            connection.set_progress_handler(None, 0)


def harden(connection: sqlite3.Connection) -> None:
    """Let nobody write to the schema, or to the tables of the full-text index, past SQLite."""
    # `trusted_schema` stays: the triggers of our own schema, and no other is worked with, fill the
    # full-text index.
    if hasattr(connection, "setconfig"):  # Python 3.12
        connection.setconfig(_DEFENSIVE, True)


def pragmas(connection: sqlite3.Connection, *names: str) -> list[int]:
    """What a database says under each of those names, of which all are numbers."""
    return [int(connection.execute(f"PRAGMA {name}").fetchone()[0]) for name in names]


def limit(connection: sqlite3.Connection) -> None:
    """Let no value, row or statement be larger than reading a database like ours needs."""
    for category, value in _LIMITS.items():
        connection.setlimit(category, value)


@contextlib.contextmanager
def distrusted(file: Path, options: str = "mode=ro&immutable=1") -> Iterator[sqlite3.Connection]:
    """A connection to a file that may hold anything, to be asked within `bounded`; it changes nothing.

    Args:
        file: the database, no link.
        options: as SQLite's URIs have them. By default neither a journal nor a log beside the file
            is looked at.
    """
    uri = f"{file.absolute().as_uri()}?{options}"
    with contextlib.closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as connection:
        harden(connection)
        limit(connection)
        for setting in ("cell_size_check = ON", "query_only = ON"):
            connection.execute(f"PRAGMA {setting}")
        distrust_schema(connection)
        yield connection


def distrust_schema(connection: sqlite3.Connection) -> None:
    """Let the schema of the file call nothing but what can do no harm, where it can be read so.

    Raises:
        sqlite3.DatabaseError: the file can't be read.
    """
    connection.execute("PRAGMA trusted_schema = OFF")
    try:
        with bounded(connection, ANSWER_SECONDS):
            connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1")
    except sqlite3.DatabaseError as error:
        # Some versions of SQLite do not trust their own JSON functions, and fail to read a schema
        # with them, as heimdall 0.3 and early databases of ours have. Columns of an ordinary table
        # call no function.
        if "unsafe use of json" not in str(error).lower():
            raise
        connection.execute("PRAGMA trusted_schema = ON")

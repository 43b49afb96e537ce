"""Connections to one database: a few, kept open, each used by one thread at a time."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

from cognitive_memory.storage import ddl, files, known
from cognitive_memory.storage.errors import StorageError, explained
from cognitive_memory.storage.hardening import ANSWER_SECONDS, bounded, ending, harden

BUSY_SECONDS = 30.0
"""How long a writer waits for its turn. With eight busy writers the longest wait seen was below a second."""

KEPT = 8
"""How many idle connections are kept; with more threads than that, the others open theirs anew."""

DURABLE = (
    "synchronous = FULL",
    "fullfsync = ON",
    "checkpoint_fullfsync = ON",
    "journal_size_limit = 0",
)
"""Settings with which a commit reaches the disk: on macOS the drive's own memory is flushed, too.

By the last one Apple's SQLite empties the log, which it leaves there, when the last connection is closed.
"""

_LEAST_INDEX = 1 << 15
"""Bytes of the index of a log that is in use, at least."""

_INHERITED: list[sqlite3.Connection] = []
"""Connections that came here by a fork. SQLite forbids to use or close them; they are kept from the collector."""


class Connections:
    """Hands out connections. Thread-safe; after a fork the child opens its own.

    Args:
        database: the file; it must exist.
        read_only: whether it is only read.
    """

    def __init__(self, database: Path, *, read_only: bool = False) -> None:
        self.database = database
        self.read_only = read_only
        self._idle: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._process = os.getpid()
        self._closed = False
        self._secret = b""
        self._settled = False

    @contextlib.contextmanager
    def transaction(self, *beginning: str) -> Iterator[sqlite3.Connection]:
        """A connection in a transaction, rolled back at the end unless it was committed.

        Args:
            beginning: the statements that begin it.

        Raises:
            StorageError: as the file's state is.
        """
        process = os.getpid()
        with explained(self.database):
            connection = self._take()
            try:
                with ending(connection, files.size_on_disk(self.database)):
                    for statement in beginning:
                        connection.execute(statement)
                    yield connection
            finally:
                if process != os.getpid():
                    _INHERITED.append(connection)
                else:
                    self._give_back(connection)

    def close(self) -> None:
        """Close what is idle now, and the rest when it is given back."""
        with self._lock:
            self._closed = True
            self._leave_inherited()
            for connection in self._idle:
                connection.close()
            self._idle.clear()
        if self._secret:
            note_end(self._secret, self.database)

    def _take(self) -> sqlite3.Connection:
        with self._lock:
            if self._closed:
                raise StorageError(str(self.database), "it was closed", "open it again")
            self._leave_inherited()
            if self._idle:
                return self._idle.pop()
        if self._secret:
            known.check_log(self._secret, self.database)
        connection = connect(self.database, read_only=self.read_only)
        if not self.read_only:
            self._secret = secret_of(connection)
        return connection

    def settle(self, connection: sqlite3.Connection) -> None:
        """Make sure that after a power cut, too, it is known which log belongs to the database."""
        if not self._settled:
            note_log(connection, self.database, durable=True)
            self._settled = True

    def _give_back(self, connection: sqlite3.Connection) -> None:
        if connection.in_transaction:
            connection.rollback()
        with self._lock:
            if not self._closed and not self.read_only and len(self._idle) < KEPT:
                self._idle.append(connection)
                return
        connection.close()

    def _leave_inherited(self) -> None:
        if self._process != os.getpid():
            _INHERITED.extend(self._idle)
            self._idle.clear()
            self._process = os.getpid()


def connect(database: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """Open an existing database in the way all of heimdall does; transactions are begun by hand.

    An acknowledged write survives a kill and, as far as the disk is honest, a power cut: its commit
    is forced to disk (`synchronous = FULL`; measured by tests/benchmarks/memory.py).

    Args:
        database: the file; that it is this user's was asked before (`schema.probe`).
        read_only: change nothing, not even beside it. What others write after a connection was
            opened may not be seen.

    Raises:
        AlteredDatabaseError: there is something in it or beside it that is not ours.
        NewerSchemaError: a newer release made it.
        sqlite3.DatabaseError: SQLite can't open it.
    """
    files.check(database)
    connection = sqlite3.connect(
        f"{database.absolute().as_uri()}?{_read_only_mode(database) if read_only else 'mode=rw'}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        harden(connection)
        with bounded(connection, ANSWER_SECONDS):
            ddl.check(connection, database)
            if not read_only:
                note_log(connection, database)
        connection.execute("PRAGMA foreign_keys = ON")
        for durable in DURABLE:
            connection.execute(f"PRAGMA {durable}")
        connection.execute("PRAGMA cache_size = -8000")  # 8 MB
        connection.execute("PRAGMA temp_store = MEMORY")
    except BaseException:  # also Ctrl-C: no open file stays
        connection.close()
        raise
    return connection


@contextlib.contextmanager
def opened(database: Path, *, read_only: bool = False) -> Iterator[sqlite3.Connection]:
    """As `connect`; closed at the end, and SQLite's errors within are turned into ours."""
    with explained(database):
        connection = connect(database, read_only=read_only)
        secret = secret_of(connection)
        try:
            with ending(connection, files.size_on_disk(database)):
                yield connection
        finally:
            connection.close()
            if not read_only:
                note_end(secret, database)


def secret_of(connection: sqlite3.Connection) -> bytes:
    """What the database is known by."""
    row = connection.execute("SELECT secret FROM secret").fetchone()
    return bytes(row[0]) if row else b""


def note_log(connection: sqlite3.Connection, database: Path, *, durable: bool = False) -> None:
    """Note the write-ahead log that an open database has, before anything is in it."""
    known.note_log(secret_of(connection), database, durable=durable)


def note_end(secret: bytes, database: Path) -> None:
    """Note, after closing a database, that its log is gone with the last one who had it open."""
    if not files.inode(files.log_of(database)):
        known.note_log(secret, database)
        if files.inode(files.log_of(database)):  # somebody has just opened it
            known.note_log(secret, database)


def _read_only_mode(database: Path) -> str:
    """Where there is nothing beside the file, "immutable" keeps SQLite from making anything."""
    log = files.log_of(database)
    if not log.exists():
        # What has no log may be being written all the same.
        return "mode=ro" if known.has_journal(database) else "mode=ro&immutable=1"
    # An empty log without an index is what opening leaves on a full disk: nobody works with it.
    index = files.size(files.beside(database, files.INDEX))
    unused = not files.size(log) and index < _LEAST_INDEX
    return "mode=ro&immutable=1" if unused else "mode=ro"

"""Bringing a database to this release's schema: made when new, migrated when old, refused when newer."""

from __future__ import annotations

import contextlib
import logging
import random
import sqlite3
import stat
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from cognitive_memory.storage import connections, times
from cognitive_memory.storage.errors import (
    DatabaseUnreadableError,
    NewerSchemaError,
    StorageError,
    explained,
    explanation,
    is_about_writing,
)
from cognitive_memory.storage.migrations import Migration, carried

APPLICATION_ID = 0x484D444C
"""What marks a file as a heimdall memory in SQLite's header: "HMDL"."""

PAGE_SIZE = 8192
"""Five vectors of 384 numbers fill a page but for 6 %; SQLite's default of 4096 would leave a quarter empty."""

_SECOND_LOOKS = (0.02, 0.05, 0.1, 0.2)
"""After how many seconds a file that looks bad is looked at again. Without a write-ahead log it is read without locks, and
another process may begin one and write to the file meanwhile."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A database that has this release's schema.

    Attributes:
        database: the file.
        project_id: the id that is stored in it.
        version: its schema version.
        backup: where the state before a migration was kept; None when nothing was migrated.
        read_only: whether we may not write to it.
    """

    database: Path
    project_id: str
    version: int
    backup: Path | None = None
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class Peek:
    """What a database says of itself.

    Attributes:
        project_id: the id that is stored in it.
        memories: how many there are.
        size: bytes of the file and its write-ahead log.
    """

    project_id: str
    memories: int
    size: int


def prepare(
    database: Path,
    *,
    project_id: str | None = None,
    migrations: Sequence[Migration] | None = None,
    keep_old: bool = True,
) -> Prepared:
    """Make the database if there is none, or bring it to the current schema.

    Several processes may do this at once: one makes or migrates, the others wait for it. Everything happens in one
    transaction; a kill leaves the old state.

    Args:
        database: the file; its directory is made.
        project_id: for a new database; default: a new UUID. An existing database keeps its own.
        migrations: default: those that this release carries.
        keep_old: whether to keep a copy of the database before it is migrated.

    Raises:
        NewerSchemaError: a newer release made it; not a byte was changed.
        DatabaseUnreadableError: it is damaged or something else; not a byte was changed.
        StorageError: it can't be read or written.
    """
    steps = carried() if migrations is None else migrations
    newest = steps[-1].version
    version = probe(database)
    if version is not None and version > newest:
        problem = f"it has schema version {version}, this release of heimdall knows up to {newest}"
        raise NewerSchemaError(str(database), problem, "nothing was changed; upgrade heimdall-mcp")
    backup = None
    if version is None:
        _make_file(database)
    if version is None or version < newest:
        backup = _bring_up(database, project_id or str(uuid4()), steps, keep_old=keep_old)
    try:
        identity = _project_id(database, read_only=False)
    except sqlite3.DatabaseError as error:
        if not is_about_writing(error):
            raise explanation(error, database) from error
        with explained(database):
            return Prepared(database, _project_id(database, read_only=True), newest, read_only=True)
    return Prepared(database, identity, newest, backup)


def _project_id(database: Path, *, read_only: bool) -> str:
    with contextlib.closing(connections.connect(database, read_only=read_only)) as connection:
        return str(connection.execute("SELECT project_id FROM project").fetchone()[0])


def probe(database: Path) -> int | None:
    """The schema version of a database, looked at without changing a byte; None when there is none yet.

    Only SQLite itself may open the file: closing any other descriptor of it would drop the locks that this process'
    connections hold (the way POSIX locks are).

    Raises:
        DatabaseUnreadableError: it is damaged, or SQLite's but not a memory of heimdall's.
        StorageError: it can't be read.
    """
    try:
        status = database.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageError(
            str(database), f"it can't be looked at: {error.strerror}", "check the path"
        ) from error
    if not stat.S_ISREG(status.st_mode):
        raise DatabaseUnreadableError(
            str(database), "it is no file", "nothing was changed; move it away"
        )
    if status.st_size == 0 and not connections.log_of(database).exists():
        return None
    for pause in _SECOND_LOOKS:
        try:
            return _look(database)
        except StorageError:  # perhaps because another process was just making the file
            time.sleep(pause)
    return _look(database)


def peek(database: Path) -> Peek | None:
    """Look into a database of any schema version; None when there is none yet.

    Nothing is made, migrated or locked.

    Raises:
        DatabaseUnreadableError: it is damaged, or SQLite's but not a memory of heimdall's.
        StorageError: it can't be read.
    """
    if probe(database) is None:
        return None
    with connections.opened(database, read_only=True) as connection:
        query = "SELECT project_id, memories FROM project"
        project_id, memories = connection.execute(query).fetchone()
    return Peek(str(project_id), int(memories), connections.size_on_disk(database))


def _look(database: Path) -> int | None:
    with connections.opened(database, read_only=True) as connection:
        connection.execute("BEGIN")  # one state of the file for all questions
        return _version(connection, database)


def _version(connection: sqlite3.Connection, database: Path) -> int | None:
    application, version = (
        int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])
        for pragma in ("application_id", "user_version")
    )
    if application == APPLICATION_ID and version > 0:
        return version
    tables = [
        str(row[0])
        for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
    ]
    if not tables and not version:
        return None
    raise DatabaseUnreadableError(
        str(database),
        f"it is an SQLite database of something else (tables: {', '.join(sorted(tables)[:5]) or 'none'})",
        "it was left as it is; 'heimdall migrate' takes over memories of heimdall 0.3, otherwise move the file away",
    )


def _bring_up(
    database: Path, project_id: str, steps: Sequence[Migration], *, keep_old: bool
) -> Path | None:
    """Apply what is missing, in one transaction, with a copy of what was there before."""
    with connections.opened(database) as connection:
        connection.execute("BEGIN IMMEDIATE")
        backup = None
        try:
            version = _version(connection, database) or 0  # another process may have been quicker
            missing = [step for step in steps if step.version > version]
            if missing and version and keep_old:
                backup = _keep_old(database, version)
            for step in missing:
                for statement in step.statements:
                    connection.execute(statement)
            if missing:
                connection.execute(f"PRAGMA user_version = {missing[-1].version}")
            if not version:
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                row = (project_id, times.now())
                connection.execute(
                    "INSERT INTO project (one, project_id, created_at) VALUES (1, ?, ?)", row
                )
            connection.execute("COMMIT")
        except BaseException:  # also Ctrl-C: what was begun is taken back
            connection.rollback()
            if backup:
                backup.unlink(missing_ok=True)  # of what is still there
            raise
    if backup:
        _log.warning(
            "%s was brought from schema version %d to %d; its state before is kept in %s",
            *(database, version, missing[-1].version, backup),
        )
    return backup


def _make_file(database: Path) -> None:
    """Make the file, and settle what can't be changed in a transaction."""
    try:
        database.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        problem = f"its directory can't be made: {error.strerror}"
        raise StorageError(str(database), problem, "check the path and who owns it") from error
    uri = f"{database.absolute().as_uri()}?mode=rwc"
    deadline = time.monotonic() + connections.BUSY_SECONDS
    with explained(database):
        while True:
            try:
                with contextlib.closing(
                    sqlite3.connect(uri, uri=True, isolation_level=None)
                ) as connection:
                    connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")
                    connection.execute("PRAGMA journal_mode = WAL")
                    return
            except sqlite3.OperationalError as error:
                busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
                if not busy or time.monotonic() > deadline:
                    raise
                # SQLite does not wait by itself when others do the same.
                time.sleep(random.uniform(0.001, 0.02))  # noqa: S311 (spreads out those who wait)


def _keep_old(database: Path, version: int) -> Path:
    """A copy of the database as it is, beside it. We hold the write lock, so nothing changes meanwhile."""
    target = connections.kept_name(database, f"schema-{version}")
    with contextlib.closing(connections.connect(database)) as source:
        source.execute("VACUUM INTO ?", (str(target),))
    return target

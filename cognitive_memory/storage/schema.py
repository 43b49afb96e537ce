"""Bringing a database to this release's schema: made when new, migrated when old, refused when newer or not ours."""

from __future__ import annotations

import logging
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

from cognitive_memory.storage import connections, ddl, files, known
from cognitive_memory.storage.ddl import APPLICATION_ID
from cognitive_memory.storage.errors import (
    DatabaseUnreadableError,
    NoAnswerError,
    StorageError,
    UnknownDatabaseError,
    adopt_command,
    explained,
    explanation,
    is_about_writing,
)
from cognitive_memory.storage.hardening import ANSWER_SECONDS, bounded, distrusted, pragmas

_SECOND_LOOKS = (0.02, 0.05, 0.1, 0.2)
"""After how many seconds a file that looks bad is looked at again. Without a write-ahead log it is read without locks, and
another process may begin one and write to the file meanwhile."""

_log = logging.getLogger(__name__)


class Prepared(NamedTuple):
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


class Peek(NamedTuple):
    """What a database says of itself.

    Attributes:
        project_id: the id that is stored in it.
        memories: how many there are.
        size: bytes of the file and its write-ahead log.
    """

    project_id: str
    memories: int
    size: int


class _Identity(NamedTuple):
    """What the file itself says before anything in it is believed: the schema's version and the secret, if it has one."""

    version: int
    secret: bytes | None


def prepare(database: Path, *, project_id: str | None = None, keep_old: bool = True) -> Prepared:
    """Make the database if there is none, or bring it to the current schema.

    Several processes may do this at once: one makes or migrates, the others wait for it or use what
    it made. A kill leaves the old state or the new one.

    Args:
        database: the file; its directory is made.
        project_id: for a new database; default: a new UUID. An existing database keeps its own.
        keep_old: whether to keep a copy of the database before it is migrated.

    Raises:
        UnknownDatabaseError: somebody else made it; it was not opened.
        AlteredDatabaseError: somebody else changed it, or put something beside it; not a byte was
            changed.
        NewerSchemaError: a newer release made it; not a byte was changed.
        DatabaseUnreadableError: it is damaged or something else; not a byte was changed.
        StorageError: it can't be read or written.
    """
    version = probe(database)
    if version is None:
        from cognitive_memory.storage import making

        making.make(database, project_id or str(uuid4()))
        version = probe(database)
    if version is None:
        raise StorageError(str(database), "it was removed as soon as it was made", "try again")
    if version > ddl.newest():
        raise ddl.newer_schema(database, version)
    backup = _bring_up(database, keep_old=keep_old) if version < ddl.newest() else None
    try:
        identity = _project_id(database, read_only=False)
    except sqlite3.DatabaseError as error:
        if not is_about_writing(error):
            raise explanation(error, database) from error
        with explained(database):
            identity = _project_id(database, read_only=True)
        return Prepared(database, identity, ddl.newest(), read_only=True)
    return Prepared(database, identity, ddl.newest(), backup)


def _project_id(database: Path, *, read_only: bool) -> str:
    with closing(connections.connect(database, read_only=read_only)) as connection:
        if not read_only:
            known.note_journal(database, in_use=not _keeps_log(connection))
        return str(_asked(connection, database, "SELECT project_id FROM project")[0])


def _keeps_log(connection: sqlite3.Connection) -> bool:
    """Whether a database has a write-ahead log; it is given one if it is a backup that was copied here by hand.

    Where a filesystem allows none, as a share over SMB, SQLite does without, and only its answer tells.
    """
    questions = ("PRAGMA journal_mode", "PRAGMA journal_mode = WAL")
    return any(connection.execute(question).fetchone()[0] == "wal" for question in questions)


def _asked(connection: sqlite3.Connection, database: Path, query: str) -> tuple[object, ...]:
    """The only row that answers."""
    row: tuple[object, ...] | None = connection.execute(query).fetchone()
    if row is None:
        advice = "it was left as it is; 'heimdall restore' brings back a backup"
        raise DatabaseUnreadableError(str(database), "what it says of itself is missing", advice)
    return row


def probe(database: Path) -> int | None:
    """The schema version of a database of this user's, without changing a byte; None when there is none yet.

    Whose it is, is read first, from the file alone: neither a journal nor a log beside it is looked
    at for that.

    Raises:
        UnknownDatabaseError: this user's installation neither made nor adopted it.
        AlteredDatabaseError: there is something beside it that is not ours. Its schema is looked at
            when it is opened.
        DatabaseUnreadableError: it is damaged, or SQLite's but not a memory of heimdall's.
        StorageError: it can't be read.
    """
    for pause in _SECOND_LOOKS:
        try:
            return _probe(database)
        except NoAnswerError:
            raise
        except StorageError:  # perhaps because another process was just making or writing the file
            time.sleep(pause)
    return _probe(database)


def _probe(database: Path) -> int | None:
    if not files.check(database):
        return None
    identity = _identity(database)
    if not known.is_trusted_folder(database) and not (
        identity.secret and known.is_known(identity.secret)
    ):
        raise UnknownDatabaseError(
            str(database),
            "it is not one that your heimdall made: it came with its folder, or heimdall's data directory "
            "(HEIMDALL_DATA_DIR) was another one",
            f"it was not opened, and nothing was stored; {adopt_command(database)} takes its memories over, "
            "if you trust where it comes from",
        )
    known.check_log(identity.secret or b"", database)
    if not files.log_of(database).exists():
        return identity.version
    with connections.opened(database, read_only=True) as connection:
        return pragmas(connection, "user_version")[0]


def disown(database: Path) -> None:
    """Forget a database that nobody needs any more.

    Raises:
        StorageError: it can't be read.
    """
    if secret := _identity(database).secret:
        known.forget(secret)


def accept_log(database: Path) -> None:
    """Make the write-ahead log that is there the one that belongs to a database.

    Raises:
        StorageError: it can't be read.
    """
    if secret := _identity(database).secret:
        known.note_log(secret, database, durable=True)


def _identity(database: Path) -> _Identity:
    with (
        explained(database),
        distrusted(database) as connection,
        bounded(connection, ANSWER_SECONDS),
    ):
        application, version = pragmas(connection, "application_id", "user_version")
        if application != APPLICATION_ID or version < 1:
            _refuse_other(connection, database)
        query = "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = 'secret'"
        if connection.execute(query).fetchone() != (ddl.SECRET_TABLE,):
            return _Identity(version, None)
        row = connection.execute("SELECT secret FROM secret").fetchone()
        secret = row[0] if row and isinstance(row[0], bytes) else None
        return _Identity(version, secret)


def _refuse_other(connection: sqlite3.Connection, database: Path) -> None:
    query = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name LIMIT 5"
    tables = ", ".join(str(row[0])[:40] for row in connection.execute(query))
    raise DatabaseUnreadableError(
        str(database),
        f"it is an SQLite database of something else (tables: {tables or 'none'})",
        "it was left as it is; 'heimdall migrate' takes over memories of heimdall 0.3, otherwise move the file away",
    )


def peek(database: Path) -> Peek | None:
    """Look into a database, within seconds; None when there is none yet.

    Nothing is made, migrated or locked.

    Raises:
        StorageError: as `probe` does, or it does not answer in time.
    """
    if probe(database) is None:
        return None
    with (
        connections.opened(database, read_only=True) as connection,
        bounded(connection, ANSWER_SECONDS),
    ):
        query = "SELECT project_id, memories FROM project"
        project_id, memories = _asked(connection, database, query)
    return Peek(str(project_id), int(str(memories)), files.size_on_disk(database))


def _bring_up(database: Path, *, keep_old: bool) -> Path | None:
    """Apply what is missing, in one transaction, with a copy of what was there before."""
    from cognitive_memory.storage import migrations

    with connections.opened(database) as connection:
        connection.execute("BEGIN IMMEDIATE")
        backup = None
        try:
            version = ddl.check(connection, database)  # another process may have been quicker
            missing = [step for step in migrations.carried() if step.version > version]
            if missing and keep_old:
                backup = _keep_old(database, version)
            for step in missing:
                for statement in step.statements:
                    connection.execute(statement)
            if missing:
                connection.execute(f"PRAGMA user_version = {missing[-1].version}")
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


def _keep_old(database: Path, version: int) -> Path:
    """A copy of the database as it is, beside it. We hold the write lock, so nothing changes meanwhile."""
    target = files.kept_name(database, f"schema-{version}")
    files.make_private(target)
    with closing(connections.connect(database)) as source:
        source.execute("VACUUM INTO ?", (str(target),))
    return target

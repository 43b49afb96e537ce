"""Making a database: complete before it has its name, so that a kill leaves all of it or nothing."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from cognitive_memory.storage import files, known, times
from cognitive_memory.storage.connections import DURABLE
from cognitive_memory.storage.ddl import APPLICATION_ID
from cognitive_memory.storage.errors import StorageError, explained
from cognitive_memory.storage.migrations import carried

PAGE_SIZE = 8192
"""Five vectors of 384 numbers fill a page but for 6 %; SQLite's default of 4096 would leave a quarter empty."""


def make(database: Path, project_id: str) -> bool:
    """Make an empty database of the current schema, known here. Of several processes one gives its own the name.

    Args:
        database: the file; its directory is made, both for their owner alone.
        project_id: the id of the project.

    Returns:
        Whether this process' database has the name.

    Raises:
        StorageError: it can't be written, or can't be noted in the data directory.
    """
    try:
        database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        problem = f"its directory can't be made: {error.strerror}"
        raise StorageError(str(database), problem, "check the path and who owns it") from error
    secret = os.urandom(known.SECRET_BYTES)
    try:
        with files.draft_folder(database.parent) as folder:
            fresh = folder / database.name
            with explained(database):
                _write(fresh, project_id, secret)
            _note(secret, database)  # before the name: a database with a name must be known
            named = files.take_name(fresh, database)
    except OSError as error:
        problem = f"it can't be made: {error.strerror or error}"
        advice = "check the owner and mode of its directory, and the free space"
        raise StorageError(str(database), problem, advice) from error
    if not named:
        known.forget(secret)
    return named


def _write(fresh: Path, project_id: str, secret: bytes) -> None:
    files.make_private(fresh)
    steps = carried()
    with closing(sqlite3.connect(fresh, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")
        # Turning a file to WAL needs a rollback journal for a moment. It has the draft's name,
        # never the database's.
        for setting in ("journal_mode = WAL", *DURABLE):
            connection.execute(f"PRAGMA {setting}")
        connection.execute("BEGIN")
        for step in steps:
            for statement in step.statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {steps[-1].version}")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("INSERT INTO secret VALUES (1, ?)", (secret,))
        row = (project_id, times.now())
        connection.execute(
            "INSERT INTO project (one, project_id, created_at) VALUES (1, ?, ?)", row
        )
        connection.execute("COMMIT")
    # Closing has put all of it into the one file, and forced it to disk.


def _note(secret: bytes, database: Path) -> None:
    try:
        known.note(secret)
    except OSError as error:
        if known.is_trusted_folder(database):
            return
        advice = (
            "nothing was made; set HEIMDALL_DATA_DIR to a directory that you may write, "
            "or name the project in HEIMDALL_TRUST"
        )
        raise known.not_noted(database, error, advice) from error

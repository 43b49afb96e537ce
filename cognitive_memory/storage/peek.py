"""A look into a database from outside: nothing is made, migrated or locked."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from cognitive_memory.storage import connections
from cognitive_memory.storage.errors import explained
from cognitive_memory.storage.schema import probe


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


def peek(database: Path) -> Peek | None:
    """Look into a database of any schema version; None when there is none yet.

    Raises:
        DatabaseUnreadableError: it is damaged, or SQLite's but not a memory of heimdall's.
        StorageError: it can't be read.
    """
    if probe(database) is None:
        return None
    wal = database.with_name(f"{database.name}-wal")
    # As in `probe`: without a log, "immutable" keeps SQLite from making one.
    how = "mode=ro" if wal.exists() else "mode=ro&immutable=1"
    with (
        explained(database),
        contextlib.closing(
            sqlite3.connect(
                f"{database.absolute().as_uri()}?{how}", uri=True, timeout=connections.BUSY_SECONDS
            )
        ) as connection,
    ):
        project_id, memories = connection.execute(
            "SELECT project_id, memories FROM project"
        ).fetchone()
    size = sum(file.stat().st_size for file in (database, wal) if file.exists())
    return Peek(str(project_id), int(memories), size)

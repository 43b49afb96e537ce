"""A look into a database from outside: nothing is made, migrated or locked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cognitive_memory.storage.connections import opened, size_on_disk
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
    with opened(database, read_only=True) as connection:
        query = "SELECT project_id, memories FROM project"
        project_id, memories = connection.execute(query).fetchone()
    return Peek(str(project_id), int(memories), size_on_disk(database))

"""The database as something to be copied: what is in it, in the order in which it came, and whose it is."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cognitive_memory.core.memory import Memory
from cognitive_memory.storage.connections import Connections
from cognitive_memory.storage.rows import COLUMNS, as_memory
from cognitive_memory.storage.vectors import arrays, gone, model_number

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Held:
    """A memory with a vector: its key and id, and of which revision they are, the later one counting."""

    key: int
    id: str
    revision: int
    content_hash: str


@dataclass(frozen=True, slots=True)
class Replica:
    """A memory and its vector as float32 bytes."""

    memory: Memory
    vector: bytes


class ReplicaSource:
    """What a copy is made from: the memories of a database that have a vector of one model.

    Args:
        connections: the database.
        label: the model's.
    """

    def __init__(self, connections: Connections, label: str) -> None:
        self._connections = connections
        self.label = label

    def owner(self) -> str:
        """What tells this database from others of the same project; a copy of the file shares it."""
        with self._connections.reading() as connection:
            project_id, created_at = connection.execute(
                "SELECT project_id, created_at FROM project"
            ).fetchone()
            return f"{project_id}@{created_at}"

    def dimension(self) -> int | None:
        """How many numbers the vectors have; None if there is none."""
        with self._connections.reading() as connection:
            query = "SELECT length(vector) / 4 FROM embeddings WHERE model = ? AND vector IS NOT NULL LIMIT 1"
            row = connection.execute(query, (model_number(connection, self.label),)).fetchone()
            return None if row is None else int(row[0])

    def held(self, *, since: int = 0) -> list[Held]:
        """What is of a revision or later, in the order of revisions."""
        with self._connections.reading() as connection:
            return _held(connection, model_number(connection, self.label), since)

    def gone(self, since: int) -> list[int] | None:
        """Keys of what was deleted, or lost its vector, after a revision; None if that is no longer known."""
        with self._connections.reading() as connection:
            (complete_from,) = connection.execute("SELECT deletions_since FROM project").fetchone()
            if since < complete_from:
                return None
            return [
                int(key) for key in gone(connection, model_number(connection, self.label), since)
            ]

    def keys_of(self, ids: Sequence[str]) -> list[int]:
        """The keys of those ids that there are memories for."""
        with self._connections.reading() as connection:
            query = "SELECT key FROM memories WHERE id IN (SELECT value FROM json_each(?))"
            return [row[0] for row in connection.execute(query, (json.dumps(list(ids)),))]

    def vectors(self, keys: Sequence[int]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The vectors of those keys that have one: keys, shape (n,), in their order, and vectors, shape (n, dimension)."""
        query = """
            SELECT memory, vector FROM embeddings
            WHERE model = ? AND vector IS NOT NULL AND memory IN (SELECT value FROM json_each(?)) ORDER BY memory
        """
        with self._connections.reading() as connection:
            model = model_number(connection, self.label)
            rows = connection.execute(query, (model, json.dumps(list(keys)))).fetchall()
        return arrays(iter(rows), len(rows))

    def replicas(self, keys: Sequence[int]) -> dict[int, Replica]:
        """The memories of keys with their vectors; those that have none (any more) are left out."""
        query = f"""
            SELECT {COLUMNS}, embeddings.vector FROM memories
            JOIN embeddings ON embeddings.memory = memories.key AND embeddings.model = :model
            WHERE memories.key IN (SELECT value FROM json_each(:keys)) AND embeddings.vector IS NOT NULL
        """
        with self._connections.reading() as connection:
            model = model_number(connection, self.label)
            rows = connection.execute(query, {"model": model, "keys": json.dumps(list(keys))})
            return {row[-2]: Replica(as_memory(row[:-1]), row[-1]) for row in rows}


def _held(connection: sqlite3.Connection, model: int | None, since: int) -> list[Held]:
    query = """
        SELECT memories.key, memories.id, max(memories.revision, embeddings.revision) AS state, memories.content_hash
        FROM embeddings JOIN memories ON memories.key = embeddings.memory
        WHERE embeddings.model = :model AND embeddings.vector IS NOT NULL
            AND (:since = 0 OR memories.key IN (
                SELECT key FROM memories WHERE revision >= :since
                UNION SELECT memory FROM embeddings WHERE revision >= :since))
        ORDER BY state, memories.key
    """
    rows = connection.execute(query, {"model": model, "since": since})
    return [Held(key, memory_id, state, digest.hex()) for key, memory_id, state, digest in rows]

"""The vectors that another project's database has of the same texts."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cognitive_memory.core.memory import Origin
from cognitive_memory.storage import connections, schema
from cognitive_memory.storage.vectors import Embedded, Pending, number_of

# A commit's vector is made otherwise.
_VECTOR = """
SELECT vector FROM memories JOIN embeddings ON memory = key
WHERE content_hash = ? AND (origin = 'commit') = ? AND model = ? AND length(vector) = ? LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class SharedVectors:
    """Another project's vectors, while its database is open.

    Attributes:
        connection: to the database, which nothing changes.
        model: the number of the embedding space there.
        size: bytes of a vector.
    """

    connection: sqlite3.Connection
    model: int
    size: int

    def of(self, memories: Iterable[Pending]) -> list[Embedded]:
        """The vectors of those whose text and context are there, too, and whose numbers are finite."""
        import numpy as np

        found = []
        for item in memories:
            commit = item.origin is Origin.COMMIT
            values = (item.content_hash, commit, self.model, self.size)
            row = self.connection.execute(_VECTOR, values).fetchone()
            if row is not None and np.isfinite(np.frombuffer(row[0], dtype="<f4")).all():
                found.append(Embedded(item.key, item.content_hash, row[0]))
        return found


@contextmanager
def shared_vectors(database: Path, space: str, dimension: int) -> Iterator[SharedVectors]:
    """The vectors of an embedding space in a database of this user's; it is neither made, migrated nor locked.

    Raises:
        StorageError: as `schema.probe` does, or it does not answer in time.
    """
    if schema.probe(database) is None:
        raise FileNotFoundError(database)
    with connections.opened(database, read_only=True) as connection:
        yield SharedVectors(connection, number_of(connection, space), dimension * 4)

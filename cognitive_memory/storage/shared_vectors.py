"""The vectors, and the tokens, that another project's database has of the same texts."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cognitive_memory.core.memory import Origin
from cognitive_memory.storage import connections, schema
from cognitive_memory.storage.token_codes import token_space
from cognitive_memory.storage.vectors import Embedded, Pending, number_of

_WITH_TOKENS = 5
"""The schema version from which on a database has tokens."""
_CODES = "(SELECT codes FROM tokens WHERE tokens.memory = key AND tokens.model = :tokens)"
# A commit's vector is made otherwise.
_VECTOR = """
SELECT vector, {codes} FROM memories JOIN embeddings ON memory = key
WHERE content_hash = :content_hash AND (origin = 'commit') = :commit
AND model = :model AND length(vector) = :size LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class SharedVectors:
    """Another project's vectors, while its database is open.

    Attributes:
        connection: to the database, which nothing changes.
        model: the number of the embedding space there.
        tokens: the number of its tokens' space there.
        size: bytes of a vector.
        version: of the schema there.
    """

    connection: sqlite3.Connection
    model: int
    tokens: int
    size: int
    version: int

    def of(self, memories: Iterable[Pending]) -> list[Embedded]:
        """The vectors of those whose text and context are there, too, and whose numbers are finite."""
        import numpy as np

        query = _VECTOR.format(codes=_CODES if self.version >= _WITH_TOKENS else "NULL")
        found = []
        for item in memories:
            values = {
                "content_hash": item.content_hash,
                "commit": item.origin is Origin.COMMIT,
                "model": self.model,
                "tokens": self.tokens,
                "size": self.size,
            }
            row = self.connection.execute(query, values).fetchone()
            if row is not None and np.isfinite(np.frombuffer(row[0], dtype="<f4")).all():
                found.append(Embedded(item.key, item.content_hash, row[0], tokens=row[1]))
        return found


@contextmanager
def shared_vectors(database: Path, space: str, dimension: int) -> Iterator[SharedVectors]:
    """The vectors of an embedding space in a database of this user's; it is neither made, migrated nor locked.

    Raises:
        StorageError: as `schema.probe` does, or it does not answer in time.
    """
    version = schema.probe(database)
    if version is None:
        raise FileNotFoundError(database)
    with connections.opened(database, read_only=True) as connection:
        model, tokens = (number_of(connection, each) for each in (space, token_space(space)))
        yield SharedVectors(connection, model, tokens, dimension * 4, version)

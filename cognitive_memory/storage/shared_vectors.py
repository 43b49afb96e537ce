"""The vectors that another project's database has of the same texts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from cognitive_memory.core.memory import Origin
from cognitive_memory.storage import connections, files, schema
from cognitive_memory.storage.errors import StorageError
from cognitive_memory.storage.vectors import Embedded, Pending, number_of

# A commit's vector is made otherwise.
_VECTOR = """
SELECT vector FROM memories JOIN embeddings ON memory = key
WHERE content_hash = ? AND (origin = 'commit') = ? AND model = ? AND length(vector) = ? LIMIT 1
"""


Find: TypeAlias = "Callable[[Iterable[Pending]], list[Embedded]]"
"""Gives the vectors of those memories whose text and context are in the other database, too."""


@contextmanager
def shared_vectors(database: Path, space: str, dimension: int) -> Iterator[Find]:
    """The vectors of an embedding space in a database of this user's, which is neither made, migrated nor locked.

    Args:
        database: the other project's.
        space: the embedding space.
        dimension: how many numbers a vector has; what has another size, or numbers that are not finite, is left.

    Raises:
        StorageError: as `schema.probe` does, or it does not answer in time, or changes meanwhile.
        FileNotFoundError: there is none.
    """
    import numpy as np

    if schema.probe(database) is None:
        raise FileNotFoundError(database)
    times = files.times(database)
    with connections.opened(database, read_only=True) as connection:
        model = number_of(connection, space)

        def find(memories: Iterable[Pending]) -> list[Embedded]:
            found = []
            for item in memories:
                commit = item.origin is Origin.COMMIT
                values = (item.content_hash, commit, model, dimension * 4)
                row = connection.execute(_VECTOR, values).fetchone()
                if row is not None and np.isfinite(np.frombuffer(row[0], dtype="<f4")).all():
                    found.append(Embedded(item.key, item.content_hash, row[0]))
            # Read without locks: of what was written meanwhile, one half may be old.
            if files.times(database) != times:
                raise StorageError(str(database), "it changes just now", "try again later")
            return found

        yield find

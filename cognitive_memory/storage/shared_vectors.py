"""The vectors, and the tokens, that another project's database has of the same texts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from cognitive_memory.core.memory import Origin
from cognitive_memory.storage import connections, files, schema
from cognitive_memory.storage.errors import StorageError
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

Find: TypeAlias = "Callable[[Iterable[Pending]], list[Embedded]]"
"""Gives the vectors, and tokens if there are any, of those memories whose text and context are in the other database, too."""


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

    version = schema.probe(database)
    if version is None:
        raise FileNotFoundError(database)
    times = files.times(database)
    with connections.opened(database, read_only=True) as connection:
        query = _VECTOR.format(codes=_CODES if version >= _WITH_TOKENS else "NULL")
        shared = {
            "model": number_of(connection, space),
            "tokens": number_of(connection, token_space(space)),
            "size": dimension * 4,
        }

        def find(memories: Iterable[Pending]) -> list[Embedded]:
            found = []
            for item in memories:
                own = {"content_hash": item.content_hash, "commit": item.origin is Origin.COMMIT}
                row = connection.execute(query, {**shared, **own}).fetchone()
                if row is not None and np.isfinite(np.frombuffer(row[0], dtype="<f4")).all():
                    found.append(Embedded(item.key, item.content_hash, row[0], tokens=row[1]))
            # Read without locks: of what was written meanwhile, one half may be old.
            if files.times(database) != times:
                raise StorageError(str(database), "it changes just now", "try again later")
            return found

        yield find

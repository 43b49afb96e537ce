"""What of a project may answer a question, when its vectors are in Qdrant.

Qdrant says which memories are near; SQLite says what they are and how near exactly, and adds what
was not pushed yet. So an answer is never older than the project, and its scores are those that the
local index would give.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from threading import Lock
from typing import TYPE_CHECKING

from cognitive_memory.core.recall import RecallFilter
from cognitive_memory.qdrant.errors import QdrantError, QdrantUnreachableError
from cognitive_memory.qdrant.settings import QdrantSettings
from cognitive_memory.storage import replication
from cognitive_memory.storage.store import MemoryStore

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cognitive_memory.qdrant.index import QdrantIndex
    from cognitive_memory.retrieval.vector_index import VectorIndex

NEAREST = 200
"""How many memories Qdrant is asked for; a recall of ten looks at forty in full."""

UNPUSHED = 5_000
"""How many memories that Qdrant does not have yet are compared here, the latest ones."""

REST = 60.0
"""Seconds for which a Qdrant that did not answer is left alone, so that not every recall waits for
it.
"""


class QdrantNearest:
    """Asks Qdrant for a project's memories near a question. Thread-safe.

    Args:
        settings: which Qdrant.
        store: the project's database.
    """

    def __init__(self, settings: QdrantSettings, store: MemoryStore) -> None:
        self._settings = settings
        self._store = store
        self._lock = Lock()
        self._index: QdrantIndex | None = None
        self._silent_until = 0.0

    def near(
        self, vector: NDArray[np.float32], wanted: RecallFilter, also: Collection[int]
    ) -> VectorIndex:
        """The memories that may answer, with their vectors.

        Args:
            vector: the question's, shape (dimension,), of unit length.
            wanted: which memories may answer; what is not pushed yet has to be sorted out by the
                caller.
            also: keys of memories that take part in any case.

        Raises:
            QdrantNotInstalledError, QdrantError: it can't be asked now; for `REST` seconds nobody
                tries again.
        """
        from cognitive_memory.retrieval.vector_index import Segment, VectorIndex

        with self._lock:
            if time.monotonic() < self._silent_until:
                raise QdrantUnreachableError(self._settings.place, "it did not answer a moment ago")
            try:
                index = self._opened()
                ids = [
                    memory_id for memory_id, _ in index.search(vector, limit=NEAREST, wanted=wanted)
                ]
                newest = index.newest()
            except QdrantError:
                self._silent_until = time.monotonic() + REST
                raise
        with self._store.reading() as reader:
            later = replication.stamps(reader, since=newest.revision if newest else 0)
            unpushed = [stamp.key for stamp in later.values()][-UNPUSHED:]
            keys = {*reader.known_keys(ids).values(), *also, *unpushed}
            segment = Segment(*reader.vectors.of_keys(sorted(keys)))
        return VectorIndex((segment,) if len(segment) else ())

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            if self._index is not None:
                self._index.close()
                self._index = None

    def _opened(self) -> QdrantIndex:
        from cognitive_memory.qdrant.index import QdrantIndex

        if self._index is None:
            self._index = QdrantIndex(
                self._settings,
                project_id=self._store.prepared.project_id,
                space=str(self._store.embedding_space()),
            )
        return self._index

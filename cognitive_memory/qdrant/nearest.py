"""What of a project may answer a question, when its vectors are in Qdrant.

Qdrant says which memories are near; SQLite says what they are and how near exactly, and adds what
was not pushed yet. So an answer is never older than the project, and its scores are those that the
local index would give.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from cognitive_memory.core.arrays import FloatArray
from cognitive_memory.core.recall import RecallFilter
from cognitive_memory.qdrant.asking import QdrantNodes
from cognitive_memory.qdrant.errors import QdrantBehindError
from cognitive_memory.qdrant.settings import QdrantSettings
from cognitive_memory.storage import replication
from cognitive_memory.storage.reading import Reader
from cognitive_memory.storage.replication import Stamp
from cognitive_memory.storage.store import MemoryStore

if TYPE_CHECKING:
    from cognitive_memory.qdrant.index import QdrantIndex
    from cognitive_memory.retrieval.vector_index import VectorIndex

NEAREST = 200
"""How many memories Qdrant is asked for; a recall of ten looks at forty in full."""

UNPUSHED = 5_000
"""How many memories that Qdrant does not have yet are compared besides. Where more are, all vectors
are searched here instead, so that none is missed.
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
        self._nodes = QdrantNodes(settings, self._open_index)

    def near(self, vector: FloatArray, wanted: RecallFilter, also: Collection[int]) -> VectorIndex:
        """The memories that may answer, with their vectors.

        Args:
            vector: the question's, shape (dimension,), of unit length.
            wanted: which memories may answer; what is not pushed yet has to be sorted out by the
                caller.
            also: keys of memories that take part in any case.

        Raises:
            QdrantError: it can't be asked now, or has too little of the project.
        """
        from cognitive_memory.retrieval.vector_index import Segment, VectorIndex

        found = self._nodes.ask(lambda index: index.search(vector, limit=NEAREST, wanted=wanted))
        ids = [memory_id for memory_id, _ in found.nearest]
        with self._store.reading() as reader:
            unpushed = replication.keys_after(reader, _pushed(reader, found.whole), most=UNPUSHED)
            if unpushed is None:
                raise QdrantBehindError(self._settings.place, _BEHIND)
            keys = {*reader.known_keys(ids).values(), *also, *unpushed}
            segment = Segment(*reader.vectors.of_keys(sorted(keys)))
        return VectorIndex((segment,) if len(segment) else ())

    def close(self) -> None:
        """Close the connections."""
        self._nodes.close()

    def _open_index(self, settings: QdrantSettings) -> QdrantIndex:
        from cognitive_memory.qdrant.index import QdrantIndex

        return QdrantIndex(
            settings,
            project_id=self._store.prepared.project_id,
            space=str(self._store.embedding_space()),
        )


_BEHIND = (
    f"more than {UNPUSHED:,} memories are not there yet: 'heimdall qdrant push' brings them there"
)


def _pushed(reader: Reader, whole: Stamp | None) -> Stamp | None:
    """The stamp up to which all memories are in Qdrant, as this database counts."""
    mine = whole is not None and whole.owner == replication.owner(reader)
    return whole if whole and mine and replication.knows(reader, whole) else None

"""A project's points in Qdrant: search, and what keeps them like SQLite."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self, cast
from uuid import UUID

from cognitive_memory.core.memory import Memory
from cognitive_memory.core.recall import EVERYTHING, RecallFilter
from cognitive_memory.qdrant import points
from cognitive_memory.qdrant.client import models, open_client, talking
from cognitive_memory.qdrant.collection import (
    PREFIX,
    collection_name,
    conditions,
    ensure_collection,
    project_filter,
)
from cognitive_memory.qdrant.settings import QdrantSettings
from cognitive_memory.storage.replication import Stamp

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PAGE = 1000
"""Points in one answer of a scroll."""
OVERSAMPLING = 3.0
"""How many times more candidates than asked for are scored again with full vectors, as Qdrant
advises for int8.
"""


class QdrantIndex:
    """The points of one project and one embedding space. A context manager that closes.

    Args:
        settings: which Qdrant.
        project_id: the tenant.
        space: which vectors.

    Raises:
        QdrantError: as `open_client`. All methods raise it when Qdrant can't be reached, refuses or
            fails.
    """

    def __init__(self, settings: QdrantSettings, *, project_id: str, space: str) -> None:
        self.settings = settings
        self.collection = collection_name(space)
        self._project_id = project_id
        self._space = space
        self._client = open_client(settings)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def exists(self) -> bool:
        """Whether there is a collection for the embedding space."""
        with talking(self.settings):
            return self._client.collection_exists(self.collection)

    def prepare(self, dimension: int) -> None:
        """Make the collection if need be."""
        with talking(self.settings):
            ensure_collection(self._client, self._space, dimension)

    def count(self) -> int:
        """How many points the project has; 0 without a collection."""
        return self._count(self.collection) if self.exists() else 0

    def search(
        self, vector: NDArray[np.float32], *, limit: int, wanted: RecallFilter = EVERYTHING
    ) -> list[tuple[str, float]]:
        """The memories nearest to a vector.

        Args:
            vector: of unit length, shape (dimension,).
            limit: how many at most.
            wanted: which may answer.

        Returns:
            Ids with their cosine, best first; none without a collection.
        """
        if not self.exists():
            return []
        again = models.QuantizationSearchParams(rescore=True, oversampling=OVERSAMPLING)
        # Local mode is exact, and says so each time when it gets these.
        how = models.SearchParams(quantization=again) if self.settings.url else None
        with talking(self.settings):
            answer = self._client.query_points(
                self.collection,
                query=vector.tolist(),
                query_filter=project_filter(self._project_id, *conditions(wanted)),
                limit=limit,
                search_params=how,
                with_payload=False,
            )
        return [(str(point.id), point.score) for point in answer.points]

    def newest(self) -> Stamp | None:
        """The highest stamp of the project's points; None if there is no point."""
        if not self.exists():
            return None
        with talking(self.settings):
            records, _ = self._client.scroll(
                self.collection,
                scroll_filter=project_filter(self._project_id),
                order_by=models.OrderBy(key="revision", direction=models.Direction.DESC),
                limit=1,
                with_payload=points.STAMP,
            )
        return next((points.stamp_of(record.payload or {}) for record in records), None)

    def stamps(self, *, since: int = 0) -> dict[str, Stamp]:
        """Stamps of the project's points of a revision or later, by id."""
        later = models.FieldCondition(key="revision", range=models.Range(gte=since))
        return {
            str(record.id): points.stamp_of(record.payload or {})
            for record in self._scroll(later, with_payload=points.STAMP)
        }

    def lines(self) -> Iterator[str]:
        """All memories of the project, as they are in Qdrant, with their vectors, as lines of an export."""
        for record in self._scroll(with_payload=True, with_vectors=True):
            vector = cast("list[float]", record.vector or [])
            yield points.line_of(record.payload or {}, space=self._space, vector=vector)

    def upsert(self, batch: Mapping[Stamp, tuple[Memory, bytes]]) -> None:
        """Write memories and their vectors as points; on return they are on the server's disk."""
        import numpy as np

        contents = [
            points.payload(memory, project_id=self._project_id, stamp=stamp)
            for stamp, (memory, _) in batch.items()
        ]
        vectors = [np.frombuffer(vector, "<f4").tolist() for _, vector in batch.values()]
        ids: list[int | str | UUID] = [memory.id for memory, _ in batch.values()]
        with talking(self.settings):
            whole = models.Batch(ids=ids, vectors=vectors, payloads=contents)
            self._client.upsert(self.collection, whole, wait=True)

    def delete(self, ids: Sequence[str]) -> None:
        """Remove points of the project by their ids."""
        self._delete(self.collection, models.HasIdCondition(has_id=list(ids)))

    def delete_keys(self, keys: Sequence[int]) -> None:
        """Remove points of the project by the keys that their memories had in the database that pushed them."""
        match = models.MatchAny(any=list(keys))
        self._delete(self.collection, models.FieldCondition(key="key", match=match))

    def drop(self, *, every_model: bool = False) -> dict[str, int]:
        """Remove all points of the project, also those of other models if `every_model`.

        Returns:
            How many were in each collection.
        """
        with talking(self.settings):
            names = [item.name for item in self._client.get_collections().collections]
        dropped = {}
        for name in sorted(names):
            if name == self.collection or (every_model and name.startswith(PREFIX)):
                dropped[name] = self._count(name)
                self._delete(name)
        return dropped

    def _count(self, collection: str) -> int:
        wanted = project_filter(self._project_id)
        with talking(self.settings):
            return self._client.count(collection, count_filter=wanted, exact=True).count

    def _delete(self, collection: str, *which: models.Condition) -> None:
        selector = models.FilterSelector(filter=project_filter(self._project_id, *which))
        with talking(self.settings):
            self._client.delete(collection, points_selector=selector, wait=True)

    def _scroll(self, *which: models.Condition, **content: Any) -> Iterator[models.Record]:
        """The project's points that meet conditions, with what `content` says of them."""
        wanted = project_filter(self._project_id, *which)
        more, offset = self.exists(), None
        while more:
            with talking(self.settings):
                records, offset = self._client.scroll(
                    self.collection, scroll_filter=wanted, limit=PAGE, offset=offset, **content
                )
            yield from records
            more = offset is not None

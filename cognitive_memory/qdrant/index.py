"""A project's points in Qdrant: search, and what keeps them like SQLite."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast

from cognitive_memory.core.memory import Memory
from cognitive_memory.core.recall import RecallFilter
from cognitive_memory.qdrant import points
from cognitive_memory.qdrant.client import open_client, talking
from cognitive_memory.qdrant.collection import PREFIX, collection_name, ensure_collection
from cognitive_memory.qdrant.points import Stamp
from cognitive_memory.qdrant.settings import QdrantSettings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from qdrant_client import models

PAGE = 1000
"""Points in one answer of a scroll."""
OVERSAMPLING = 3.0
"""How many times more candidates than asked for are scored again with full vectors, as Qdrant advises for int8."""


@dataclass(frozen=True, slots=True)
class Upsert:
    """A memory on its way to Qdrant."""

    memory: Memory
    vector: NDArray[np.float32]
    stamp: Stamp


class QdrantIndex:
    """The points of one project and one embedding model. A context manager that closes.

    Args:
        settings: which Qdrant.
        project_id: the tenant.
        label: which vectors: of which model, and how they were made.

    Raises:
        QdrantNotInstalledError, QdrantError: as `open_client`. All methods raise `QdrantError` when Qdrant can't be
            reached, refuses or fails.
    """

    def __init__(self, settings: QdrantSettings, *, project_id: str, label: str) -> None:
        self.settings = settings
        self.collection = collection_name(label)
        self._project_id = project_id
        self._label = label
        self._client = open_client(settings)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def exists(self) -> bool:
        """Whether there is a collection for the model."""
        with talking(self.settings):
            return self._client.collection_exists(self.collection)

    def prepare(self, dimension: int) -> None:
        """Make the collection if need be."""
        with talking(self.settings):
            ensure_collection(self._client, self.collection, label=self._label, dimension=dimension)

    def count(self) -> int:
        """How many points the project has; 0 without a collection."""
        if not self.exists():
            return 0
        with talking(self.settings):
            wanted = points.project_filter(self._project_id)
            return self._client.count(self.collection, count_filter=wanted, exact=True).count

    def search(
        self, vector: NDArray[np.float32], *, limit: int, wanted: RecallFilter | None = None
    ) -> list[tuple[str, float]]:
        """The memories nearest to a vector.

        Args:
            vector: of unit length, shape (dimension,).
            limit: how many at most.
            wanted: which may answer; default: all of the project.

        Returns:
            Ids with their cosine, best first; none without a collection.
        """
        from qdrant_client import models

        if not self.exists():
            return []
        again = models.QuantizationSearchParams(rescore=True, oversampling=OVERSAMPLING)
        with talking(self.settings):
            found = self._client.query_points(
                self.collection,
                query=vector.tolist(),
                query_filter=points.recall_filter(self._project_id, wanted or RecallFilter()),
                limit=limit,
                # Local mode is exact, and says so each time when it gets these.
                search_params=models.SearchParams(quantization=again)
                if self.settings.url
                else None,
                with_payload=False,
            )
        return [(str(point.id), point.score) for point in found.points]

    def newest(self) -> Stamp | None:
        """The highest stamp of the project's points; None if there is no point."""
        from qdrant_client import models

        if not self.exists():
            return None
        with talking(self.settings):
            records, _ = self._client.scroll(
                self.collection,
                scroll_filter=points.project_filter(self._project_id),
                order_by=models.OrderBy(key="revision", direction=models.Direction.DESC),
                limit=1,
                with_payload=points.STAMP,
            )
        return next((points.stamp_of(record.payload or {}) for record in records), None)

    def stamps(self, *, since: int = 0) -> dict[str, Stamp]:
        """Stamps of the project's points of a revision or later, by id."""
        wanted = points.project_filter(self._project_id, since=since)
        found = self._scroll(wanted, points.STAMP, vectors=False)
        return {point_id: points.stamp_of(fields) for point_id, fields, _ in found}

    def lines(self) -> Iterator[str]:
        """All memories of the project, as they are in Qdrant, with their vectors, as lines of our exchange format."""
        for _, fields, vector in self._scroll(
            points.project_filter(self._project_id), True, vectors=True
        ):
            yield points.line_of(fields, label=self._label, vector=vector)

    def upsert(self, batch: Sequence[Upsert]) -> None:
        """Write points; when this returns, they are on the server's disk."""
        from qdrant_client import models

        contents = [
            points.payload(item.memory, project_id=self._project_id, stamp=item.stamp)
            for item in batch
        ]
        with talking(self.settings):
            self._client.upsert(
                self.collection,
                models.Batch(
                    ids=[item.memory.id for item in batch],
                    vectors=[item.vector.tolist() for item in batch],
                    payloads=contents,
                ),
                wait=True,
            )

    def delete(self, ids: Sequence[str]) -> None:
        """Remove points of the project by their ids."""
        from qdrant_client import models

        self._delete(models.HasIdCondition(has_id=list(ids)))

    def delete_keys(self, keys: Sequence[int]) -> None:
        """Remove points of the project by the keys that their memories had in the database that pushed them."""
        from qdrant_client import models

        self._delete(models.FieldCondition(key="key", match=models.MatchAny(any=list(keys))))

    def _delete(self, condition: models.Condition) -> None:
        from qdrant_client import models

        wanted = models.Filter(must=[points.of_project(self._project_id), condition])
        with talking(self.settings):
            self._client.delete(
                self.collection, points_selector=models.FilterSelector(filter=wanted), wait=True
            )

    def drop(self, *, every_model: bool = False) -> dict[str, int]:
        """Remove all points of the project, also those of other models if `every_model`.

        Returns:
            How many were in each collection.
        """
        from qdrant_client import models

        wanted = points.project_filter(self._project_id)
        dropped = {}
        with talking(self.settings):
            names = [found.name for found in self._client.get_collections().collections]
            for name in sorted(names):
                if name == self.collection or (every_model and name.startswith(PREFIX)):
                    dropped[name] = self._client.count(name, count_filter=wanted, exact=True).count
                    self._client.delete(
                        name, points_selector=models.FilterSelector(filter=wanted), wait=True
                    )
        return dropped

    def drop_collection(self) -> None:
        """Remove the model's collection, with the points of all projects."""
        with talking(self.settings):
            self._client.delete_collection(self.collection)

    def _scroll(
        self, wanted: models.Filter, payload: bool | list[str], *, vectors: bool
    ) -> Iterator[tuple[str, dict[str, Any], list[float]]]:
        if not self.exists():
            return
        offset = None
        while True:
            with talking(self.settings):
                records, offset = self._client.scroll(
                    self.collection,
                    scroll_filter=wanted,
                    limit=PAGE,
                    offset=offset,
                    with_payload=payload,
                    with_vectors=vectors,
                )
            for record in records:
                yield str(record.id), record.payload or {}, cast("list[float]", record.vector or [])
            if offset is None:
                return

"""A project's points in Qdrant: search, and what keeps them like SQLite."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeVar, cast
from uuid import UUID

from cognitive_memory.core.arrays import FloatArray
from cognitive_memory.core.memory import Memory
from cognitive_memory.core.recall import EVERYTHING, RecallFilter
from cognitive_memory.qdrant import points
from cognitive_memory.qdrant.client import QdrantClient, is_missing, models, open_client, talking
from cognitive_memory.qdrant.collection import (
    PREFIX,
    collection_name,
    conditions,
    ensure_collection,
    project_filter,
)
from cognitive_memory.qdrant.errors import QdrantUnreachableError
from cognitive_memory.qdrant.settings import QdrantSettings
from cognitive_memory.storage.replication import Stamp

T = TypeVar("T")

PAGE = 1000
"""Points in one answer of a scroll."""
OVERSAMPLING = 3.0
"""How many times more candidates than asked for are scored again with full vectors, as Qdrant
advises for int8.
"""


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found.

    Attributes:
        nearest: ids of memories with their cosine, best first.
        whole: the stamp up to which every point is there; None if that is not known.
    """

    nearest: list[tuple[str, float]]
    whole: Stamp | None


class QdrantIndex:
    """The points of one project and one embedding space. A context manager that closes.

    Where there are several nodes, each request goes to the one that answered last; the next one is
    asked when it does not.

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
        self._nodes = [(node, open_client(node)) for node in settings.nodes]

    def close(self) -> None:
        """Close the connections."""
        for _, client in self._nodes:
            client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def exists(self) -> bool:
        """Whether there is a collection for the embedding space."""
        return self._ask(lambda client: client.collection_exists(self.collection))

    def prepare(self, dimension: int) -> None:
        """Make the collection if need be."""
        self._ask(lambda client: ensure_collection(client, self._space, dimension), writes=True)

    def count(self) -> int:
        """How many points the project has; 0 without a collection."""
        return self._count(self.collection) if self.exists() else 0

    def search(self, vector: FloatArray, *, limit: int, wanted: RecallFilter = EVERYTHING) -> Found:
        """The memories nearest to a vector, and up to where the points are those of the database: one request.

        Args:
            vector: of unit length, shape (dimension,).
            limit: how many at most.
            wanted: which may answer.
        """
        again = models.QuantizationSearchParams(rescore=True, oversampling=OVERSAMPLING)
        nearest = models.QueryRequest(
            query=models.NearestQuery(nearest=vector.tolist()),
            filter=project_filter(self._project_id, *conditions(wanted)),
            limit=limit,
            # Local mode is exact, and says so each time when it gets these.
            params=models.SearchParams(quantization=again) if self.settings.urls else None,
            with_payload=False,
        )

        def both(client: QdrantClient) -> Found:
            try:
                near, whole = client.query_batch_points(
                    self.collection, [nearest, self._newest(skipped=points.BATCH)]
                )
            except Exception as error:
                if is_missing(error):
                    return Found([], None)
                raise
            return Found([(str(point.id), point.score) for point in near.points], _stamp(whole))

        return self._ask(both)

    def newest(self) -> tuple[Stamp | None, Stamp | None]:
        """The highest stamp of the project's points, and the one up to which every point is there.

        None if there is no such point.
        """
        if not self.exists():
            return None, None
        wanted = [self._newest(skipped=0), self._newest(skipped=points.BATCH)]
        newest, whole = self._ask(lambda client: client.query_batch_points(self.collection, wanted))
        return _stamp(newest), _stamp(whole)

    def stamps(self, *, after: Stamp | None = None) -> dict[str, Stamp]:
        """Stamps of the project's points by id; of all, or of one position or later."""
        later = []
        if after is not None:
            # Qdrant's ranges are of 64-bit floats, which do not have every integer.
            at_least = math.nextafter(after.position, 0)
            later = [models.FieldCondition(key="position", range=models.Range(gte=at_least))]
        return {
            str(record.id): points.stamp_of(record.payload or {})
            for record in self._scroll(*later, with_payload=points.STAMP)
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
        whole = models.Batch(ids=ids, vectors=vectors, payloads=contents)
        self._ask(lambda client: client.upsert(self.collection, whole, wait=True), writes=True)

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
        found = self._ask(lambda client: client.get_collections()).collections
        dropped = {}
        for name in sorted(item.name for item in found):
            if name == self.collection or (every_model and name.startswith(PREFIX)):
                dropped[name] = self._count(name)
                self._delete(name)
        return dropped

    def _ask(self, request: Callable[[QdrantClient], T], *, writes: bool = False) -> T:
        """What the first node that answers says; requests can be repeated."""
        for left in reversed(range(len(self._nodes))):
            node, client = self._nodes[0]
            try:
                with talking(node, writes=writes):
                    return request(client)
            except QdrantUnreachableError:
                if not left:
                    raise
                self._nodes = [*self._nodes[1:], self._nodes[0]]
        raise AssertionError

    def _newest(self, *, skipped: int) -> models.QueryRequest:
        """The query for the point with the highest stamp, after some that are skipped.

        A push writes in the order of stamps, a batch a request. Of a batch that is under way, or
        was cut off, any points may be there: all those before it are.
        """
        order = models.OrderBy(key="position", direction=models.Direction.DESC)
        return models.QueryRequest(
            query=models.OrderByQuery(order_by=order),
            filter=project_filter(self._project_id),
            offset=skipped,
            limit=1,
            with_payload=points.STAMP,
        )

    def _count(self, collection: str) -> int:
        wanted = project_filter(self._project_id)
        return self._ask(
            lambda client: client.count(collection, count_filter=wanted, exact=True).count
        )

    def _delete(self, collection: str, *which: models.Condition) -> None:
        selector = models.FilterSelector(filter=project_filter(self._project_id, *which))
        self._ask(
            lambda client: client.delete(collection, points_selector=selector, wait=True),
            writes=True,
        )

    def _scroll(self, *which: models.Condition, **content: Any) -> Iterator[models.Record]:
        """The project's points that meet conditions, with what `content` says of them."""
        wanted = project_filter(self._project_id, *which)
        more, offset = self.exists(), None

        def page(client: QdrantClient) -> tuple[list[models.Record], Any]:
            return client.scroll(
                self.collection, scroll_filter=wanted, limit=PAGE, offset=offset, **content
            )

        while more:
            records, offset = self._ask(page)
            yield from records
            more = offset is not None


def _stamp(answer: models.QueryResponse) -> Stamp | None:
    return next((points.stamp_of(point.payload or {}) for point in answer.points), None)

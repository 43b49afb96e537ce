"""A project's points in Qdrant: search, and what keeps them like SQLite."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from cognitive_memory.core.arrays import FloatArray
from cognitive_memory.core.memory import Memory
from cognitive_memory.core.recall import EVERYTHING, RecallFilter
from cognitive_memory.qdrant import points
from cognitive_memory.qdrant.collection import (
    INDEXES,
    PREFIX,
    collection_name,
    conditions,
    layout,
    project_filter,
)
from cognitive_memory.qdrant.errors import QdrantError, QdrantMissingError, QdrantUnreachableError
from cognitive_memory.qdrant.node import Node, Request
from cognitive_memory.qdrant.settings import QdrantSettings
from cognitive_memory.storage.replication import Stamp

T = TypeVar("T")

PAGE = 1000
"""Points in one answer of a scroll."""
OVERSAMPLING = 3.0
"""How many times more candidates than asked for are scored again with full vectors, as Qdrant
advises for int8.
"""


COLLECTIONS: Request[list[str]] = Request(
    "GET", "/collections", lambda result: [each["name"] for each in result["collections"]]
)
"""For the names of all collections."""


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
        QdrantError: as `Node`. All methods raise it when Qdrant can't be reached, refuses or fails.
    """

    def __init__(self, settings: QdrantSettings, *, project_id: str, space: str) -> None:
        self.settings = settings
        self.collection = collection_name(space)
        self._project_id = project_id
        self._space = space
        self._nodes = [Node(node) for node in settings.nodes]

    def close(self) -> None:
        """Close the connections."""
        for node in self._nodes:
            node.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def prepare(self, dimension: int) -> None:
        """Make the collection and its indexes if they are not there.

        A repeat after a kill completes them.
        """
        path = f"/collections/{self.collection}"
        exists = Request("GET", f"{path}/exists", lambda result: bool(result["exists"]))
        if not self._ask(exists):
            try:
                self._ask(_change("PUT", path, layout(self._space, dimension)))
            except QdrantError:  # another process has just made it
                if not self._ask(exists):
                    raise
        for field, index in INDEXES.items():
            body = {"field_name": field, "field_schema": index}
            self._ask(_change("PUT", f"{path}/index?wait=true", body))

    def count(self) -> int:
        """How many points the project has; 0 without a collection."""
        with suppress(QdrantMissingError):
            return self._count(self.collection)
        return 0

    def search(self, vector: FloatArray, *, limit: int, wanted: RecallFilter = EVERYTHING) -> Found:
        """The memories nearest to a vector, and up to where the points are those of the database: one request.

        Args:
            vector: of unit length, shape (dimension,).
            limit: how many at most.
            wanted: which may answer.
        """
        nearest = {
            "query": vector.tolist(),
            "filter": project_filter(self._project_id, *conditions(wanted)),
            "limit": limit,
            "params": {"quantization": {"rescore": True, "oversampling": OVERSAMPLING}},
        }

        def read(result: Any) -> Found:
            near, whole = result
            return Found([(point["id"], point["score"]) for point in near["points"]], _stamp(whole))

        with suppress(QdrantMissingError):
            return self._ask(self._queries(nearest, self._newest(skipped=points.BATCH), read=read))
        return Found([], None)

    def newest(self) -> tuple[Stamp | None, Stamp | None]:
        """The highest stamp of the project's points, and the one up to which every point is there.

        None if there is no such point.
        """

        def read(result: Any) -> tuple[Stamp | None, Stamp | None]:
            newest, whole = result
            return _stamp(newest), _stamp(whole)

        wanted = [self._newest(skipped=skipped) for skipped in (0, points.BATCH)]
        with suppress(QdrantMissingError):
            return self._ask(self._queries(*wanted, read=read))
        return None, None

    def stamps(self, *, after: Stamp | None = None) -> dict[str, Stamp]:
        """Stamps of the project's points by id; of all, or of one position or later."""
        later = []
        if after is not None:
            # Qdrant's ranges are of 64-bit floats, which do not have every integer.
            at_least = math.nextafter(after.position, 0)
            later = [{"key": "position", "range": {"gte": at_least}}]

        def read(point: Any) -> tuple[str, Stamp]:
            return point["id"], points.stamp_of(point["payload"])

        return dict(self._scroll(read, *later, with_payload=points.STAMP))

    def lines(self) -> Iterator[str]:
        """All memories of the project, as they are in Qdrant, with their vectors, as lines of an export."""

        def read(point: Any) -> str:
            return points.line_of(point["payload"], space=self._space, vector=point["vector"])

        return self._scroll(read, with_payload=True, with_vector=True)

    def upsert(self, batch: Mapping[Stamp, tuple[Memory, bytes]]) -> None:
        """Write memories and their vectors as points; on return they are on the server's disk."""
        import numpy as np
        import pydantic_core

        contents = [
            points.payload(memory, project_id=self._project_id, stamp=stamp)
            for stamp, (memory, _) in batch.items()
        ]
        vectors = [np.frombuffer(vector, "<f4").tolist() for _, vector in batch.values()]
        ids = [memory.id for memory, _ in batch.values()]
        body = {"batch": {"ids": ids, "vectors": vectors, "payloads": contents}}
        # Ten times as fast as `json`: a batch is 98,304 numbers.
        content = pydantic_core.to_json(body)
        self._ask(_change("PUT", f"{_points(self.collection)}?wait=true", content))

    def delete(self, ids: Sequence[str]) -> None:
        """Remove points of the project by their ids."""
        self._delete(self.collection, {"has_id": [*ids]})

    def delete_keys(self, keys: Sequence[int]) -> None:
        """Remove points of the project by the keys that their memories had in the database that pushed them."""
        self._delete(self.collection, {"key": "key", "match": {"any": [*keys]}})

    def drop(self, *, every_model: bool = False) -> dict[str, int]:
        """Remove all points of the project, also those of other models if `every_model`.

        Returns:
            How many were in each collection.
        """
        names = self._ask(COLLECTIONS)
        dropped = {}
        for name in sorted(names):
            if name == self.collection or (every_model and name.startswith(PREFIX)):
                dropped[name] = self._count(name)
                self._delete(name)
        return dropped

    def _ask(self, request: Request[T]) -> T:
        """What the first node that answers says; requests can be repeated."""
        for left in reversed(range(len(self._nodes))):
            try:
                return self._nodes[0].answer(request)
            except QdrantUnreachableError:
                if not left:
                    raise
                self._nodes = [*self._nodes[1:], self._nodes[0]]
        raise AssertionError

    def _queries(self, *queries: Mapping[str, Any], read: Callable[[Any], T]) -> Request[T]:
        """Several queries in one request."""
        path = f"{_points(self.collection)}/query/batch"
        return Request("POST", path, read, {"searches": queries})

    def _newest(self, *, skipped: int) -> dict[str, Any]:
        """The query for the point with the highest stamp, after some that are skipped.

        A push writes in the order of stamps, a batch a request. Of a batch that is under way, or
        was cut off, any points may be there: all those before it are.
        """
        return {
            "query": {"order_by": {"key": "position", "direction": "desc"}},
            "filter": project_filter(self._project_id),
            "offset": skipped,
            "limit": 1,
            "with_payload": points.STAMP,
        }

    def _count(self, collection: str) -> int:
        body = {"filter": project_filter(self._project_id), "exact": True}
        path = f"{_points(collection)}/count"
        return self._ask(Request("POST", path, lambda result: int(result["count"]), body))

    def _delete(self, collection: str, *which: Mapping[str, Any]) -> None:
        body = {"filter": project_filter(self._project_id, *which)}
        self._ask(_change("POST", f"{_points(collection)}/delete?wait=true", body))

    def _scroll(
        self, read: Callable[[Any], T], *which: Mapping[str, Any], **content: Any
    ) -> Iterator[T]:
        """What is read of the project's points that meet conditions, with what `content` says of them."""

        def page(result: Any) -> tuple[list[T], Any]:
            return list(map(read, result["points"])), result["next_page_offset"]

        body = {"filter": project_filter(self._project_id, *which), "limit": PAGE, **content}
        with suppress(QdrantMissingError):
            while True:
                path = f"{_points(self.collection)}/scroll"
                found, body["offset"] = self._ask(Request("POST", path, page, body))
                yield from found
                if body["offset"] is None:
                    return


def _points(collection: str) -> str:
    return f"/collections/{collection}/points"


def _change(method: str, path: str, body: object) -> Request[None]:
    return Request(method, path, lambda _: None, body, writes=True)


def _stamp(answer: Mapping[str, Any]) -> Stamp | None:
    return next((points.stamp_of(point["payload"]) for point in answer["points"]), None)

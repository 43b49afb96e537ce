"""Makes a project's points in Qdrant what SQLite says, and on a new machine SQLite what Qdrant has.

Nothing is recorded of what was pushed but Qdrant itself: points carry the revision of their memory and are written in
the order of revisions, after what was deleted is gone. So the highest revision there tells from where to go on, also
after a kill. When that point is not of this database's history (a restored backup), all points are compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from cognitive_memory.core.reports import ImportReport
from cognitive_memory.qdrant.errors import QdrantOwnerError
from cognitive_memory.qdrant.index import QdrantIndex, Upsert
from cognitive_memory.qdrant.points import Stamp
from cognitive_memory.storage.replication import Held, ReplicaSource

BATCH = 256
"""Points in one request: about a megabyte of JSON, small beside Qdrant's limit of 32."""

Progress = Callable[[int, int], None]
"""Called with how many points are written and how many there are to write."""
_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class PushReport:
    """What a push did.

    Attributes:
        written: points that were new or other than here.
        removed: points whose memories are gone.
        total: points that the project has now.
        compared: whether all points were compared, not only what has changed since the last push.
    """

    written: int
    removed: int
    total: int
    compared: bool


@dataclass(frozen=True, slots=True)
class Difference:
    """What distinguishes Qdrant from SQLite, as ids.

    Attributes:
        missing: only in SQLite.
        stale: in both, but Qdrant has an older or other state.
        extra: only in Qdrant.
        foreign: points that another database has pushed; they are counted in none of the others.
    """

    missing: tuple[str, ...]
    stale: tuple[str, ...]
    extra: tuple[str, ...]
    foreign: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether there is none."""
        return not (self.missing or self.stale or self.extra or self.foreign)


def push(
    source: ReplicaSource,
    index: QdrantIndex,
    *,
    full: bool = False,
    take_over: bool = False,
    progress: Progress | None = None,
) -> PushReport:
    """Write what has changed in SQLite since the last push.

    Args:
        source: the database.
        index: the project's points.
        full: compare all points instead.
        take_over: make points that another database has pushed this one's; what it has and this one has not is removed.
        progress: told after each request.

    Raises:
        QdrantOwnerError: another database has pushed this project's points, and `take_over` was not said.
        QdrantError: Qdrant can't be reached, refuses or fails; what was written stays, and a repeat goes on from there.
    """
    dimension = source.dimension()
    if dimension is not None:
        index.prepare(dimension)
    newest = index.newest()
    if newest is not None and newest.owner != source.owner() and not take_over:
        raise QdrantOwnerError(index.settings.place, _FOREIGN)
    changes = None if full or take_over else _since(source, newest)
    if changes is None:
        todo, removed = _compare(source, index)
    else:
        there = index.stamps(since=newest.revision) if newest else {}
        todo = [item for item in changes.held if there.get(item.id) != _stamp(item, source.owner())]
        before = index.count() if changes.gone else 0
        for keys in _batches(changes.gone, BATCH):
            index.delete_keys(keys)
        removed = before - index.count() if changes.gone else 0
    written = _write(source, index, todo, progress)
    return PushReport(
        written=written, removed=removed, total=index.count(), compared=changes is None
    )


def pull(index: QdrantIndex, take: Callable[[Iterable[str]], ImportReport]) -> ImportReport:
    """Bring the project's memories from Qdrant here, with their vectors; what is newer here stays.

    Args:
        index: the project's points.
        take: what imports lines of the exchange format: `ProjectMemory.import_lines`.

    Raises:
        QdrantError: Qdrant can't be reached, refuses or fails; a repeat goes on.
    """
    return take(index.lines())


def difference(here: Iterable[Held], there: dict[str, Stamp], owner: str) -> Difference:
    """Compare what SQLite holds with the stamps of Qdrant's points. Pure."""
    ours = {item.id: item for item in here}
    foreign = tuple(point for point, stamp in there.items() if stamp.owner != owner)
    left = {point: stamp for point, stamp in there.items() if stamp.owner == owner}
    return Difference(
        missing=tuple(memory for memory in ours if memory not in there),
        stale=tuple(
            memory
            for memory, item in ours.items()
            if memory in left and left[memory] != _stamp(item, owner)
        ),
        extra=tuple(point for point in left if point not in ours),
        foreign=foreign,
    )


def verify(source: ReplicaSource, index: QdrantIndex) -> Difference:
    """Compare every memory that has a vector with its point.

    Raises:
        QdrantError: Qdrant can't be reached, refuses or fails.
    """
    return difference(source.held(), index.stamps(), source.owner())


_FOREIGN = (
    "another database has pushed this project's vectors (another machine's, or one that is gone): "
    "'heimdall qdrant pull' brings its memories here, then 'heimdall qdrant push --take-over' makes this one the owner"
)


@dataclass(frozen=True, slots=True)
class _Changes:
    held: list[Held]
    gone: list[int]


def _since(source: ReplicaSource, newest: Stamp | None) -> _Changes | None:
    """What changed in SQLite since the state of the newest point; None if SQLite has never been in that state."""
    if newest is None:
        return _Changes(source.held(), [])
    gone = source.gone(newest.revision)
    if gone is None:
        return None
    held = source.held(since=newest.revision)
    mine = next((item for item in held if item.key == newest.key), None)
    same = mine is not None and (
        mine.revision > newest.revision or mine.content_hash == newest.content_hash
    )
    return _Changes(held, gone) if same or newest.key in gone else None


def _compare(source: ReplicaSource, index: QdrantIndex) -> tuple[list[Held], int]:
    """What is to be written after comparing all points; what is not here is removed. Also how many were."""
    here = source.held()
    found = difference(here, index.stamps(), source.owner())
    ours = {item.id for item in here}
    extra = [*found.extra, *(point for point in found.foreign if point not in ours)]
    for ids in _batches(extra, BATCH):
        index.delete(ids)
    wanted = {*found.missing, *found.stale, *found.foreign}
    return [item for item in here if item.id in wanted], len(extra)


def _stamp(item: Held, owner: str) -> Stamp:
    return Stamp(owner=owner, key=item.key, revision=item.revision, content_hash=item.content_hash)


def _write(
    source: ReplicaSource, index: QdrantIndex, todo: Sequence[Held], progress: Progress | None
) -> int:
    import numpy as np

    owner, written = source.owner(), 0
    for batch in _batches(todo, BATCH):
        replicas = source.replicas([item.key for item in batch])
        # The stamp says the revision that was listed, even if the memory has changed since: the next push sees that.
        index.upsert(
            [
                Upsert(
                    memory=replicas[item.key].memory,
                    vector=np.frombuffer(replicas[item.key].vector, dtype="<f4"),
                    stamp=_stamp(item, owner),
                )
                for item in batch
                if item.key in replicas
            ]
        )
        written += len(batch)
        if progress is not None:
            progress(written, len(todo))
    return written


def _batches(items: Iterable[_Item], size: int) -> Iterator[list[_Item]]:
    source = iter(items)
    while batch := list(islice(source, size)):
        yield batch

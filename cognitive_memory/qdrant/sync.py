"""Makes a project's points in Qdrant what SQLite says, and on a new machine SQLite what Qdrant has.

Nothing is recorded of what was pushed but Qdrant itself: points carry revision and key of their
memory and are written in that order, after what was deleted is gone. So the highest ones there tell
from where to go on, also after a kill. When that point is not of this database's history (a restored
backup), or none tells its place in the order, all points are compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cognitive_memory.core.batches import batched
from cognitive_memory.core.reports import OnProgress
from cognitive_memory.qdrant import points
from cognitive_memory.qdrant.errors import QdrantOwnerError
from cognitive_memory.storage import replication
from cognitive_memory.storage.reading import Reader
from cognitive_memory.storage.replication import Stamp
from cognitive_memory.storage.store import MemoryStore

if TYPE_CHECKING:
    from cognitive_memory.qdrant.index import QdrantIndex


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
    store: MemoryStore,
    index: QdrantIndex,
    *,
    full: bool = False,
    take_over: bool = False,
    progress: OnProgress | None = None,
) -> PushReport:
    """Write what has changed in SQLite since the last push.

    Args:
        store: the database.
        index: the project's points.
        full: compare all points instead.
        take_over: make points that another database has pushed this one's; what it has and this one
            has not is removed.
        progress: told after each request how many points are written, and how many there are to
            write.

    Raises:
        QdrantOwnerError: another database has pushed this project's points, and `take_over` was not
            said.
        QdrantError: Qdrant can't be reached, refuses or fails; what was written stays, and a repeat
            goes on from there.
    """
    with store.reading() as reader:
        dimension, owner = replication.dimension(reader), replication.owner(reader)
    if dimension is not None:
        index.prepare(dimension)
    newest, whole = index.newest()
    if newest is not None and newest.owner != owner and not take_over:
        raise QdrantOwnerError(index.settings.place, _FOREIGN)
    changes = None
    if not (full or take_over or (newest is None and index.count())):
        with store.reading() as reader:
            changes = _since(reader, newest, whole)
    if changes is None:
        batches, removed = _compare(store, index, take_over=take_over or newest is not None)
    else:
        changed, gone = changes
        there = index.stamps(after=whole if whole and whole.owner == owner else None)
        # Cut before what is there is left out: a batch is then of neighbours, whatever was written of it.
        batches = [
            [stamp for memory_id, stamp in batch if there.get(memory_id) != stamp]
            for batch in batched(changed.items(), points.BATCH)
        ]
        before = index.count() if gone else 0
        for keys in batched(gone, points.BATCH):
            index.delete_keys(keys)
        removed = before - index.count() if gone else 0
    written = _write(store, index, batches, progress)
    return PushReport(
        written=written, removed=removed, total=index.count(), compared=changes is None
    )


def verify(store: MemoryStore, index: QdrantIndex) -> Difference:
    """Compare every memory that has a vector with its point.

    Raises:
        QdrantError: Qdrant can't be reached, refuses or fails.
    """
    with store.reading() as reader:
        here, owner = replication.stamps(reader), replication.owner(reader)
    return difference(here, index.stamps(), owner)


def difference(here: Mapping[str, Stamp], there: Mapping[str, Stamp], owner: str) -> Difference:
    """Compare the stamps of what SQLite holds with those of Qdrant's points, by id. Pure."""
    ours = {point: stamp for point, stamp in there.items() if stamp.owner == owner}
    return Difference(
        missing=tuple(memory for memory in here if memory not in there),
        stale=tuple(memory for memory in here if memory in ours and ours[memory] != here[memory]),
        extra=tuple(point for point in ours if point not in here),
        foreign=tuple(point for point in there if point not in ours),
    )


_FOREIGN = (
    "another database has pushed this project's vectors (another machine's, or one that is gone): "
    "'heimdall qdrant pull' brings its memories here, then 'heimdall qdrant push --take-over' makes this one the owner"
)


def _since(
    reader: Reader, newest: Stamp | None, whole: Stamp | None
) -> tuple[dict[str, Stamp], list[int]] | None:
    """What changed in SQLite since the state that the points are of.

    Args:
        reader: of the database.
        newest: the highest stamp of a point.
        whole: the stamp up to which every point is there.

    Returns:
        Stamps of what may be new or other, by id, and the keys of what is gone; None if SQLite has
        never been in that state.
    """
    if newest is None:
        return replication.stamps(reader), []
    gone = replication.gone(reader, newest.revision)
    if gone is None or not (newest.key in gone or replication.knows(reader, newest)):
        return None
    after = whole if whole and whole.owner == newest.owner else None
    return replication.stamps(reader, after=after), gone


def _compare(
    store: MemoryStore, index: QdrantIndex, *, take_over: bool
) -> tuple[list[list[Stamp]], int]:
    """What is to be written after comparing all points, in batches; what is not here is removed.

    Also how many were.

    Raises:
        QdrantOwnerError: there are another database's points, and they are not to be taken over.
    """
    with store.reading() as reader:
        here, owner = replication.stamps(reader), replication.owner(reader)
    unlike = difference(here, index.stamps(), owner)
    if unlike.foreign and not take_over:
        raise QdrantOwnerError(index.settings.place, _FOREIGN)
    extra = [*unlike.extra, *(point for point in unlike.foreign if point not in here)]
    for ids in batched(extra, points.BATCH):
        index.delete(ids)
    wanted = {*unlike.missing, *unlike.stale, *unlike.foreign}
    todo = [stamp for memory, stamp in here.items() if memory in wanted]
    return [*batched(todo, points.BATCH)], len(extra)


def _write(
    store: MemoryStore, index: QdrantIndex, batches: list[list[Stamp]], progress: OnProgress | None
) -> int:
    written, total = 0, sum(map(len, batches))
    for batch in filter(None, batches):
        with store.reading() as reader:
            replicas = replication.replicas(reader, [stamp.key for stamp in batch])
        # The stamp says the revision that was listed, even if the memory has changed since: the
        # next push sees that.
        if still := {stamp: replicas[stamp.key] for stamp in batch if stamp.key in replicas}:
            index.upsert(still)
        written += len(batch)
        if progress is not None:
            progress(written, total)
    return written

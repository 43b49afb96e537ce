"""Makes a project's points in Qdrant what SQLite says, and on a new machine SQLite what Qdrant has.

Nothing is recorded of what was pushed but Qdrant itself: points carry the revision of their memory
and are written in the order of revisions, after what was deleted is gone. So the highest revision
there tells from where to go on, also after a kill. When that point is not of this database's
history (a restored backup), all points are compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cognitive_memory.core.batches import batched
from cognitive_memory.core.reports import OnProgress
from cognitive_memory.qdrant.errors import QdrantOwnerError
from cognitive_memory.storage import replication
from cognitive_memory.storage.reading import Reader
from cognitive_memory.storage.replication import Stamp
from cognitive_memory.storage.store import MemoryStore

if TYPE_CHECKING:
    from cognitive_memory.qdrant.index import QdrantIndex

BATCH = 256
"""Points in one request: about a megabyte of JSON, small beside Qdrant's limit of 32."""


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
    newest = index.newest()
    if newest is not None and newest.owner != owner and not take_over:
        raise QdrantOwnerError(index.settings.place, _FOREIGN)
    changes = None
    if not (full or take_over):
        with store.reading() as reader:
            changes = _since(reader, newest)
    if changes is None:
        todo, removed = _compare(store, index)
    else:
        there = index.stamps(since=newest.revision) if newest else {}
        todo = [stamp for memory_id, stamp in changes[0].items() if there.get(memory_id) != stamp]
        before = index.count() if changes[1] else 0
        for keys in batched(changes[1], BATCH):
            index.delete_keys(keys)
        removed = before - index.count() if changes[1] else 0
    written = _write(store, index, todo, progress)
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


def _since(reader: Reader, newest: Stamp | None) -> tuple[dict[str, Stamp], list[int]] | None:
    """What changed in SQLite since the state of the newest point.

    Returns:
        Stamps of what is new or other, by id, and the keys of what is gone; None if SQLite has
        never been in that state.
    """
    if newest is None:
        return replication.stamps(reader), []
    gone = replication.gone(reader, newest.revision)
    if gone is None:
        return None
    changed = replication.stamps(reader, since=newest.revision)
    mine = next((stamp for stamp in changed.values() if stamp.key == newest.key), None)
    same = mine is not None and (
        mine.revision > newest.revision or mine.content_hash == newest.content_hash
    )
    return (changed, gone) if same or newest.key in gone else None


def _compare(store: MemoryStore, index: QdrantIndex) -> tuple[list[Stamp], int]:
    """What is to be written after comparing all points; what is not here is removed.

    Also how many were.
    """
    with store.reading() as reader:
        here, owner = replication.stamps(reader), replication.owner(reader)
    unlike = difference(here, index.stamps(), owner)
    extra = [*unlike.extra, *(point for point in unlike.foreign if point not in here)]
    for ids in batched(extra, BATCH):
        index.delete(ids)
    wanted = {*unlike.missing, *unlike.stale, *unlike.foreign}
    return [stamp for memory, stamp in here.items() if memory in wanted], len(extra)


def _write(
    store: MemoryStore, index: QdrantIndex, todo: list[Stamp], progress: OnProgress | None
) -> int:
    written = 0
    for batch in batched(todo, BATCH):
        with store.reading() as reader:
            replicas = replication.replicas(reader, [stamp.key for stamp in batch])
        # The stamp says the revision that was listed, even if the memory has changed since: the
        # next push sees that.
        index.upsert({stamp: replicas[stamp.key] for stamp in batch if stamp.key in replicas})
        written += len(batch)
        if progress is not None:
            progress(written, len(todo))
    return written

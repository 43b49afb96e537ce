from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cognitive_memory.core.memory import Memory, NewMemory
from cognitive_memory.project_memory import ProjectMemory
from cognitive_memory.qdrant import points, sync
from cognitive_memory.qdrant.collection import layout
from cognitive_memory.qdrant.errors import QdrantOwnerError
from cognitive_memory.qdrant.index import Found, QdrantIndex
from cognitive_memory.qdrant.node import Node, Request
from cognitive_memory.qdrant.settings import QdrantSettings
from cognitive_memory.storage import replication
from cognitive_memory.storage.backup import back_up
from cognitive_memory.storage.replication import Stamp
from tests.support.plain_embedder import PlainEmbedder


def push(
    memory: ProjectMemory, index: QdrantIndex, *, full: bool = False, take_over: bool = False
) -> sync.PushReport:
    return sync.push(memory.storage, index, full=full, take_over=take_over)


def verify(memory: ProjectMemory, index: QdrantIndex) -> sync.Difference:
    return sync.verify(memory.storage, index)


def store(memory: ProjectMemory, *texts: str) -> list[str]:
    return [memory.store(NewMemory(text=text)).id for text in texts]


def test_the_life_of_a_copy(memory: ProjectMemory, index: QdrantIndex) -> None:
    one, two, three = store(memory, "one", "two", "three")
    assert index.count() == 0
    assert verify(memory, index).missing == (one, two, three)
    assert push(memory, index) == sync.PushReport(written=3, removed=0, total=3, compared=False)
    assert verify(memory, index).same
    assert push(memory, index) == sync.PushReport(written=0, removed=0, total=3, compared=False)

    memory.update(two, text="two, changed")
    memory.update(three, tags=("later",))
    memory.delete([one])
    found = verify(memory, index)
    assert (set(found.stale), found.extra) == ({two, three}, (one,))
    assert push(memory, index) == sync.PushReport(written=2, removed=1, total=2, compared=False)
    assert verify(memory, index).same

    assert index.drop() == {index.collection: 2}
    assert index.count() == 0
    assert push(memory, index).written == 2


def test_a_collection_may_be_there_before_the_first_push(
    memory: ProjectMemory, index: QdrantIndex, settings: QdrantSettings, embedder: PlainEmbedder
) -> None:
    wanted = layout(str(embedder.embedding_space()), embedder.dimension)
    with closing(Node(settings.nodes[0])) as node:
        node.answer(Request("PUT", f"/collections/{index.collection}", bool, wanted, writes=True))
    store(memory, "one")
    assert index.search(memory_vector(memory), limit=1) == Found([], None)
    assert push(memory, index) == sync.PushReport(written=1, removed=0, total=1, compared=False)


def test_what_came_in_one_transaction_is_written_once(
    memory: ProjectMemory, index: QdrantIndex
) -> None:
    memory.store_many(NewMemory(text=f"text {number}") for number in range(20))
    assert push(memory, index).written == 20
    assert push(memory, index).written == 0


def test_a_memory_without_a_vector_is_not_there(
    memory: ProjectMemory, index: QdrantIndex, embedder: PlainEmbedder
) -> None:
    (one,) = store(memory, "one")
    push(memory, index)
    memory.update(one, text="unreadable")
    assert push(memory, index) == sync.PushReport(written=0, removed=1, total=0, compared=False)
    embedder.here = False
    store(memory, "pending")
    assert push(memory, index).written == 0
    memory.embed_pending()
    assert push(memory, index).written == 1


def test_an_interrupted_push_goes_on(
    memory: ProjectMemory, index: QdrantIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(points, "BATCH", 2)
    doomed = store(memory, "doomed")
    push(memory, index)
    memory.delete(doomed)
    store(memory, *(f"text {number}" for number in range(7)))

    class CutError(Exception):
        pass

    def cut(done: int, _total: int) -> None:
        if done >= 4:
            raise CutError

    with pytest.raises(CutError):
        sync.push(memory.storage, index, progress=cut)
    assert index.count() == 4
    again = push(memory, index)
    assert (again.written, again.total, again.compared) == (3, 7, False)
    assert verify(memory, index).same


def test_projects_do_not_see_one_another(
    memory: ProjectMemory,
    index: QdrantIndex,
    settings: QdrantSettings,
    embedder: PlainEmbedder,
    tmp_path: Path,
) -> None:
    store(memory, "mine")
    push(memory, index)
    index.close()
    with embedder.open(tmp_path / "other.db") as other:
        space = embedder.embedding_space()
        assert space
        with QdrantIndex(settings, project_id=other.project_id, space=space) as theirs:
            (id_,) = store(other, "theirs")
            push(other, theirs)
            found = theirs.search(embedder.embed(["mine"])[0], limit=10).nearest
            assert [memory_id for memory_id, _ in found] == [id_]
            theirs.drop()
        with QdrantIndex(settings, project_id=memory.project_id, space=space) as mine:
            assert mine.count() == 1


def test_a_restored_backup_is_compared(
    memory: ProjectMemory, index: QdrantIndex, embedder: PlainEmbedder
) -> None:
    _kept, lost = store(memory, "kept", "lost")
    push(memory, index)
    backup = memory.database.with_name("backup.db")
    back_up(memory.database, backup)
    memory.delete([lost])
    store(memory, "after")
    push(memory, index)
    with embedder.open(backup) as restored:
        report = push(restored, index)
        assert report.compared
        assert (report.written, report.removed, report.total) == (1, 1, 2)
        assert verify(restored, index).same


def test_a_forgotten_past_is_compared(
    memory: ProjectMemory, index: QdrantIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    (first,) = store(memory, "first")
    push(memory, index)
    memory.delete([first])
    monkeypatch.setattr(replication, "gone", lambda _reader, _since: None)
    report = sync.push(memory.storage, index)
    assert (report.compared, report.removed, report.total) == (True, 1, 0)


def test_another_machine_brings_the_memories_and_takes_over(
    memory: ProjectMemory, index: QdrantIndex, embedder: PlainEmbedder, tmp_path: Path
) -> None:
    memory.store(
        NewMemory(
            text="ü",
            tags=("a", "b"),
            source="docs/x.md",
            context="Title",
            pinned=True,
            metadata={"n": [1]},
        )
    )
    push(memory, index)
    embedder.here = False
    with ProjectMemory.open(tmp_path / "new.db", project_id=memory.project_id) as _:
        pass
    with embedder.open(tmp_path / "new.db") as new:
        assert new.project_id == memory.project_id
        report = new.import_lines(index.lines(), own=True)
        assert (report.added, report.vectors) == (1, 1)
        assert new.import_lines(index.lines(), own=True).added == 0
        assert list(new.export_lines()) == list(memory.export_lines())
        store(new, "more")
        new.embed_pending()
        with pytest.raises(QdrantOwnerError, match="heimdall qdrant pull"):
            push(new, index)
        assert verify(new, index).foreign
        assert push(new, index, take_over=True).total == 2
        assert verify(new, index).same


def test_a_copied_folder_goes_on_where_it_was(
    memory: ProjectMemory, index: QdrantIndex, embedder: PlainEmbedder, tmp_path: Path
) -> None:
    store(memory, "one")
    push(memory, index)
    memory.close()
    moved = tmp_path / "moved"
    moved.mkdir()
    for file in memory.database.parent.glob("memory.db*"):
        shutil.copy(file, moved)
    with embedder.open(moved / "memory.db") as copy:
        assert push(copy, index) == sync.PushReport(written=0, removed=0, total=1, compared=False)


def test_full_finds_what_was_lost_over_there(
    memory: ProjectMemory, index: QdrantIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(points, "BATCH", 1)
    one, _two, _three = store(memory, "one", "two", "three")
    push(memory, index)
    index.delete([one])
    assert push(memory, index).written == 0
    assert verify(memory, index).missing == (one,)
    assert push(memory, index, full=True).written == 1
    assert verify(memory, index).same


def load(memory: ProjectMemory, count: int, name: str = "text") -> None:
    """Memories of one transaction: all have one revision."""
    memory.store_many(NewMemory(text=f"{name} {number}") for number in range(count))


def test_of_a_batch_that_was_cut_off_anything_may_be_missing(
    memory: ProjectMemory, index: QdrantIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a cluster, whose shards take their parts of a request one by one; and twice in a row."""
    monkeypatch.setattr(points, "BATCH", 4)
    store(memory, "before")
    load(memory, 14)
    whole = index.upsert
    kept = iter([slice(None), slice(None), slice(-1, None), slice(-1, None)])

    class CutError(Exception):
        pass

    def partly(batch: Mapping[Stamp, tuple[Memory, bytes]]) -> None:
        part = next(kept)
        whole(dict([*batch.items()][part]))
        if part != slice(None):
            raise CutError

    with monkeypatch.context() as patch:
        patch.setattr(index, "upsert", partly)
        for _ in range(2):
            with pytest.raises(CutError):
                push(memory, index)
    with memory.storage.reading() as reader:
        found = index.search(memory_vector(memory), limit=1)
        later = replication.keys_after(reader, found.whole, most=100)
        assert later is not None
        keys = {stamp.key for stamp in index.stamps().values()}
        assert {*later} | keys == {stamp.key for stamp in replication.stamps(reader).values()}
        assert len(later) < 15
    again = push(memory, index)
    assert not again.compared
    assert verify(memory, index).same


def memory_vector(memory: ProjectMemory) -> NDArray[np.float32]:
    with memory.storage.reading() as reader:
        return reader.vectors.since(None).matrix[0]


def test_points_that_tell_no_position_are_compared(
    memory: ProjectMemory, index: QdrantIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, two = store(memory, "one", "two")
    with monkeypatch.context() as patch:
        patch.setattr(points, "STAMP", [name for name in points.STAMP if name != "position"])
        push(memory, index)
    memory.delete([two])
    assert index.search(memory_vector(memory), limit=5).whole is None
    assert push(memory, index) == sync.PushReport(written=1, removed=1, total=1, compared=True)
    assert verify(memory, index).same


def test_anothers_points_without_position_are_not_taken(
    memory: ProjectMemory,
    index: QdrantIndex,
    embedder: PlainEmbedder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store(memory, "one")
    with monkeypatch.context() as patch:
        patch.setattr(points, "STAMP", [name for name in points.STAMP if name != "position"])
        push(memory, index)
    with ProjectMemory.open(tmp_path / "new.db", project_id=memory.project_id) as _:
        pass
    with embedder.open(tmp_path / "new.db") as new:
        store(new, "other")
        with pytest.raises(QdrantOwnerError):
            push(new, index)
    assert index.count() == 1


def test_difference_tells_each_point_once() -> None:
    here = {
        "same": Stamp("me", 1, 1, "aa"),
        "stale": Stamp("me", 2, 3, "bb"),
        "missing": Stamp("me", 3, 4, "cc"),
        "taken": Stamp("me", 4, 5, "dd"),
    }
    there = {
        "same": Stamp("me", 1, 1, "aa"),
        "stale": Stamp("me", 0, 2, "bb"),
        "extra": Stamp("me", 0, 9, "ee"),
        "taken": Stamp("you", 0, 5, "dd"),
    }
    found = sync.difference(here, there, "me")
    assert found == sync.Difference(
        missing=("missing",), stale=("stale",), extra=("extra",), foreign=("taken",)
    )
    assert not found.same

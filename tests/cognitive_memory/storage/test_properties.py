"""Filters against a naive reading of them, and followers of changes against the whole."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cognitive_memory.core.memory import Memory, MemoryType, NewMemory
from cognitive_memory.core.recall import RecallFilter
from cognitive_memory.project_memory import ProjectMemory
from cognitive_memory.storage import backup, writing
from cognitive_memory.storage.backup import back_up, problems_in
from cognitive_memory.storage.store import MemoryStore
from cognitive_memory.storage.vectors import Embedded, State
from tests.support.plain_embedder import PlainEmbedder
from tests.support.sources import replace_source

pytestmark = pytest.mark.slow

DAY = datetime(2026, 1, 1, tzinfo=UTC)
TAGS = st.sampled_from(["a", "b", "a b", "%", "ä"])
SOURCES = st.sampled_from(
    ["docs", "docs/a.md", "docs/b/c.md", "docs.md", "docs0", "src/a.py", "%", "/"]
)
MOMENTS = st.integers(0, 5).map(lambda days: DAY + timedelta(days=days))
MEMORIES = st.lists(
    st.builds(
        NewMemory,
        text=st.uuids().map(str),
        type=st.sampled_from(MemoryType),
        tags=st.lists(TAGS, max_size=3).map(tuple),
        source=st.none() | SOURCES,
        pinned=st.booleans(),
        created_at=MOMENTS,
    ),
    max_size=12,
)
FILTERS = st.builds(
    RecallFilter,
    types=st.frozensets(st.sampled_from(MemoryType), max_size=2),
    tags=st.frozensets(TAGS, max_size=2),
    sources=st.frozensets(SOURCES, max_size=2),
    since=st.none() | MOMENTS,
    until=st.none() | MOMENTS,
)


def passes(memory: Memory, wanted: RecallFilter, pinned: bool | None) -> bool:
    def below(source: str) -> bool:
        return memory.source is not None and (
            memory.source == source or memory.source.startswith(f"{source.rstrip('/')}/")
        )

    return all(
        (
            not wanted.types or memory.type in wanted.types,
            not wanted.tags or wanted.tags & set(memory.tags),
            not wanted.sources or any(map(below, wanted.sources)),
            wanted.since is None or memory.created_at >= wanted.since,
            wanted.until is None or memory.created_at < wanted.until,
            pinned is None or memory.pinned == pinned,
        )
    )


@settings(max_examples=50)
@given(MEMORIES, st.lists(st.tuples(FILTERS, st.none() | st.booleans()), min_size=4, max_size=8))
def test_filters_mean_what_they_say(
    memories: list[NewMemory], questions: list[tuple[RecallFilter, bool | None]]
) -> None:
    embedder = PlainEmbedder(here=False)
    with tempfile.TemporaryDirectory() as folder, embedder.open(Path(folder, "m.db")) as memory:
        memory.store_many(memories)
        everything = list(memory.memories(order="oldest"))
        for wanted, pinned in questions:
            expected = [item.id for item in everything if passes(item, wanted, pinned)]
            assert [
                item.id for item in memory.memories(wanted, order="oldest", pinned=pinned)
            ] == expected


class Follower:
    """An index that only ever asks for what is new."""

    def __init__(self) -> None:
        self.state: State | None = None
        self.vectors: dict[int, bytes] = {}
        self.everything = 0

    def follow(self, store: MemoryStore) -> None:
        with store.reading() as reader:
            news = reader.vectors.since(self.state)
        if news.gone is None:
            self.vectors.clear()
            self.everything += 1
        else:
            for key in news.gone.tolist():
                self.vectors.pop(key, None)
        self.vectors.update(
            {key: row.tobytes() for key, row in zip(news.keys.tolist(), news.matrix, strict=True)}
        )
        self.state = news.state


def whole(store: MemoryStore) -> dict[int, bytes]:
    with store.reading() as reader:
        news = reader.vectors.since(None)
    return {key: row.tobytes() for key, row in zip(news.keys.tolist(), news.matrix, strict=True)}


STEPS: dict[str, Callable[[ProjectMemory, PlainEmbedder, int], object]] = {
    "store": lambda memory, _, number: memory.store(
        NewMemory(text=f"text {number % 7}", source=f"{number % 3}")
    ),
    "leave": lambda memory, _, number: memory.store(NewMemory(text=f"later {number}"), embed=False),
    "reword": lambda memory, _, number: [
        memory.update(item.id, text=f"new {number}") for item in memory.memories(limit=1)
    ],
    "retag": lambda memory, _, number: [
        memory.update(item.id, tags=[f"{number}"])
        for item in memory.memories(limit=2, order="oldest")
    ],
    "delete": lambda memory, *_: memory.delete(
        item.id for item in memory.memories(limit=1, order="changed")
    ),
    "replace": lambda memory, _, number: replace_source(
        memory, "1", [NewMemory(text=f"text {number % 7}")]
    ),
    "embed": lambda memory, *_: memory.embed_pending(),
    "restore": lambda memory, *_: restored(memory),
}


def restored(memory: ProjectMemory) -> None:
    saved = memory.database.with_name("saved")
    if saved.exists():
        backup.restore(saved, memory.database, force=True)
    else:
        back_up(memory.database, saved)


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.sampled_from(sorted(STEPS)), st.integers(0, 9), st.booleans()), max_size=25
    )
)
def test_followers_of_changes_have_the_whole(steps: list[tuple[str, int, bool]]) -> None:
    embedder = PlainEmbedder()
    with tempfile.TemporaryDirectory() as folder, embedder.open(Path(folder, "m.db")) as memory:
        with closing(
            MemoryStore(memory.database, embedding_space=embedder.embedding_space)
        ) as store:
            steady, lazy = Follower(), Follower()
            for name, number, looks in steps:
                STEPS[name](memory, embedder, number)
                steady.follow(store)
                if looks:
                    lazy.follow(store)
                assert steady.vectors == whole(store)
            lazy.follow(store)
            assert lazy.vectors == whole(store)
        assert problems_in(memory.database) == []


def test_long_forgotten_deletions_are_made_up_for(
    memory: ProjectMemory, embedder: PlainEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "REMEMBERED_REVISIONS", 3)
    with closing(MemoryStore(memory.database, embedding_space=embedder.embedding_space)) as store:
        memory.store(NewMemory(text="stays"))
        follower = Follower()
        follower.follow(store)
        gone = memory.store(NewMemory(text="gone")).id
        follower.follow(store)
        memory.delete([gone])
        for number in range(5):
            memory.delete([memory.store(NewMemory(text=f"{number}")).id])
        follower.follow(store)
        assert follower.vectors == whole(store)
        assert len(follower.vectors) == 1
        assert follower.everything == 2


def test_vectors_of_another_model_are_never_among_ours(
    memory: ProjectMemory, embedder: PlainEmbedder
) -> None:
    memory.store_many([NewMemory(text="a"), NewMemory(text="b")])
    with closing(MemoryStore(memory.database, embedding_space=embedder.embedding_space)) as store:
        follower = Follower()
        follower.follow(store)
        assert len(follower.vectors) == 2
        with PlainEmbedder(name="another/1").open(memory.database) as other:
            other.embed_pending()
        follower.follow(store)
        assert follower.vectors == {}
        with (
            store.writing() as writer,
            pytest.raises(ValueError, match=r"a vector of plain/1 has 32 bytes here, got one of 4"),
        ):
            writer.write_vectors([Embedded(1, b"", np.ones(1, "<f4").tobytes())], 1)


def test_asking_for_changes_does_not_read_everything(memory: ProjectMemory) -> None:
    memory.store_many(NewMemory(text=f"{number}") for number in range(1000))
    with memory.storage.reading() as reader:
        state = reader.vectors.since(None).state
    memory.store(NewMemory(text="one more"))
    hundreds_of_steps: list[None] = []
    with memory.storage.reading() as reader:
        reader.connection.set_progress_handler(lambda: hundreds_of_steps.append(None), 100)
        changes = reader.vectors.since(state)
        reader.connection.set_progress_handler(None, 0)
    assert len(changes.keys) == 1
    assert len(hundreds_of_steps) < 10  # each row that is looked at takes several steps

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cognitive_memory.core.memory import MemoryType, NewMemory
from cognitive_memory.core.recall import RecallFilter
from cognitive_memory.project_memory import ProjectMemory
from cognitive_memory.qdrant import sync
from cognitive_memory.qdrant.index import QdrantIndex
from cognitive_memory.qdrant.points import folders
from tests.support.plain_embedder import PlainEmbedder

START = datetime(2026, 1, 1, tzinfo=UTC)
TIMES = st.integers(0, 5).map(lambda number: START + timedelta(microseconds=number))
SOURCES = st.sampled_from(["docs", "docs/", "docs/a", "docs/a/b.md", "docsx", "/abs/x", "d"])
MEMORIES = st.builds(
    NewMemory,
    text=st.text("abc", min_size=1, max_size=3),
    type=st.sampled_from(MemoryType),
    tags=st.lists(st.sampled_from("xyz"), max_size=2).map(tuple),
    source=st.none() | SOURCES,
    created_at=TIMES,
    id=st.uuids(version=4).map(str),
)
FILTERS = st.builds(
    RecallFilter,
    types=st.frozensets(st.sampled_from(MemoryType), max_size=2),
    tags=st.frozensets(st.sampled_from("xyz"), max_size=2),
    sources=st.frozensets(SOURCES | st.just("/"), max_size=2),
    since=st.none() | TIMES,
    until=st.none() | TIMES,
)


@pytest.mark.slow
@settings(max_examples=20)
@given(memories=st.lists(MEMORIES, max_size=6), wanted=FILTERS)
def test_a_filter_lets_the_same_memories_through_as_sqlite(
    memories: list[NewMemory],
    wanted: RecallFilter,
    memory: ProjectMemory,
    index: QdrantIndex,
    embedder: PlainEmbedder,
) -> None:
    memory.delete([found.id for found in memory.memories()])
    memory.store_many(memories)
    sync.push(memory.storage, index)
    found = index.search(embedder.embed(["abc"])[0], limit=100, wanted=wanted).nearest
    assert {memory_id for memory_id, _ in found} == {
        memory.id for memory in memory.memories(wanted)
    }


def test_the_score_is_the_cosine(
    memory: ProjectMemory, index: QdrantIndex, embedder: PlainEmbedder
) -> None:
    ids = [memory.store(NewMemory(text=text)).id for text in ("one", "two", "three")]
    sync.push(memory.storage, index)
    query = embedder.embed(["two"])[0]
    found = index.search(query, limit=2).nearest
    assert found[0][0] == ids[1]
    assert [score for _, score in found] == pytest.approx(
        sorted(
            (float(vector @ query) for vector in embedder.embed(["one", "two", "three"])),
            reverse=True,
        )[:2],
        abs=1e-5,
    )


def test_folders_are_all_that_a_prefix_can_name() -> None:
    assert folders(None) == []
    assert folders("a") == ["a"]
    assert folders("/a/b") == ["/", "/a/", "/a/b"]
    assert folders("a/") == ["a/"]

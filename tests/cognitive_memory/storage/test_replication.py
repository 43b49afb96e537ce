from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognitive_memory.core.memory import NewMemory
from cognitive_memory.project_memory import ProjectMemory
from cognitive_memory.storage import replication
from cognitive_memory.storage.backup import back_up
from cognitive_memory.storage.replication import Stamp
from tests.support.plain_embedder import PlainEmbedder


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[ProjectMemory]:
    with PlainEmbedder().open(tmp_path / "memory.db") as memory:
        yield memory


def load(memory: ProjectMemory, count: int, name: str = "text") -> None:
    """Memories of one transaction: all have one revision."""
    memory.store_many(NewMemory(text=f"{name} {number}") for number in range(count))


@given(st.lists(st.tuples(st.integers(0, 2**31 - 1), st.integers(1, 2**32 - 1)), min_size=2))
def test_positions_are_ordered_as_stamps_and_can_be_read_back(
    states: list[tuple[int, int]],
) -> None:
    positions = [Stamp("me", key, revision, "").position for revision, key in states]
    assert [replication.at_position(position) for position in positions] == states
    assert [replication.at_position(position) for position in sorted(positions)] == sorted(states)
    assert max(positions) < 2**63


def test_what_comes_after_a_stamp_is_exact(memory: ProjectMemory) -> None:
    """Also within a load, whose memories share a revision."""
    load(memory, 12)
    some = [found.id for found in memory.memories(limit=6)]
    memory.update(some[0], text="other words")
    memory.update(some[1], tags=("tag",))
    memory.update(some[2], text="unreadable")
    memory.delete([some[3]])
    load(memory, 3, "later")
    with memory.storage.reading() as reader:
        stamps = [*replication.stamps(reader).values()]
        assert stamps == sorted(stamps, key=lambda stamp: stamp.position)
        assert len({stamp.revision for stamp in stamps}) < len(stamps) == 13
        for index, stamp in enumerate(stamps):
            expected = {later.key for later in stamps[index + 1 :]}
            assert {*(replication.keys_after(reader, stamp, most=100) or ())} == expected
            assert [*replication.stamps(reader, after=stamp).values()] == stamps[index + 1 :]
        assert {*(replication.keys_after(reader, None, most=13) or ())} == {s.key for s in stamps}
        assert replication.keys_after(reader, None, most=12) is None


def test_what_comes_after_is_found_without_going_through_what_comes_before(
    memory: ProjectMemory,
) -> None:
    load(memory, 50)
    queries: list[str] = []
    with memory.storage.reading() as reader:
        stamp = [*replication.stamps(reader).values()][-2]
        reader.connection.execute("ANALYZE")
        reader.connection.set_trace_callback(queries.append)
        assert len(replication.keys_after(reader, stamp, most=5) or ()) == 1
        assert len(replication.stamps(reader, after=stamp)) == 1
        reader.connection.set_trace_callback(None)
        plans = [
            [row[3] for row in reader.connection.execute(f"EXPLAIN QUERY PLAN {query}")]
            for query in queries
            if "memories_by_revision" in query
        ]
    assert len(plans) == 2
    for plan in plans:
        steps = "\n".join(plan)
        for table in ("memories", "embeddings"):
            by_revision = f"SEARCH {table} USING .*INDEX {table}_by_revision"
            assert re.search(rf"{by_revision} \(revision=\? AND rowid>\?\)", steps), steps
            assert re.search(rf"{by_revision} \(revision>\?\)", steps), steps
        assert not re.search(r"embeddings_by_model|SCAN (memories|embeddings)", steps), steps


def test_a_restored_backup_does_not_know_what_was_later(
    memory: ProjectMemory, tmp_path: Path
) -> None:
    load(memory, 3)
    back_up(memory.database, tmp_path / "backup.db")
    (first, second, _) = memory.memories()
    memory.update(first.id, text="changed later")
    load(memory, 1, "added later")
    with memory.storage.reading() as reader:
        stamps = replication.stamps(reader)
        assert all(replication.knows(reader, stamp) for stamp in stamps.values())
    with PlainEmbedder().open(tmp_path / "backup.db") as restored:
        with restored.storage.reading() as reader:
            known = {one for one, stamp in stamps.items() if replication.knows(reader, stamp)}
        assert len(known) == 2
        restored.delete([second.id])
        with restored.storage.reading() as reader:
            assert replication.knows(reader, stamps[second.id])

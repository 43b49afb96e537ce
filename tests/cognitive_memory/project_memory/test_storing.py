"""What is stored, by hand and from sources."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from cognitive_memory.core.memory import MemoryType, NewMemory
from cognitive_memory.core.recall import RecallFilter
from cognitive_memory.encoding import ModelLoadError
from cognitive_memory.project_memory import ProjectMemory
from cognitive_memory.storage.migrations import carried
from tests.support.plain_embedder import PlainEmbedder
from tests.support.sources import replace_source

A_DAY = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=timezone(timedelta(hours=2)))
NOBODY = "00000000-0000-4000-8000-000000000000"


def texts(found: Any) -> list[str]:
    return [item.text for item in found]


def test_everything_comes_back(memory: ProjectMemory) -> None:
    new = NewMemory(
        text="The parser retries three times.\n\N{GREEK SMALL LETTER ALPHA}\0\u2028",
        type=MemoryType.CONCEPT,
        tags=("parser", "wörter", 'a "b"'),
        source="docs/guide.md",
        context="Guide > Errors",
        importance=0.75,
        pinned=True,
        created_at=A_DAY,
        metadata={"line": 3, "deep": [None, {"x": 1.5}], "": "é"},
        id="6F9619FF-8B86-D011-B42D-00C04FC964FF",
    )
    stored = memory.store(new)
    for name in (
        "text",
        "type",
        "tags",
        "source",
        "context",
        "importance",
        "pinned",
        "metadata",
        "created_at",
        "id",
        "origin",
    ):
        assert getattr(stored, name) == getattr(new, name), name
    assert stored.created_at.tzinfo == UTC
    assert stored.embedded
    assert memory.get(stored.id) == stored
    assert list(memory.memories()) == [stored]


def test_defaults_are_filled_in(memory: ProjectMemory) -> None:
    before = datetime.now(UTC)
    stored = memory.store(NewMemory(text="a"))
    assert before <= stored.created_at == stored.updated_at <= datetime.now(UTC)
    assert stored.revision == 1


@pytest.mark.parametrize(
    "other", [{"text": "b"}, {"context": "d"}, {"source": "s"}, {"origin": "adopted"}]
)
def test_of_many_other_text_context_source_or_origin_is_another_memory(
    memory: ProjectMemory, other: dict[str, Any]
) -> None:
    first = NewMemory(text="a", context="c")
    memory.store_many([first])
    memory.store_many([replace(first, **other)])
    assert memory.storage.status().memories == 2


def test_same_id_is_replaced(memory: ProjectMemory) -> None:
    first = memory.store(NewMemory(text="a", id=NOBODY, tags=("x",), created_at=A_DAY))
    second = memory.store(NewMemory(text="b", id=NOBODY))
    assert (second.text, second.tags, second.created_at) == ("b", (), first.created_at)
    assert second.revision > first.revision
    assert memory.store(NewMemory(text="b", id=NOBODY)) == second


def test_without_the_model_it_waits(memory: ProjectMemory, embedder: PlainEmbedder) -> None:
    embedder.here = False
    assert not memory.store(NewMemory(text="a")).embedded
    assert memory.storage.status().pending == 1
    embedder.here = True
    assert memory.embed_pending() == 1
    assert memory.get(next(memory.memories()).id).embedded


def test_embedding_can_be_left_for_later(memory: ProjectMemory, embedder: PlainEmbedder) -> None:
    assert not memory.store(NewMemory(text="a"), embed=False).embedded
    assert embedder.texts == []


def test_same_content_is_not_embedded_twice(memory: ProjectMemory, embedder: PlainEmbedder) -> None:
    memory.store(NewMemory(text="a", source="old.md"))
    assert memory.store(NewMemory(text="a", source="new.md"), embed=False).embedded
    assert embedder.texts == ["a"]


def test_other_process_sees_it_at_once(memory: ProjectMemory) -> None:
    with PlainEmbedder().open(memory.database) as other:
        stored = memory.store(NewMemory(text="a"))
        assert other.get(stored.id) == stored


def test_reports_and_streams(memory: ProjectMemory, embedder: PlainEmbedder) -> None:
    memory.store(NewMemory(text="text 3"))
    seen: list[tuple[int, int]] = []
    produced = 0

    def produce() -> Iterator[NewMemory]:
        nonlocal produced
        for produced in range(1000):
            yield NewMemory(text=f"text {produced}", tags=("new",))

    report = memory.store_many(produce(), progress=lambda stored, over: seen.append((stored, over)))
    assert (report.added, report.updated, report.unchanged) == (999, 1, 0)
    assert [memory.get(item).text for item in report.ids[::100]] == [
        f"text {n}" for n in range(0, 1000, 100)
    ]
    assert memory.storage.status().pending == 0
    assert len(embedder.texts) == len(set(embedder.texts)) == 1000
    assert seen[0][0] < 1000
    assert seen[-1] == (1000, 1000)
    again = memory.store_many([NewMemory(text=f"text {number}") for number in range(1000)])
    assert (again.added, again.updated, again.unchanged) == (0, 0, 1000)
    assert again.ids == report.ids


def test_doubles_among_them_are_one(memory: ProjectMemory) -> None:
    report = memory.store_many([NewMemory(text="a"), NewMemory(text="a")])
    assert (report.added, report.unchanged) == (1, 1)
    assert report.ids[0] == report.ids[1]


def test_what_was_read_before_an_error_stays(memory: ProjectMemory) -> None:
    def produce() -> Iterator[NewMemory]:
        for number in range(600):
            yield NewMemory(text=f"text {number}")
        raise OSError("the disk went away")

    with pytest.raises(OSError, match="went away"):
        memory.store_many(produce())
    status = memory.storage.status()
    assert status.memories == status.embedded == 512


def test_failing_model_only_delays(
    memory: ProjectMemory,
    embedder: PlainEmbedder,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(_: Any) -> Any:
        raise ModelLoadError("somewhere", "it is broken")

    monkeypatch.setattr(embedder, "embed", broken)
    assert not memory.store(NewMemory(text="one")).embedded
    memory.store_many(NewMemory(text=f"{number}") for number in range(1000))
    assert memory.storage.status().pending == 1001
    assert [record.message for record in caplog.records] == [
        "stored, but not embedded yet: the embedding model in somewhere can't be loaded: it is broken"
    ] * 2


def test_unreadable_text_is_stored_with_the_reason(memory: ProjectMemory) -> None:
    memory.store_many([NewMemory(text="a"), NewMemory(text="unreadable"), NewMemory(text="b")])
    status = memory.storage.status()
    assert (status.embedded, status.not_embeddable, status.pending) == (2, 1, 0)
    assert texts(hit.memory for hit in memory.recall("unreadable").hits) == ["unreadable"]


def test_source_becomes_what_is_given(memory: ProjectMemory) -> None:
    other = memory.store(NewMemory(text="one", source="other.md"))
    first = replace_source(
        memory, "a.md", [NewMemory(text="one"), NewMemory(text="two"), NewMemory(text="two")]
    )
    assert (first.added, first.unchanged, first.updated, first.removed) == (3, 0, 0, 0)
    before = {item.id: item for item in memory.memories(RecallFilter(sources=frozenset({"a.md"})))}
    second = replace_source(
        memory, "a.md", [NewMemory(text="two", importance=0.9), NewMemory(text="three")]
    )
    assert (second.added, second.unchanged, second.updated, second.removed) == (1, 0, 1, 2)
    after = list(memory.memories(RecallFilter(sources=frozenset({"a.md"}))))
    assert sorted(texts(after)) == ["three", "two"]
    kept = next(item for item in after if item.text == "two")
    assert kept.created_at == before[kept.id].created_at
    assert memory.get(other.id) == other
    assert Counter(each.source for each in memory.memories()) == {"a.md": 2, "other.md": 1}


def test_ids_follow_from_source_and_content(memory: ProjectMemory, tmp_path: Path) -> None:
    replace_source(memory, "a.md", [NewMemory(text="one"), NewMemory(text="one")])
    with PlainEmbedder().open(tmp_path / "another.db") as other:
        replace_source(
            other, "a.md", [NewMemory(text="zero"), NewMemory(text="one"), NewMemory(text="one")]
        )
        there = {item.id for item in other.memories() if item.text == "one"}
    assert {item.id for item in memory.memories()} == there


def test_status_counts_everything(memory: ProjectMemory, embedder: PlainEmbedder) -> None:
    memory.store(
        NewMemory(text="a", tags=("x", "y"), source="s", type=MemoryType.CONCEPT, pinned=True)
    )
    memory.store(NewMemory(text="b", tags=("x",), source="s"), embed=False)
    memory.store(NewMemory(text="unreadable"))
    status = memory.storage.status()
    assert status.database == memory.database
    assert status.project_id == memory.project_id
    assert (status.memories, status.pinned, status.sources, status.schema_version) == (
        3,
        1,
        1,
        carried()[-1].version,
    )
    assert (status.embedded, status.pending, status.not_embeddable) == (1, 1, 1)
    assert status.types == {MemoryType.CONCEPT: 1, MemoryType.CONTEXT: 0, MemoryType.EPISODE: 2}
    assert dict(status.tags) == {"x": 2, "y": 1}
    assert status.size >= memory.database.stat().st_size > 0
    assert status.model == embedder.embedding_space()


def test_status_looks_at_no_memory(memory: ProjectMemory) -> None:
    asked: list[str] = []
    with memory.storage.reading() as reader:
        connection = reader.connection
        connection.set_trace_callback(asked.append)
    memory.storage.status()
    connection.set_trace_callback(None)
    plans = [
        step[3]
        for query in asked
        if query.lstrip().startswith("SELECT")
        for step in connection.execute(f"EXPLAIN QUERY PLAN {query}")
    ]
    assert any("memories_by_source" in step for step in plans)
    assert {"SCAN memories", "SCAN embeddings"}.isdisjoint(plans)

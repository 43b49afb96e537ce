"""Recalling and listing through the SDK's client: pages, filters, what is said of a hit."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from cognitive_memory.core.memory import NewMemory, Origin
from cognitive_memory.core.recall import Recall
from cognitive_memory.opening import open_memory
from cognitive_memory.project.find import Project
from cognitive_memory.retrieval.recaller import Recaller
from tests.support.capabilities import needs_zones
from tests.support.mcp_tools import call, fill, store, text_of
from tests.support.sources import replace_source

pytestmark = pytest.mark.anyio


async def test_pages_are_disjoint_and_in_order(client: Client) -> None:
    for number in range(7):
        await store(client, f"The lighthouse number {number} blinks")
    whole = await call(client, "recall_memories", query="lighthouse", max_results=7)
    assert "next_cursor" not in whole.structured_content
    pages: list[str] = []
    cursor = None
    for size in (3, 3, 1):
        page = await call(
            client, "recall_memories", query="lighthouse", max_results=3, cursor=cursor
        )
        assert len(page.structured_content["memories"]) == size
        pages += [memory["id"] for memory in page.structured_content["memories"]]
        cursor = page.structured_content.get("next_cursor")
    assert cursor is None
    assert pages == [memory["id"] for memory in whole.structured_content["memories"]]
    first = await call(client, "recall_memories", query="lighthouse", max_results=3)
    second = first.structured_content["next_cursor"]
    for wrong in (second[:-3] + "AAA", "9" + second * 2, "", ".", "3", "ŭ"):
        assert (await call(client, "recall_memories", query="lighthouse", cursor=wrong)).is_error
    other = await call(client, "recall_memories", query="other", cursor=second)
    assert "leave cursor out" in text_of(other)


async def test_recall_is_limited_by_type_tag_and_time(client: Client) -> None:
    await store(client, "The parser is fast", tags=["speed"], hierarchy_level=0)
    await store(client, "The parser is small", tags=["size"])

    async def found(**filters: Any) -> set[str]:
        result = await call(client, "recall_memories", query="parser", **filters)
        return {memory["text"].split()[-1] for memory in result.structured_content["memories"]}

    assert await found() == await found(types=["core", "peripheral"]) == {"fast", "small"}
    assert await found(types=["concept"]) == await found(types=["core", "concept"]) == {"fast"}
    assert await found(types='["episode"]') == {"small"}
    assert await found(tags=["speed", "unheard of"]) == {"fast"}
    assert await found(date_range={"start": "2000-01-01", "end": "2999-12-31"}) == {"fast", "small"}
    assert await found(date_range=["2000-01-01", "2999-12-31T23:00:00Z"]) == {"fast", "small"}
    assert await found(date_range={"end": "2000-01-01"}) == set()
    assert await found(date_range={"start": "2999-01-01T00:00:00+02:00"}) == set()
    for moment in ("someday", "0001-01-01", "9999-12-31T23:59:59", "2024-13-01"):
        wrong = await call(client, "recall_memories", query="parser", date_range={"end": moment})
        assert f"date_range.end: got '{moment}'; expected a time" in text_of(wrong)
        assert "yesterday" in text_of(wrong)


@pytest.mark.parametrize("tool", ["recall_memories", "list_memories"])
async def test_what_assistants_write_is_understood(client: Client, tool: str) -> None:
    await fill(client)
    query = {"query": "parser"} if tool == "recall_memories" else {}
    written: list[dict[str, Any]] = [
        {"types": ["decision"]},
        {"types": "Decision"},
        {"type": "decision"},
        {"tags": "DECISION"},
        {"tag": ["Decision", "unheard of"]},
        {"tags": '["decision"]', "limit": "5"},
        {"types": ["episodes", "decision"], "maxResults": 5},
        {"tags": ["decision"], "date_range": "today"},
        {"tags": ["decision"], "since": "yesterday", "until": "today"},
        {"tags": ["decision"], "date_range": {"from": "last week"}},
        {"tags": ["decision"], "date_range": ["yesterday", "now"]},
    ]
    for arguments in written:
        found = await call(client, tool, **query, **arguments)
        assert not found.is_error, text_of(found)
        (memory,) = found.structured_content["memories"]
        assert memory["tags"] == ["parser", "decision"], arguments


async def test_a_tag_that_no_memory_has_is_named(client: Client) -> None:
    await fill(client)
    found = await call(client, "recall_memories", query="parser", types=["gotcha"])
    assert 'No memory has the tag "gotcha".' in text_of(found)
    assert 'No memory has the tag "gotcha".' in found.structured_content["notes"]


async def test_a_text_of_several_places_comes_once_and_names_them(
    client: Client, project: Path
) -> None:
    text = NewMemory(text="The harbour is closed on Sundays", origin=Origin.DOCUMENT)
    with open_memory(Project(project)) as memory:
        for name in ("a.md", "b.md", "c.md", "d.md", "e.md"):
            replace_source(memory, name, [text])
    found = await call(client, "recall_memories", query="when is the harbour closed")
    (record,) = found.structured_content["memories"]
    assert len({record["source"], *record["also_in"]}) == 5
    assert record["also_in"][3:] == ["…"]
    assert f'also in "{record["also_in"][0]}", ' in text_of(found)


async def test_memories_are_listed_without_a_question(client: Client) -> None:
    ids = await fill(client)

    async def listed(**arguments: Any) -> list[str]:
        result = await call(client, "list_memories", **arguments)
        assert not result.is_error, text_of(result)
        return [record["id"] for record in result.structured_content["memories"]]

    assert await listed() == await listed(order="changed") == ids[::-1]
    assert await listed(sort="oldest") == ids
    await call(client, "update_memory", memory_id=ids[0], pinned=True, source_info="docs/parser.md")
    assert (await listed(order="changed"))[0] == ids[0]
    assert await listed(pinned=True) == await listed(source="docs") == [ids[0]]
    assert await listed(source="docs/parser.md", origin="stored") == [ids[0]]
    assert await listed(origin="commit") == []
    assert await listed(tags="people") == [ids[2]]
    assert await listed(types="concept") == []
    assert await listed(date_range="yesterday") == []
    first = await call(client, "list_memories", limit=2)
    assert text_of(first).startswith("2 memories, newest first (")
    none = await call(client, "list_memories", source="nowhere")
    assert text_of(none) == "No memories found."
    cursor = first.structured_content["next_cursor"]
    assert await listed(cursor=cursor) == ids[:1]
    assert "repeat the call with cursor" in text_of(first)
    wrong = await call(client, "list_memories", cursor="nonsense")
    assert wrong.is_error


@needs_zones
async def test_times_are_those_of_the_users_clock(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(client)
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "XYZ-05:30")
        time.tzset()
        found = await call(client, "list_memories", limit=1)
        now = datetime.now()
    time.tzset()
    (record,) = found.structured_content["memories"]
    created = datetime.fromisoformat(record["created_at"])
    assert abs(now - created) < timedelta(minutes=10)
    assert f" · {created:%Y-%m-%d %H:%M} · id " in text_of(found)


async def test_a_hit_that_is_weak_is_called_so(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(client)
    recall = Recaller.recall

    def doubting(self: Recaller, *arguments: Any, **options: Any) -> Recall:
        answer = recall(self, *arguments, **options)
        return replace(answer, hits=tuple(replace(hit, weak=True) for hit in answer.hits))

    monkeypatch.setattr(Recaller, "recall", doubting)
    found = await call(client, "recall_memories", query="parser")
    assert all(record["weak"] for record in found.structured_content["memories"])
    assert text_of(found).count("[stored · episode · weak · ") == 2

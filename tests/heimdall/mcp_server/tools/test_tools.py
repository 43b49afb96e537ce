"""Every tool through the SDK's client, in both eras of the protocol."""

from __future__ import annotations

import json
import os
import re
import time
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, MCPError
from mcp_types import CallToolResult, TextContent

from cognitive_memory.core.memory import NewMemory, Origin
from cognitive_memory.core.recall import Recall
from cognitive_memory.core.tokens import tokens
from cognitive_memory.opening import open_memory
from cognitive_memory.project.find import Project
from cognitive_memory.retrieval.recaller import Recaller
from tests.support.sources import replace_source

pytestmark = pytest.mark.anyio

TEXTS = {
    "The parser is written by hand, since the generated one was too slow": ["parser", "decision"],
    "Tests of the parser run with -n 2": ["parser"],
    "Greta keeps the keys of the harbour": ["people"],
}


async def call(client: Client, tool: str, /, **arguments: Any) -> CallToolResult:
    return await client.call_tool(tool, arguments)


async def record_of(client: Client, memory_id: str) -> dict[str, Any]:
    """What the memory says of itself."""
    read = await call(client, "get_memory", memory_id=memory_id)
    (record,) = read.structured_content["memories"]
    assert isinstance(record, dict)
    return record


def text_of(result: CallToolResult) -> str:
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text


async def fill(client: Client) -> list[str]:
    """Store the texts; their ids, in order."""
    stored = [
        await call(client, "store_memory", text=text, context={"tags": tags})
        for text, tags in TEXTS.items()
    ]
    return [result.structured_content["memory"]["id"] for result in stored]


async def test_a_memory_from_its_first_to_its_last_day(client: Client, project: Path) -> None:
    empty = await call(client, "recall_memories", query="parser")
    assert empty.structured_content["notes"] == ["This project has no memories yet."]
    assert "No memories found" in text_of(empty)
    assert not (project / ".heimdall").exists(), "looking makes nothing"

    stored = await call(
        client,
        "store_memory",
        text="The parser is written by hand",
        context={
            "hierarchy_level": 0,
            "memory_type": "episodic",
            "importance_score": 0.9,
            "tags": ["parser", " parser ", "design"],
            "source_info": "docs/parser.md",
            "ticket": 17,
        },
    )
    record = stored.structured_content["memory"]
    assert re.fullmatch(rf"Stored: L0 \(concept\), ID: {record['id']}.*", text_of(stored))
    told = await record_of(client, record["id"])
    assert (told["type"], told["importance_score"]) == ("concept", 0.9)
    assert (told["tags"], told["source"]) == (["parser", "design"], "docs/parser.md")
    assert not {"pinned", "truncated", "weak", "updated_at", "context"} & set(told)
    assert sorted(path.name for path in (project / ".heimdall").iterdir() if path.suffix != ".tmp")[
        :1
    ] == [".gitignore"]

    again = await call(
        client,
        "store_memory",
        text="The parser is written by hand",
        context={"source_info": "docs/parser.md"},
    )
    assert again.structured_content["memory"]["id"] == record["id"]
    assert "it was stored already, on " in text_of(again)
    assert "already" not in text_of(stored)

    found = await call(client, "recall_memories", query="parser")
    assert [memory["id"] for memory in found.structured_content["memories"]] == [record["id"]]
    assert "The parser is written by hand" in text_of(found)

    changed = await call(
        client,
        "update_memory",
        memory_id=record["id"],
        text="The parser is generated",
        pinned=True,
        memory_type="context",
    )
    assert changed.structured_content["memory"] == {"id": record["id"]}
    told = await record_of(client, record["id"])
    assert (told["text"], told["tags"]) == ("The parser is generated", ["parser", "design"])
    assert (told["type"], told["pinned"]) == ("context", True)
    assert "Updated text, type, pinned" in text_of(changed)
    assert f"heimdall history {record['id'][:8]} --forget" in text_of(changed)

    preview = await call(client, "delete_memory", memory_id=record["id"], dry_run=True)
    assert (preview.structured_content["dry_run"], preview.structured_content["count"]) == (True, 1)
    assert "would delete 1 memory" in text_of(preview)
    gone = await call(client, "delete_memory", memory_id=f" {record['id']} ")
    assert gone.structured_content["count"] == 1
    missing = await call(client, "delete_memory", memory_id=record["id"])
    assert missing.is_error
    assert record["id"] in text_of(missing)


@pytest.mark.parametrize(
    ("context", "kind"),
    [
        ({}, "episode"),
        ({"memory_type": "semantic"}, "context"),
        ({"memory_type": "episodic"}, "episode"),
        ({"memory_type": "concept"}, "concept"),
        ({"hierarchy_level": 1, "memory_type": "episodic"}, "context"),
        ('{"hierarchy_level": "0"}', "concept"),
        (None, "episode"),
        ({"hierarchy_level": None, "tags": None}, "episode"),
    ],
)
async def test_types_as_the_original_server_took_them(
    client: Client, context: object, kind: str
) -> None:
    stored = await call(client, "store_memory", text="something", context=context)
    assert (await record_of(client, stored.structured_content["memory"]["id"]))["type"] == kind


async def test_pages_are_disjoint_and_in_order(client: Client) -> None:
    for number in range(7):
        await call(client, "store_memory", text=f"The lighthouse number {number} blinks")
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
    for wrong in (
        first.structured_content["next_cursor"][:-3] + "AAA",
        "9" + first.structured_content["next_cursor"] * 2,
        "",
        ".",
        "3",
        "ŭ",
    ):
        assert (await call(client, "recall_memories", query="lighthouse", cursor=wrong)).is_error
    other = await call(
        client, "recall_memories", query="other", cursor=first.structured_content["next_cursor"]
    )
    assert "leave cursor out" in text_of(other)


async def test_recall_is_limited_by_type_tag_and_time(client: Client) -> None:
    await call(
        client,
        "store_memory",
        text="The parser is fast",
        context={"tags": ["speed"], "hierarchy_level": 0},
    )
    await call(client, "store_memory", text="The parser is small", context={"tags": ["size"]})

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


@pytest.mark.parametrize(
    "arguments",
    [
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
    ],
)
@pytest.mark.parametrize("tool", ["recall_memories", "list_memories"])
async def test_what_assistants_write_is_understood(
    client: Client, tool: str, arguments: dict[str, Any]
) -> None:
    await fill(client)
    query = {"query": "parser"} if tool == "recall_memories" else {}
    found = await call(client, tool, **query, **arguments)
    assert not found.is_error, text_of(found)
    assert [memory["tags"] for memory in found.structured_content["memories"]] == [
        ["parser", "decision"]
    ]


async def test_a_tag_that_no_memory_has_is_named(client: Client) -> None:
    await fill(client)
    found = await call(client, "recall_memories", query="parser", types=["gotcha"])
    assert 'No memory has the tag "gotcha".' in text_of(found)
    assert 'No memory has the tag "gotcha".' in found.structured_content["notes"]


@pytest.mark.parametrize(
    "arguments",
    [
        {"context": {"memory_type": "decision", "importance_score": 0.8, "tags": "parser"}},
        {"context": {"type": "decision", "importance": 0.8, "tag": ["parser"]}},
        {"memory_type": "decision", "importance": 0.8, "tags": ["parser"]},
        {"context": {"importance": 0.8}, "type": "decision", "tags": "parser"},
    ],
)
async def test_a_decision_is_a_context_with_that_tag(
    client: Client, arguments: dict[str, Any]
) -> None:
    stored = await call(client, "store_memory", content="Parsers are written by hand", **arguments)
    assert not stored.is_error, text_of(stored)
    told = await record_of(client, stored.structured_content["memory"]["id"])
    assert (told["type"], told["tags"]) == ("context", ["parser", "decision"])
    assert told["importance_score"] == 0.8


async def test_lessons(client: Client) -> None:
    brief = await call(client, "session_lessons", lesson_content="be careful")
    assert brief.is_error
    assert "too brief" in text_of(brief)
    recorded = await call(
        client,
        "session_lessons",
        lesson_content="Measure before you replace a parser by another one",
        lesson_type="warning",
        session_context="rewriting the parser",
        importance="critical",
    )
    record = await record_of(client, recorded.structured_content["memory"]["id"])
    assert record["tags"] == ["session_lesson", "warning"]
    assert (record["type"], record["importance_score"], record["context"]) == (
        "context",
        1.0,
        "rewriting the parser",
    )
    assert text_of(recorded).startswith(f"Lesson recorded: warning, critical, ID: {record['id']}")


async def test_what_is_stored_already_in_other_words_is_named(client: Client) -> None:
    text = "Releases are cut from the main branch every second Tuesday"
    stored = await call(client, "store_memory", text=text)
    assert "like what" not in text_of(stored)
    again = "Every second Tuesday a release is cut from main"
    for tool, argument in (("store_memory", "text"), ("session_lessons", "lesson_content")):
        told = await call(client, tool, **{argument: f"{again} ({tool})"})
        (note,) = [one for one in told.structured_content["notes"] if one.startswith("like what")]
        assert f'{stored.structured_content["memory"]["id"]} "{text}"' in note
        assert "update_memory it and delete_memory this one" in note
        assert note in text_of(told)
    last = told.structured_content["memory"]["id"]
    changed = await call(client, "update_memory", memory_id=last, text=text)
    assert f"like what is stored: {stored.structured_content['memory']['id']}" in text_of(changed)


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


async def test_deleting_by_tags_shows_first_and_then_does_it(client: Client) -> None:
    await fill(client)
    preview = await call(client, "delete_memories_by_tags", tags=["parser"], dry_run=True)
    assert (preview.structured_content["count"], preview.structured_content["dry_run"]) == (2, True)
    assert "Greta" not in text_of(preview)
    status = await call(client, "memory_status")
    assert status.structured_content["memory_counts"]["total"] == 3
    gone = await call(client, "delete_memories_by_tags", tags=["parser", "unheard of"])
    assert gone.structured_content["count"] == 2
    nothing = await call(client, "delete_memories_by_tags", tags=["parser"])
    assert nothing.structured_content["count"] == 0
    assert "nothing was deleted" in text_of(nothing)
    for tags in ([], ["  "], "", None):
        assert (await call(client, "delete_memories_by_tags", tags=tags)).is_error


async def store_long(client: Client, number: int) -> None:
    """Store memories of 9 kB, each with a sentence of its own in the middle."""
    for each in range(number):
        text = f"{FILLER}\nShip {each} has a mast of oak.\n{FILLER}"
        await call(client, "store_memory", text=text, context={"tags": ["many"]})


FILLER = 'The weather was "fine", the sea was calm; nothing happened.\n' * 75


def cost(result: CallToolResult) -> tuple[int, int]:
    """Estimated tokens of the text, and of the structured content."""
    written = json.dumps(result.structured_content, ensure_ascii=False, separators=(",", ":"))
    return tokens(text_of(result)), tokens(written)


@pytest.mark.parametrize("most", [500, 1000, 4000])
async def test_an_answer_keeps_within_its_tokens(client: Client, most: int) -> None:
    await store_long(client, 12)
    seen: list[str] = []
    cursor = None
    while True:
        found = await call(
            client,
            "recall_memories",
            query="which mast is of oak",
            max_results=10,
            max_tokens=most,
            cursor=cursor,
        )
        assert max(cost(found)) <= most
        for record in found.structured_content["memories"]:
            assert "has a mast of oak" in record["text"], "an excerpt is around what was asked"
            assert record["truncated"] is True
        seen += [record["id"] for record in found.structured_content["memories"]]
        if (cursor := found.structured_content.get("next_cursor")) is None:
            break
    assert len(seen) == len(set(seen)) == 12
    (usual,) = {min(10, len(seen))}
    default = await call(client, "recall_memories", query="which mast is of oak")
    assert len(default.structured_content["memories"]) == usual
    assert 2000 < max(cost(default)) <= 4000, "what there is room for is used"
    assert "of a text that is an excerpt, get_memory has all" in text_of(default).lower()


async def test_short_memories_are_whole_beside_long_ones(client: Client) -> None:
    await store_long(client, 3)
    await call(client, "store_memory", text="A mast of oak lasts forty years.")
    found = await call(client, "recall_memories", query="mast of oak")
    cut = {"truncated" in record for record in found.structured_content["memories"]}
    (short,) = [r for r in found.structured_content["memories"] if "truncated" not in r]
    assert cut == {True, False}
    assert short["text"] == "A mast of oak lasts forty years."


async def test_the_beginning_of_an_id_names_a_memory_as_hooks_and_commands_show_it(
    client: Client,
) -> None:
    memory_id, *_ = await fill(client)
    short = f" {memory_id[:8]} "
    assert (await record_of(client, short))["id"] == memory_id
    await call(client, "update_memory", memory_id=short, tags=["renamed"])
    assert (await record_of(client, memory_id))["tags"] == ["renamed"]
    shown = await client.read_resource(f"heimdall://memory/{memory_id[:8]}")
    assert memory_id in shown.contents[0].text  # type: ignore[union-attr]
    gone = await call(client, "delete_memory", memory_id=short)
    assert gone.structured_content["memories"][0]["id"] == memory_id
    unknown = await call(client, "get_memory", memory_id=short)
    assert f"no memory has the id {short.strip()}" in text_of(unknown)


async def test_all_of_a_long_memory_is_read_page_by_page(client: Client) -> None:
    text = FILLER * 10 + "The end."
    stored = await call(client, "store_memory", text=text)
    memory_id = stored.structured_content["memory"]["id"]
    parts: list[str] = []
    cursor = None
    while True:
        page = await call(client, "get_memory", memory_id=memory_id, cursor=cursor)
        assert max(cost(page)) <= 4000
        (record,) = page.structured_content["memories"]
        parts.append(record["text"])
        if (cursor := page.structured_content.get("next_cursor")) is None:
            break
        assert f"cursor '{cursor}'" in text_of(page)
    assert len(parts) > 3
    assert "".join(parts) == text
    whole = await client.read_resource(f"heimdall://memory/{memory_id}")
    assert "The end." in whole.contents[0].text  # type: ignore[union-attr]
    for wrong in ("x", "0", "-1", str(10**9)):
        assert (await call(client, "get_memory", memory_id=memory_id, cursor=wrong)).is_error


async def test_lists_and_resources_are_bounded_too(client: Client) -> None:
    await store_long(client, 60)
    listed = await call(client, "list_memories", max_results=50)
    preview = await call(client, "delete_memories_by_tags", tags=["many"], dry_run=True)
    assert preview.structured_content["count"] == 60
    assert "more" in text_of(preview)
    for answer in (listed, preview):
        assert max(cost(answer)) <= 4000
    page = await client.read_resource("heimdall://memories/recent")
    assert tokens(page.contents[0].text) <= 4000  # type: ignore[union-attr]


async def test_labels_alone_do_not_make_an_answer_long(client: Client) -> None:
    for number in range(5):
        await call(
            client,
            "store_memory",
            text=f"Labelled {number}",
            context={
                "tags": [f"{each} {'label ' * 30}" for each in range(100)],
                "source_info": "s" * 2000,
            },
        )
    found = await call(client, "recall_memories", query="labelled", max_tokens=2000)
    assert found.structured_content["memories"]
    assert max(cost(found)) <= 2000


async def test_the_structured_content_is_as_small_as_the_text(client: Client) -> None:
    for number in range(10):
        await call(
            client,
            "store_memory",
            text=f"Decision {number}: the parser is written by hand, since the generated one was too "
            "slow for files of more than a megabyte and its messages helped nobody.",
            context={"tags": ["parser", "decision"], "memory_type": "context"},
        )
    found = await call(client, "recall_memories", query="parser")
    text, structured = cost(found)
    # o200k_base counts 1.02 to 1.06 times the text's; the estimate knows no "," as one token.
    assert structured <= 1.2 * text
    stored = await call(client, "store_memory", text="The quay is long")
    assert set(stored.structured_content) <= {"memory", "notes"}
    assert max(cost(stored)) <= 80, "an id is a third of that"


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
    cursor = first.structured_content["next_cursor"]
    assert await listed(cursor=cursor) == ids[:1]
    assert "repeat the call with cursor" in text_of(first)
    wrong = await call(client, "list_memories", cursor="nonsense")
    assert wrong.is_error


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


async def test_status(client: Client, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = await call(client, "memory_status")
    assert before.structured_content["project"]["exists"] is False
    await fill(client)
    monkeypatch.setenv("HEIMDALL_GITHUB_TOKEN", "very-secret")
    after = await call(client, "memory_status", detailed=True)
    content = after.structured_content
    assert content["project"]["root"] == str(project)
    assert content["memory_counts"]["total"] == 3
    assert content["memory_counts"]["by_type"]["episode"] == 3
    assert content["details"]["tags"] == {"parser": 2, "decision": 1, "people": 1}
    assert content["details"]["process"] == os.getpid()
    assert "HEIMDALL_GITHUB_TOKEN" in content["details"]["variables_set"]
    assert "very-secret" not in after.model_dump_json()


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("store_memory", {"text": " "}, "text is blank"),
        ("recall_memories", {"query": "\n"}, "query is blank"),
        (
            "recall_memories",
            {"query": "x", "max_results": 51},
            "max_results: got 51; expected a whole number from 1 to 50",
        ),
        ("recall_memories", {"query": "x", "limit": 0}, "a whole number from 1 to 50"),
        ("recall_memories", {"query": "x", "tags": 5.5}, "tags: got 5.5; expected a list of texts"),
        ("recall_memories", {"query": "x", "tags": [{}]}, "tags.0: got {}; expected text"),
        ("recall_memories", {"query": "x", "resultsmax": 5}, "there is no such argument"),
        ("recall_memories", {"query": "x", "wait_for_model": "later"}, "expected true or false"),
        ("list_memories", {"order": "best"}, "order: got 'best'; expected one of newest, changed"),
        (
            "session_lessons",
            {"lesson_content": "x" * 30, "importance": "huge"},
            "one of low, medium",
        ),
        ("update_memory", {"memory_id": "5"}, "Nothing to change"),
        ("update_memory", {"memory_id": "5", "text": "x"}, "no memories yet"),
        ("delete_memory", {"memory_id": "5"}, "no memories yet"),
        ("delete_memory", {"memory_id": "5", "dry_ran": True}, "did you mean dry_run?"),
        ("delete_memory", {}, "memory_id is missing; expected text"),
        ("delete_memory", {"memory_id": ""}, "memory_id: expected text, at least 1 character"),
        ("delete_memories_by_tags", {"tags": []}, "tags: expected a list of texts, at least 1"),
        ("delete_memory", {}, "- memory_id (required): text\n  - dry_run: true or false"),
    ],
)
async def test_a_mistake_is_an_answer_with_a_way_out(
    client: Client, tool: str, arguments: dict[str, Any], words: str
) -> None:
    refused = await call(client, tool, **arguments)
    assert refused.is_error
    assert words in text_of(refused)
    assert refused.structured_content is None


async def test_wrong_ids_are_explained_where_there_are_memories(client: Client) -> None:
    await fill(client)
    for memory_id in ("5", "00000000-0000-4000-8000-000000000000", "' OR 1=1"):
        for tool, more in (
            ("delete_memory", {}),
            ("delete_memory", {"dry_run": True}),
            ("update_memory", {"pinned": True}),
        ):
            refused = await call(client, tool, memory_id=memory_id, **more)
            assert refused.is_error
            assert memory_id in text_of(refused)
    assert (await call(client, "memory_status")).structured_content["memory_counts"]["total"] == 3


async def test_a_database_that_can_not_be_opened_is_explained(
    client: Client, project: Path
) -> None:
    (project / ".heimdall").mkdir()
    (project / ".heimdall" / "cognitive_memory.db").write_bytes(b"this is no database" * 1000)
    for tool, arguments in (
        ("recall_memories", {"query": "x"}),
        ("store_memory", {"text": "x"}),
        ("memory_status", {}),
    ):
        refused = await call(client, tool, **arguments)
        assert refused.is_error
        assert "cognitive_memory.db" in text_of(refused)


async def test_a_settings_file_that_can_not_be_read_is_explained(
    client: Client, project: Path
) -> None:
    (project / ".heimdall").mkdir()
    (project / ".heimdall" / "config.yaml").write_text("project_id: [", encoding="utf-8")
    refused = await call(client, "store_memory", text="x")
    assert refused.is_error
    assert "config.yaml" in text_of(refused)


async def test_a_project_that_can_not_be_written_is_explained(
    client: Client, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / ".heimdall").write_text("in the way")
    refused = await call(client, "store_memory", text="x")
    assert refused.is_error
    assert ".heimdall" in text_of(refused)
    monkeypatch.setenv("HEIMDALL_PROJECT", str(project / "missing"))
    missing = await call(client, "recall_memories", query="x")
    assert "HEIMDALL_PROJECT" in text_of(missing)


async def test_an_unknown_tool_is_a_protocol_error(client: Client) -> None:
    with pytest.raises(MCPError, match="Did you mean recall_memories"):
        await client.call_tool("recall_memory", {})
    with pytest.raises(MCPError, match="There are store_memory, "):
        await client.call_tool("x" * 1000, {})

"""Every tool through the SDK's client, in both eras of the protocol."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from mcp import Client, MCPError
from mcp_types import CallToolResult, TextContent

from heimdall.mcp_server.tools.calling import TOOLS

pytestmark = pytest.mark.anyio

TEXTS = {
    "The parser is written by hand, since the generated one was too slow": ["parser", "decision"],
    "Tests of the parser run with -n 2": ["parser"],
    "Greta keeps the keys of the harbour": ["people"],
}

RESULTS = {
    tool.name: jsonschema.Draft202012Validator(tool.listed.output_schema or False)
    for tool in TOOLS.values()
}


async def call(client: Client, tool: str, /, **arguments: Any) -> CallToolResult:
    """Call a tool; its structured content fits its schema."""
    result = await client.call_tool(tool, arguments)
    if not result.is_error:
        RESULTS[tool].validate(result.structured_content)
    return result


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
    assert (record["type"], record["hierarchy_level"], record["importance_score"]) == (
        "concept",
        0,
        0.9,
    )
    assert (record["tags"], record["source"], record["pinned"]) == (
        ["parser", "design"],
        "docs/parser.md",
        False,
    )
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
    assert changed.structured_content["memory"]["text"] == "The parser is generated"
    assert changed.structured_content["memory"]["tags"] == ["parser", "design"]
    assert "Updated text, type, pinned" in text_of(changed)

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
    assert stored.structured_content["memory"]["type"] == kind


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
        "",
        "WzFd",
        "bnVsbA==",
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
    for moment in (
        "yesterday",
        "0001-01-01",
        "9999-12-31",
        "9999-12-31T23:59:59",
        "0001-01-01T00:00:00+14:00",
        "2024-13-01",
    ):
        wrong = await call(client, "recall_memories", query="parser", date_range={"end": moment})
        assert "date_range.end" in text_of(wrong)


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
    record = recorded.structured_content["memory"]
    assert record["tags"] == ["session_lesson", "warning"]
    assert (record["type"], record["importance_score"], record["context"]) == (
        "context",
        1.0,
        "rewriting the parser",
    )
    assert text_of(recorded).startswith(f"Lesson recorded: warning, critical, ID: {record['id']}")


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
    for tags in ([], ["  "], "parser", None):
        assert (await call(client, "delete_memories_by_tags", tags=tags)).is_error


async def test_a_long_list_and_a_long_text_are_cut(client: Client) -> None:
    for number in range(52):
        await call(
            client, "store_memory", text=f"{number} " + "long " * 1700, context={"tags": ["many"]}
        )
    found = await call(client, "recall_memories", query="long", max_results=1)
    record = found.structured_content["memories"][0]
    assert (record["truncated"], len(record["text"])) == (True, 8000)
    assert f"all of it: {record['uri']}" in text_of(found)
    whole = await client.read_resource(record["uri"])
    assert "long " * 1700 in whole.contents[0].text  # type: ignore[union-attr]
    preview = await call(client, "delete_memories_by_tags", tags=["many"], dry_run=True)
    assert (preview.structured_content["count"], len(preview.structured_content["memories"])) == (
        52,
        50,
    )
    assert "… and 2 more" in text_of(preview)


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
            "max_results: Input should be less than or equal to 50",
        ),
        ("recall_memories", {"query": "x", "types": ["idea"]}, "types.0"),
        ("recall_memories", {"query": "x", "limit": 5}, "limit: there is no such argument"),
        ("session_lessons", {"lesson_content": "x" * 30, "importance": "huge"}, "importance"),
        ("update_memory", {"memory_id": "5"}, "Nothing to change"),
        ("update_memory", {"memory_id": "5", "text": "x"}, "no memories yet"),
        ("delete_memory", {"memory_id": "5"}, "no memories yet"),
        ("delete_memory", {"memory_id": "5", "dryRun": True}, "did you mean dry_run?"),
        ("delete_memory", {}, "memory_id: Field required"),
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

"""A mistake is an answer that says what to do, and changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from mcp import Client, MCPError

from tests.support.mcp_tools import call, fill, text_of

pytestmark = pytest.mark.anyio


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

"""What holds in all projects of the user, over MCP."""

from __future__ import annotations

from pathlib import Path

import pytest
from mcp import Client

from cognitive_memory.project.user import user_place
from tests.support.mcp_tools import call, record_of, text_of

pytestmark = pytest.mark.anyio


async def test_it_is_stored_when_told_recalled_listed_changed_and_deleted(client: Client) -> None:
    ours = await call(client, "store_memory", text="The parser is indented by tabs")
    await call(client, "session_lessons", lesson_content="Tabs in the parser's tables break them")
    assert not user_place().root.exists(), "never by accident"
    stored = await call(client, "store_memory", text="The user prefers tabs", scope="user")
    assert text_of(stored).startswith("Stored for all projects")
    inside = {"scope": "user", "tags": ["style"]}
    await call(client, "store_memory", text="Tabs are four wide", context=inside)
    for tool, arguments in (("recall_memories", {"query": "tabs"}), ("list_memories", {})):
        answer = await call(client, tool, **arguments)
        records = answer.structured_content["memories"]
        scopes = {record["text"]: record.get("scope") for record in records}
        assert scopes == {
            "The parser is indented by tabs": None,
            "Tabs in the parser's tables break them": None,
            "The user prefers tabs": "user",
            "Tabs are four wide": "user",
        }
        assert text_of(answer).count("scope: user") == 2
    memory_id = stored.structured_content["memory"]["id"]
    await call(client, "update_memory", memory_id=memory_id, text="The user prefers spaces")
    assert (await record_of(client, memory_id))["text"] == "The user prefers spaces"
    by_tag = await call(client, "delete_memories_by_tags", tags=["style"])
    assert by_tag.structured_content["count"] == 0
    status = await call(client, "memory_status")
    assert status.structured_content["memory_counts"]["total"] == 2
    assert status.structured_content["user_memories"] == 2
    assert "In all projects of the user: 2 memories" in text_of(status)
    by_tag = await call(client, "delete_memories_by_tags", tags=["style"], scope="user")
    assert by_tag.structured_content["count"] == 1
    for one in (memory_id, ours.structured_content["memory"]["id"]):
        gone = await call(client, "delete_memory", memory_id=one)
        assert gone.structured_content["count"] == 1


async def test_a_list_of_both_goes_on_page_by_page(client: Client) -> None:
    for number in range(6):
        scope = "user" if number % 2 else "project"
        await call(client, "store_memory", text=f"Number {number}", scope=scope)
    shown, cursor = list[str](), dict[str, str]()
    while True:
        page = await call(client, "list_memories", max_results=2, **cursor)
        shown += [record["text"] for record in page.structured_content["memories"]]
        if "next_cursor" not in page.structured_content:
            break
        cursor = {"cursor": page.structured_content["next_cursor"]}
    assert shown == [f"Number {number}" for number in (5, 4, 3, 2, 1, 0)]


async def test_a_server_without_a_project_stores_what_holds_everywhere_alone(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path.home())
    refused = await call(client, "store_memory", text="Something")
    assert refused.is_error
    assert "scope user" in text_of(refused)
    assert (await call(client, "recall_memories", query="tabs")).is_error
    assert not user_place().root.exists()
    await call(client, "store_memory", text="The user prefers tabs", scope="user")
    answer = await call(client, "recall_memories", query="tabs")
    assert [one["scope"] for one in answer.structured_content["memories"]] == ["user"]
    status = await call(client, "memory_status")
    assert "project" not in status.structured_content
    assert status.structured_content["memory_counts"]["total"] == 1
    assert text_of(status).startswith("Memory of the user alone, without a project: ")
    assert (await call(client, "store_memory", text="Something")).is_error
    assert not (Path.home() / ".heimdall").exists()

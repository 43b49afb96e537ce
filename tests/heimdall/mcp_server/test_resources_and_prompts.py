from __future__ import annotations

from pathlib import Path

import pytest
from mcp import Client, MCPError
from mcp_types import TextContent, TextResourceContents

pytestmark = pytest.mark.anyio


async def text_of(client: Client, uri: str) -> str:
    (content,) = (await client.read_resource(uri)).contents
    assert isinstance(content, TextResourceContents)
    assert (content.uri, content.mime_type) == (uri, "text/markdown")
    return content.text


async def store(client: Client, text: str, *, pinned: bool = False) -> str:
    result = await client.call_tool(
        "store_memory", {"text": text, "context": {"pinned": pinned, "tags": ["ship"]}}
    )
    return str(result.structured_content["memory"]["id"])


async def test_without_memories_there_are_empty_collections(client: Client, project: Path) -> None:
    listed = await client.list_resources()
    assert [resource.uri for resource in listed.resources] == [
        "heimdall://memories/recent",
        "heimdall://memories/pinned",
    ]
    assert listed.next_cursor is None
    for resource in listed.resources:
        assert "None." in await text_of(client, resource.uri)
    assert not (project / ".heimdall").exists()


async def test_memories_page_by_page(client: Client) -> None:
    ids = [
        await store(client, f"ship number {number} sails", pinned=number % 2 == 0)
        for number in range(45)
    ]
    pinned = set(ids[::2])

    uris: list[str] = []
    cursor = None
    while True:
        page = await client.list_resources(cursor=cursor)
        uris += [resource.uri for resource in page.resources]
        if (cursor := page.next_cursor) is None:
            break
    assert {uri.rpartition("/")[2] for uri in uris} == pinned | {"recent", "pinned"}
    assert len(uris) == len(pinned) + 2

    for collection, expected in (("recent", set(ids)), ("pinned", pinned)):
        uri, seen, pages = f"heimdall://memories/{collection}", set[str](), 0
        while uri:
            text = await text_of(client, uri)
            found = {memory_id for memory_id in ids if f"id {memory_id}" in text}
            assert not found & seen
            seen |= found
            pages += 1
            uri = text.rpartition("More: ")[2] if "More: " in text else ""
        assert (seen, pages) == (expected, 3 if collection == "recent" else 2)


async def test_one_memory_by_its_template(client: Client) -> None:
    templates = {
        template.name: template
        for template in (await client.list_resource_templates()).resource_templates
    }
    assert set(templates) == {"memory", "older_memories"}
    memory_id = await store(client, "The figurehead is a lynx", pinned=True)
    uri = templates["memory"].uri_template.replace("{id}", memory_id)
    assert "The figurehead is a lynx" in await text_of(client, uri)
    assert uri in {resource.uri for resource in (await client.list_resources()).resources}


@pytest.mark.parametrize(
    "uri",
    [
        "heimdall://memory/00000000-0000-4000-8000-000000000000",
        "heimdall://memory/nonsense",
        "heimdall://memory/../../etc/passwd",
        "heimdall://memories/oldest",
        "heimdall://memories/recent?after=nonsense",
        "file:///etc/passwd",
        "x" * 5000,
    ],
)
async def test_what_is_not_there(client: Client, uri: str) -> None:
    await store(client, "something")
    with pytest.raises(MCPError) as caught:
        await client.read_resource(uri)
    assert caught.value.error.code == -32602
    assert len(caught.value.error.message) < 600


async def test_a_wrong_cursor_is_explained(client: Client) -> None:
    await store(client, "something")
    with pytest.raises(MCPError, match="expected a UUID"):
        await client.list_resources(cursor="nonsense")


async def test_the_prompt_tells_how_and_shows_what_is_pinned(client: Client) -> None:
    (prompt,) = (await client.list_prompts()).prompts
    assert [argument.name for argument in prompt.arguments or []] == ["task"]
    await store(client, "Never sail on a Friday", pinned=True)
    await store(client, "The bell was cast in Hamburg")
    (message,) = (await client.get_prompt(prompt.name, {"task": "paint the hull"})).messages
    assert isinstance(message.content, TextContent)
    assert "recall_memories" in message.content.text
    assert "Never sail on a Friday" in message.content.text
    assert "Hamburg" not in message.content.text
    assert "The task: paint the hull" in message.content.text
    (without,) = (await client.get_prompt(prompt.name)).messages
    assert isinstance(without.content, TextContent)
    assert "The task" not in without.content.text
    with pytest.raises(MCPError, match="There is use_memory"):
        await client.get_prompt("other")


async def test_a_broken_database_is_explained_here_too(client: Client, project: Path) -> None:
    (project / ".heimdall").mkdir()
    (project / ".heimdall" / "cognitive_memory.db").write_bytes(b"this is no database" * 1000)
    for ask in (
        client.list_resources(),
        client.read_resource("heimdall://memories/recent"),
        client.read_resource("heimdall://memory/00000000-0000-4000-8000-000000000000"),
        client.get_prompt("use_memory"),
    ):
        with pytest.raises(MCPError, match=r"cognitive_memory\.db") as caught:
            await ask
        assert caught.value.error.code == -32602

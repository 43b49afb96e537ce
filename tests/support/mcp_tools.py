"""Calls of tools through the SDK's client."""

from __future__ import annotations

import json
from typing import Any

from mcp import Client
from mcp_types import CallToolResult, TextContent

from cognitive_memory.core.tokens import tokens

TEXTS = {
    "The parser is written by hand, since the generated one was too slow": ["parser", "decision"],
    "Tests of the parser run with -n 2": ["parser"],
    "Greta keeps the keys of the harbour": ["people"],
}


async def call(client: Client, tool: str, /, **arguments: Any) -> CallToolResult:
    return await client.call_tool(tool, arguments)


async def store(client: Client, text: str, **context: Any) -> str:
    """The id of a memory, stored with what is known about it."""
    stored = await call(client, "store_memory", text=text, context=context)
    return str(stored.structured_content["memory"]["id"])


async def fill(client: Client) -> list[str]:
    """Store the texts; their ids, in order."""
    return [await store(client, text, tags=tags) for text, tags in TEXTS.items()]


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


def cost(result: CallToolResult) -> tuple[int, int]:
    """Estimated tokens of the text, and of the structured content."""
    written = json.dumps(result.structured_content, ensure_ascii=False, separators=(",", ":"))
    return tokens(text_of(result)), tokens(written)

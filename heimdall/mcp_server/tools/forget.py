"""The tools that delete: `delete_memory`, `delete_memories_by_tags`."""

from __future__ import annotations

from typing import Final

from cognitive_memory.core.memory import Memory, Scope
from cognitive_memory.core.reports import Deletion
from heimdall.mcp_server.tools import texts
from heimdall.mcp_server.tools.arguments import DeleteMemoriesByTags, DeleteMemory
from heimdall.mcp_server.tools.fitting import Shown, fitted
from heimdall.mcp_server.tools.recalling import TOKENS
from heimdall.mcp_server.tools.results import Deleted
from heimdall.mcp_server.tools.tool import Call, ToolError, tool

_LISTED: Final = 50
_PREVIEW_TOKENS: Final = 75


@tool("Delete a memory", destroys=True)
async def delete_memory(call: Call, arguments: DeleteMemory) -> tuple[Deleted, str]:
    """Delete one memory for good, by its id."""
    dry_run = arguments.dry_run
    memory, memory_id = await call.memory_with(arguments.memory_id)
    if dry_run:
        gone: tuple[Memory, ...] = (await call.service.in_thread(memory.get, memory_id),)
    else:
        gone = await call.service.in_thread(memory.delete, (memory_id,))
    return _answer(Deletion(1, gone), dry_run=dry_run)


@tool("Delete memories by tags", destroys=True)
async def delete_memories_by_tags(
    call: Call, arguments: DeleteMemoriesByTags
) -> tuple[Deleted, str]:
    """Delete all memories with any of the tags for good. Show the user a dry_run first."""
    dry_run = arguments.dry_run
    tags = tuple(tag.strip() for tag in arguments.tags if tag.strip())
    # Blank tags may be meant as "all"; nobody should find that out by losing everything.
    if not tags:
        raise ToolError("tags are blank: name at least one tag. Nothing was deleted.")
    if arguments.scope == "user":
        memory = (await call.service.memories_of(call.ctx)).memories.get(Scope.USER)
    else:
        memory = await call.service.memory(call.ctx)
    gone = Deletion(0, ())
    if memory is not None:
        gone = await call.service.in_thread(memory.delete_by_tags, tags, dry_run=dry_run)
    return _answer(gone, dry_run=dry_run)


def _answer(gone: Deletion, *, dry_run: bool) -> tuple[Deleted, str]:
    first = [Shown(memory) for memory in gone.first[:_LISTED]]
    listed = fitted(first, TOKENS, most_each=_PREVIEW_TOKENS)
    content = Deleted(dry_run=dry_run, count=gone.count, memories=listed)
    return content, texts.deleted(content)

"""The tools that read without a question: `list_memories`, `get_memory`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cognitive_memory.core.memory import Memory, Origin, Scope
from heimdall.mcp_server.tools import texts
from heimdall.mcp_server.tools.arguments import GetMemory, ListMemories
from heimdall.mcp_server.tools.filtering import wanted
from heimdall.mcp_server.tools.fitting import Shown, fitted, longest_part
from heimdall.mcp_server.tools.results import Listed, MemoryRecord
from heimdall.mcp_server.tools.tool import Call, ToolError, tool
from heimdall.quoting import clean

if TYPE_CHECKING:
    from cognitive_memory.joint_memory import JointMemory


@tool("List memories", reads=True)
async def list_memories(call: Call, arguments: ListMemories) -> tuple[Listed, str]:
    """List memories without a question: the newest, the last changed, those of a tag, type, source
    or time. Long ones come as excerpts.
    """
    joint = await call.service.memories_of(call.ctx)
    found, notes = list[Memory](), ["This project has no memories yet."]
    if joint.memories:
        found, notes = await call.service.in_thread(_listed, joint, arguments)
    shown = fitted([Shown(each) for each in found[: arguments.max_results]], arguments.max_tokens)
    if any(record.truncated for record in shown):
        notes = [*notes, f"{texts.EXCERPTS.capitalize()}."]
    content = Listed(
        memories=shown,
        notes=notes or None,
        next_cursor=_cursor(arguments, found[: len(shown)]) if len(shown) < len(found) else None,
    )
    return content, texts.listed(content, arguments.order, more=arguments.cursor is not None)


@tool("Read a memory", reads=True)
async def get_memory(call: Call, arguments: GetMemory) -> tuple[Listed, str]:
    """Read the whole text of one memory; a very long one page by page."""
    project, memory_id = await call.memory_with(arguments.memory_id)
    memory = await call.service.in_thread(project.get, memory_id)
    text, start = clean(memory.text), _position(arguments, memory)
    part = longest_part(text[start:], arguments.max_tokens)
    end = start + len(part)
    record = MemoryRecord.of(memory, text=part, whole=(start, end) == (0, len(text)))
    content = Listed(memories=[record], next_cursor=str(end) if end < len(text) else None)
    return content, texts.read(content, start, len(text))


def _listed(joint: JointMemory, asked: ListMemories) -> tuple[list[Memory], list[str]]:
    """The memories of a page and one more, and what is to be said of it."""
    among = wanted(joint, asked, asked.source)
    found = list(
        joint.memories_of(
            among.filter,
            order=asked.order,
            limit=asked.max_results + 1,
            after=_after(asked),
            pinned=asked.pinned,
            origin=None if asked.origin is None else Origin(asked.origin),
        )
    )
    return found, [*joint.notes, *([] if found else among.why_none)]


def _after(asked: ListMemories) -> dict[Scope, str]:
    """The last memory that earlier pages showed of the project, and of the user's."""
    ids = (asked.cursor or "").split(".")
    return {scope: memory_id for scope, memory_id in zip(Scope, ids, strict=False) if memory_id}


def _cursor(asked: ListMemories, shown: list[Memory]) -> str:
    last = _after(asked) | {memory.scope: memory.id for memory in shown}
    return ".".join(last.get(scope, "") for scope in Scope).rstrip(".")


def _position(asked: GetMemory, memory: Memory) -> int:
    """How many characters earlier pages showed."""
    if asked.cursor is None:
        return 0
    position = int(asked.cursor) if asked.cursor.isdecimal() and asked.cursor.isascii() else 0
    if 0 < position < len(clean(memory.text)):
        return position
    raise ToolError(
        "cursor is not the next_cursor of an earlier page of this memory; leave it out to begin at "
        "its first character."
    )

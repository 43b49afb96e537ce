"""The tools that store: `store_memory`, `session_lessons`, `update_memory`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from cognitive_memory.core.memory import Memory, MemoryType, NewMemory
from heimdall.mcp_server.tools import texts
from heimdall.mcp_server.tools.arguments import SessionLessons, StoreMemory, UpdateMemory
from heimdall.mcp_server.tools.results import MemoryRecord, Stored
from heimdall.mcp_server.tools.tool import Call, ToolError, tool

_IMPORTANCE: Final = {"low": 0.3, "medium": 0.6, "high": 0.8, "critical": 1.0}
_SHORTEST_LESSON: Final = 20
_OLD_TYPES: Final = {"semantic": MemoryType.CONTEXT, "episodic": MemoryType.EPISODE}


@tool("Store a memory")
async def store_memory(call: Call, arguments: StoreMemory) -> tuple[Stored, str]:
    """Store a fact, decision, preference or experience of this project in its long-term memory,
    for later sessions. One thing per call, with the reason where there is one; never secrets.
    Storing the same text again changes nothing.
    """
    text, context = arguments.text, arguments.context
    if not text.strip():
        raise ToolError(
            "text is blank: there is nothing to remember. Say in a sentence or more what to keep."
        )
    memory = NewMemory(
        text=text,
        type=_type_of(context.hierarchy_level, context.memory_type),
        tags=tuple(context.tags or ()),
        source=context.source_info,
        importance=0.5 if context.importance_score is None else context.importance_score,
        pinned=context.pinned,
        metadata=dict(context.model_extra or {}),
    )
    stored = await _store(call, memory)
    return Stored(memory=MemoryRecord.of(stored)), texts.stored(stored)


@tool("Record a lesson of this session")
async def session_lessons(call: Call, arguments: SessionLessons) -> tuple[Stored, str]:
    """Record a key learning of this session for later ones. Think about what you would want to
    know if you began this work again remembering nothing: the insight, when it applies, and what
    to do.
    """
    # A few words, as "all tests pass", say nothing to anybody a month later.
    if len(arguments.lesson_content.strip()) < _SHORTEST_LESSON:
        raise ToolError(
            "The lesson is too brief to be of use later. Say what was learned, when it applies, and what to do: "
            f"at least {_SHORTEST_LESSON} characters."
        )
    memory = NewMemory(
        text=arguments.lesson_content,
        type=MemoryType.CONTEXT,
        tags=("session_lesson", arguments.lesson_type),
        source=f"Session Lesson ({arguments.lesson_type})",
        context=arguments.session_context,
        importance=_IMPORTANCE[arguments.importance],
        metadata={
            "loader_type": "session_lesson",
            "lesson_type": arguments.lesson_type,
            "session_context": arguments.session_context,
            "importance_level": arguments.importance,
            "stored_at": datetime.now(UTC).isoformat(),
        },
    )
    stored = await _store(call, memory)
    return Stored(memory=MemoryRecord.of(stored)), texts.lesson_recorded(stored, arguments)


@tool("Update a memory", destroys=True)
async def update_memory(call: Call, arguments: UpdateMemory) -> tuple[Stored, str]:
    """Correct a memory that is no longer right, or change its type, tags, importance, source, or
    whether it is pinned. What is left out stays as it is. Better than storing a second memory
    that contradicts the first.
    """
    changes: dict[str, Any] = {
        "text": arguments.text,
        "type": None if arguments.memory_type is None else MemoryType(arguments.memory_type),
        "tags": None if arguments.tags is None else tuple(arguments.tags),
        "importance": arguments.importance_score,
        "pinned": arguments.pinned,
        "source": arguments.source_info,
    }
    # An empty text or list is a change; only what was left out is None.
    changes = {field: value for field, value in changes.items() if value is not None}
    if not changes:
        raise ToolError(
            "Nothing to change: pass at least one of text, memory_type, tags, importance_score, pinned, source_info."
        )
    memory = await call.memory_with(arguments.memory_id)
    changed = await call.service.in_thread(memory.update, arguments.memory_id.strip(), **changes)
    if not changed.embedded:
        call.service.model.begin(memory, asked=True)
    return Stored(memory=MemoryRecord.of(changed)), texts.updated(changed, tuple(changes))


async def _store(call: Call, memory: NewMemory) -> Memory:
    project = await call.service.memory_made(call.ctx)
    stored = await call.service.in_thread(project.store, memory)
    if not stored.embedded:
        call.service.model.begin(project, asked=True)
    return stored


def _type_of(level: int | None, name: str | None) -> MemoryType:
    if level is not None:
        return MemoryType.from_level(level)
    name = name or MemoryType.EPISODE.value
    return _OLD_TYPES.get(name) or MemoryType(name)

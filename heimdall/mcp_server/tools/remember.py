"""The tools that store: `store_memory`, `session_lessons`, `update_memory`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from cognitive_memory.core.local_time import local_time
from cognitive_memory.core.memory import Memory, MemoryType, NewMemory
from heimdall.mcp_server.tools import texts
from heimdall.mcp_server.tools.arguments import Scope, SessionLessons, StoreMemory, UpdateMemory
from heimdall.mcp_server.tools.lenient import split_kinds
from heimdall.mcp_server.tools.results import Stored, StoredRecord
from heimdall.mcp_server.tools.tool import Call, ToolError, tool

if TYPE_CHECKING:
    from cognitive_memory.project_memory import ProjectMemory

_IMPORTANCE: Final = {"low": 0.3, "medium": 0.6, "high": 0.8, "critical": 1.0}
_SHORTEST_LESSON: Final = 20


@tool("Store a memory")
async def store_memory(call: Call, arguments: StoreMemory) -> tuple[Stored, str]:
    """Store a fact, decision, preference or experience for later sessions. One thing per call, with
    the reason; never secrets.
    """
    text, context = arguments.text, arguments.context
    if not text.strip():
        raise ToolError(
            "text is blank: there is nothing to remember. Say in a sentence or more what to keep."
        )
    kind, labels = _kind_of(context.hierarchy_level, context.memory_type)
    memory = NewMemory(
        text=text,
        type=kind,
        tags=(*(context.tags or ()), *labels),
        source=context.source_info,
        importance=0.5 if context.importance_score is None else context.importance_score,
        pinned=context.pinned,
        metadata=dict(context.model_extra or {}),
    )
    stored, notes = await _store(call, memory, arguments.scope)
    return _answer(stored, notes), texts.stored(stored, notes)


@tool("Record a lesson of this session")
async def session_lessons(call: Call, arguments: SessionLessons) -> tuple[Stored, str]:
    """Record what this session taught: what you would want to know if you began again remembering
    nothing. The insight, when it applies, what to do.
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
    stored, notes = await _store(call, memory)
    return _answer(stored, notes), texts.lesson_recorded(stored, arguments, notes)


@tool("Update a memory", destroys=True)
async def update_memory(call: Call, arguments: UpdateMemory) -> tuple[Stored, str]:
    """Correct a memory that is no longer right, rather than store a second one that contradicts it.
    What is left out stays.
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
    memory, memory_id = await call.memory_with(arguments.memory_id)
    changed = await call.service.in_thread(memory.update, memory_id, **changes)
    notes = _pending(call, memory, changed)
    if arguments.text is not None:
        notes += [*await _similar(call, memory, changed), texts.before(changed)]
    return _answer(changed, notes), texts.updated(changed, tuple(changes), notes)


async def _store(
    call: Call, memory: NewMemory, scope: Scope = "project"
) -> tuple[Memory, list[str]]:
    """The memory as it is stored now, and what there is to report of it."""
    began = datetime.now(UTC)
    project = await call.service.memory_made(call.ctx, scope)
    stored = await call.service.in_thread(project.store, memory)
    notes = _pending(call, project, stored)
    if stored.created_at < began:
        notes.append(f"it was stored already, on {local_time(stored.created_at)}")
    else:
        notes += await _similar(call, project, stored)
    return stored, notes


async def _similar(call: Call, project: ProjectMemory, memory: Memory) -> list[str]:
    """What is to be said of others that were stored, and say nearly the same or contradict it."""
    similar = await call.service.in_thread(project.alike, memory)
    return [texts.similar(similar)] if similar else []


def _pending(call: Call, project: ProjectMemory, memory: Memory) -> list[str]:
    """What is to be said of a memory that has no vector yet, which is made now if it can be."""
    if memory.embedded:
        return []
    call.service.model.begin(project, asked=True)
    return [texts.LATER]


def _answer(stored: Memory, notes: list[str]) -> Stored:
    return Stored(memory=StoredRecord(id=stored.id), notes=notes or None)


def _kind_of(level: int | None, name: str | None) -> tuple[MemoryType, tuple[str, ...]]:
    """The type that is meant, and tags for what is none: a decision, a convention."""
    types, labels = split_kinds([name or ""])
    if level is not None:
        return MemoryType.from_level(level), labels
    # What deserves a name of its own holds longer than what happened once.
    usual = MemoryType.CONTEXT if labels else MemoryType.EPISODE
    return next(iter(types), usual), labels

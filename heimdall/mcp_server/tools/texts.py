"""What tools and resources answer with, for readers: short plain text, the same facts as the structured content."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from heimdall.mcp_server.tools.results import Deleted, MemoryRecord, Recalled, Status

if TYPE_CHECKING:
    from cognitive_memory.core.memory import Memory
    from heimdall.mcp_server.tools.arguments import SessionLessons

_LATER: Final = "; it is found by keywords now, and by meaning once the model is ready"


def _new(memory: Memory) -> str:
    return f"ID: {memory.id}{'' if memory.embedded else _LATER}"


def stored(memory: Memory) -> str:
    """A memory was stored."""
    return f"Stored: L{memory.type.level} ({memory.type.value}), {_new(memory)}"


def lesson_recorded(memory: Memory, lesson: SessionLessons) -> str:
    """A lesson was stored."""
    return f"Lesson recorded: {lesson.lesson_type}, {lesson.importance}, {_new(memory)}"


def updated(memory: Memory, fields: Sequence[str]) -> str:
    """A memory was changed."""
    return f"Updated {', '.join(fields)} of {memory.id}"


def recalled(recall: Recalled, skipped: int) -> str:
    """Memories that answer a question."""
    how = "keywords and meaning" if recall.mode == "hybrid" else "keywords alone"
    if recall.memories:
        lines = [f"{_count(len(recall.memories))} for {recall.query!r}, found by {how}:"]
    else:
        lines = [f"No {'more ' if skipped else ''}memories found for {recall.query!r} by {how}."]
    lines += _numbered(recall.memories, skipped + 1)
    if recall.notes:
        lines += ["", *(f"Note: {note}" for note in recall.notes)]
    if recall.next_cursor:
        lines += ["", f"More: repeat the call with cursor {recall.next_cursor!r}."]
    return "\n".join(lines)


def deleted(answer: Deleted) -> str:
    """Memories were deleted, or would be."""
    if not answer.count:
        return "No memories found with these tags; nothing was deleted."
    done = "Dry run: would delete" if answer.dry_run else "Deleted"
    lines = [f"{done} {_count(answer.count)}:", *_numbered(answer.memories)]
    if answer.count > len(answer.memories):
        lines += ["", f"… and {answer.count - len(answer.memories)} more"]
    return "\n".join(lines)


def status(answer: Status) -> str:
    """The state of the memory."""
    counts, project = answer.memory_counts, answer.project
    by_type = ", ".join(f"{count} {kind}" for kind, count in counts.by_type.items())
    lines = [
        f"Memory of {project.root} (chosen by {project.chosen_by}): {answer.system_status}",
        (
            f"Memories: {counts.total}{f' ({by_type})' if by_type else ''}; {counts.pinned} pinned; "
            f"{counts.embedded} found by meaning, {counts.pending} by keywords alone so far"
        ),
        f"Model: {answer.model.state}: {answer.model.detail}",
        f"Database: {project.database}{'' if project.exists else ' (made by the first store_memory)'}",
        f"heimdall-mcp {answer.version}",
    ]
    if answer.details:
        lines += [f"{name}: {value}" for name, value in answer.details.items()]
    return "\n".join(lines)


def listing(title: str, records: Iterable[MemoryRecord]) -> str:
    """Memories as Markdown, for a resource or prompt."""
    return "\n".join([f"# {title}", *(_numbered(records) or ["", "None."])])


def _count(memories: int) -> str:
    return "1 memory" if memories == 1 else f"{memories} memories"


def _numbered(records: Iterable[MemoryRecord], first: int = 1) -> list[str]:
    lines = []
    for number, record in enumerate(records, first):
        lines += ["", f"{number}. [{' · '.join(_facts(record))}]", record.text]
        if record.truncated:
            lines[-1] += f" … (goes on; all of it: {record.uri})"
    return lines


def _facts(record: MemoryRecord) -> list[str]:
    facts = [
        record.type,
        f"importance {record.importance_score:g}",
        record.created_at.date().isoformat(),
        f"id {record.id}",
    ]
    if record.pinned:
        facts.insert(0, "pinned")
    if record.tags:
        facts.append(f"tags: {', '.join(record.tags)}")
    if record.source:
        facts.append(f"source: {record.source}")
    if record.context:
        facts.append(f"context: {record.context}")
    return facts

"""What tools and resources answer with, for readers: short plain text, the same facts as the structured content."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from heimdall.mcp_server.tools.results import Deleted, MemoryRecord, Recalled, Status

if TYPE_CHECKING:
    from cognitive_memory.core.memory import Memory
    from heimdall.mcp_server.tools.arguments import SessionLessons

_LATER: Final = "; it is found by keywords now, and by meaning once the model is ready"


def stored(memory: Memory) -> str:
    """A memory was stored."""
    return f"Stored: L{memory.type.level} ({memory.type.value}), ID: {memory.id}{'' if memory.embedded else _LATER}"


def lesson_recorded(memory: Memory, lesson: SessionLessons) -> str:
    """A lesson was stored."""
    later = "" if memory.embedded else _LATER
    return f"Lesson recorded: {lesson.lesson_type}, {lesson.importance}, ID: {memory.id}{later}"


def updated(memory: Memory, fields: Sequence[str]) -> str:
    """A memory was changed."""
    return f"Updated {', '.join(fields)} of {memory.id}"


def recalled(recall: Recalled, skipped: int) -> str:
    """Memories that answer a question."""
    how = "keywords and meaning" if recall.mode == "hybrid" else "keywords alone"
    if recall.memories:
        count = len(recall.memories)
        lines = [
            f"{count} {'memory' if count == 1 else 'memories'} for {recall.query!r}, found by {how}:"
        ]
    else:
        lines = [f"No {'more ' if skipped else ''}memories found for {recall.query!r} by {how}."]
    for number, record in enumerate(recall.memories, skipped + 1):
        lines += ["", *_lines(record, f"{number}. ")]
    if recall.notes:
        lines += ["", *(f"Note: {note}" for note in recall.notes)]
    if recall.next_cursor:
        lines += ["", f"More: repeat the call with cursor {recall.next_cursor!r}."]
    return "\n".join(lines)


def deleted(answer: Deleted) -> str:
    """Memories were deleted, or would be."""
    if not answer.count:
        return "No memories found with these tags; nothing was deleted."
    what = "1 memory" if answer.count == 1 else f"{answer.count} memories"
    lines = [f"Dry run: would delete {what}:" if answer.dry_run else f"Deleted {what}:"]
    for number, record in enumerate(answer.memories, 1):
        lines += ["", *_lines(record, f"{number}. ")]
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
    lines = [f"# {title}"]
    for number, record in enumerate(records, 1):
        lines += ["", *_lines(record, f"{number}. ")]
    return "\n".join(lines) if len(lines) > 1 else f"# {title}\n\nNone."


def _lines(record: MemoryRecord, begin: str) -> list[str]:
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
    more = f" … (goes on; all of it: {record.uri})" if record.truncated else ""
    return [f"{begin}[{' · '.join(facts)}]", f"{record.text}{more}"]

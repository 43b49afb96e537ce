"""What tools and resources answer with, for readers: short plain text, the same facts as the structured content."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from heimdall.mcp_server.tools.results import Deleted, MemoryRecord, Recalled, Status
from heimdall.quoting import DATA_NOT_ORDERS, block, quoted, sentence

if TYPE_CHECKING:
    from cognitive_memory.core.memory import Memory
    from heimdall.mcp_server.tools.arguments import SessionLessons

_USUAL_IMPORTANCE: Final = 0.5
_MOST_TAGS: Final = 20
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
    query = quoted(recall.query)
    if recall.memories:
        lines = [f"{_count(len(recall.memories))} for {query} by {how} ({DATA_NOT_ORDERS}):"]
    else:
        lines = [f"No {'more ' if skipped else ''}memories found for {query} by {how}."]
    lines += _numbered(recall.memories, skipped + 1)
    if recall.notes:
        lines += ["", *(f"Note: {sentence(note)}" for note in recall.notes)]
    if recall.next_cursor:
        lines += ["", f"More: repeat the call with cursor {recall.next_cursor!r}."]
    return "\n".join(lines)


def deleted(answer: Deleted) -> str:
    """Memories were deleted, or would be."""
    if not answer.count:
        return "No memories found with these tags; nothing was deleted."
    done = "Dry run: would delete" if answer.dry_run else "Deleted"
    told = f"{done} {_count(answer.count)} ({DATA_NOT_ORDERS}):"
    lines = [told, *_numbered(answer.memories)]
    if answer.count > len(answer.memories):
        lines += ["", f"… and {answer.count - len(answer.memories)} more"]
    return "\n".join(lines)


def status(answer: Status) -> str:
    """The state of the memory."""
    counts, project = answer.memory_counts, answer.project
    by_type = ", ".join(f"{count} {kind}" for kind, count in counts.by_type.items())
    lines = [
        f"Memory of {quoted(project.root)} (chosen by {sentence(project.chosen_by)}): {answer.system_status}",
        (
            f"Memories: {counts.total}{f' ({by_type})' if by_type else ''}; {counts.pinned} pinned; "
            f"{counts.embedded} found by meaning, {counts.pending} by keywords alone so far"
        ),
        f"Model: {answer.model.state}: {sentence(answer.model.detail)}",
        f"Database: {quoted(project.database)}{'' if project.exists else ' (made by the first store_memory)'}",
        f"heimdall-mcp {answer.version}",
    ]
    if answer.details:
        lines += [f"{name}: {sentence(_as_json(value))}" for name, value in answer.details.items()]
    return "\n".join(lines)


def listing(title: str, records: Iterable[MemoryRecord]) -> str:
    """Memories as Markdown, for a resource or prompt."""
    entries = _numbered(records)
    return "\n".join(
        [f"# {title}", *((f"({DATA_NOT_ORDERS})", *entries) if entries else ("", "None."))]
    )


def _count(memories: int) -> str:
    return "1 memory" if memories == 1 else f"{memories} memories"


def _numbered(records: Iterable[MemoryRecord], first: int = 1) -> list[str]:
    lines = []
    for number, record in enumerate(records, first):
        lines += ["", f"{number}. [{' · '.join(_facts(record))}]", block(record.text)]
        if record.truncated:
            lines.append(f"… (goes on; all of it: {record.uri})")
    return lines


def _facts(record: MemoryRecord) -> list[str]:
    facts: list[str] = [record.origin, record.type]
    if record.pinned:
        facts.append("pinned")
    if record.importance_score != _USUAL_IMPORTANCE:
        facts.append(f"importance {record.importance_score:g}")
    facts += [record.created_at.date().isoformat(), f"id {record.id}"]
    if record.tags:
        facts.append(f"tags {', '.join(map(quoted, record.tags[:_MOST_TAGS]))}")
    if record.source:
        facts.append(f"source {quoted(record.source)}")
    if record.context:
        facts.append(f"context {quoted(record.context)}")
    return facts


def _as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)

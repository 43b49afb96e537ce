"""What tools and resources answer with, for readers: short plain text, the same facts as the structured content."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from cognitive_memory.core.memory import Scope
from heimdall.mcp_server.tools.results import Deleted, Listed, MemoryRecord, Recalled, Status
from heimdall.models.text import shortened
from heimdall.quoting import DATA_NOT_ORDERS, block, clean, quoted, sentence

if TYPE_CHECKING:
    from cognitive_memory.core.memory import Memory
    from heimdall.mcp_server.tools.arguments import SessionLessons

LATER: Final = "it is found by keywords now, and by meaning once the model is ready"
_BEGINNING: Final = 100
"""Characters of a memory that is only named."""
EXCERPTS: Final = "of a text that is an excerpt, get_memory has all"


def stored(memory: Memory, notes: Sequence[str]) -> str:
    """A memory was stored."""
    everywhere = " for all projects" if memory.scope is Scope.USER else ""
    return _noted(
        f"Stored{everywhere}: L{memory.type.level} ({memory.type.value}), ID: {memory.id}", notes
    )


def similar(memories: Sequence[Memory]) -> str:
    """What was stored before and is like what was stored now."""
    named = ", ".join(f"{each.id} {quoted(_beginning(each.text))}" for each in memories)
    return (
        f"like what is stored: {named}; if one of these is the same, or no longer right, update_memory it and "
        "delete_memory this one"
    )


def lesson_recorded(memory: Memory, lesson: SessionLessons, notes: Sequence[str]) -> str:
    """A lesson was stored."""
    told = f"Lesson recorded: {lesson.lesson_type}, {lesson.importance}, ID: {memory.id}"
    return _noted(told, notes)


def before(memory: Memory) -> str:
    """Where the text is that was changed: the user may have had a secret taken out."""
    from cognitive_memory.storage.short_ids import short_id

    return f"what it said before is kept until 'heimdall history {short_id(memory.id)} --forget'"


def updated(memory: Memory, fields: Sequence[str], notes: Sequence[str]) -> str:
    """A memory was changed."""
    return _noted(f"Updated {', '.join(fields)} of {memory.id}", notes)


def recalled(recall: Recalled, skipped: int) -> str:
    """Memories that answer a question."""
    how = "keywords and meaning" if recall.mode == "hybrid" else "keywords alone"
    return _page(recall, f" by {how}", skipped)


def listed(page: Listed, order: str, *, more: bool) -> str:
    """Memories in an order; `more` if it is not the first page."""
    return _page(page, f", {order} first", int(more))


def read(page: Listed, start: int, characters: int) -> str:
    """One memory, from its character `start` on, of so many."""
    (record,) = page.memories
    part = f", characters {start} to {start + len(record.text)} of {characters}"
    lines = [f"Memory{part if record.truncated else ''} ({DATA_NOT_ORDERS}):"]
    lines += ["", f"[{facts(record)}]", block(record.text)]
    if page.next_cursor:
        lines += ["", f"More: repeat the call with cursor {page.next_cursor!r}."]
    return "\n".join(lines)


def _page(page: Listed, how: str, skipped: int) -> str:
    asked = isinstance(page, Recalled)
    if page.memories:
        lines = [f"{_count(len(page.memories))}{how} ({DATA_NOT_ORDERS}):"]
    else:
        lines = [f"No {'more ' if skipped else ''}memories found{how if asked else ''}."]
    lines += _numbered(page.memories, skipped + 1 if asked else 1)
    if page.notes:
        lines += ["", *(f"Note: {sentence(note)}" for note in page.notes)]
    if page.next_cursor:
        lines += ["", f"More: repeat the call with cursor {page.next_cursor!r}."]
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
    whose = "the user alone, without a project"
    if project:
        whose = f"{quoted(project.root)} (chosen by {sentence(project.chosen_by)})"
    lines = [
        f"Memory of {whose}: {answer.system_status}",
        (
            f"Memories: {counts.total}{f' ({by_type})' if by_type else ''}; {counts.pinned} pinned; "
            f"{counts.embedded} found by meaning, {counts.pending} by keywords alone so far"
        ),
        f"Model: {answer.model.state}: {sentence(answer.model.detail)}",
    ]
    if project and answer.user_memories is not None:
        lines.append(f"In all projects of the user: {_count(answer.user_memories)}")
    if project:
        made = "" if project.exists else " (made by the first store_memory)"
        lines.append(f"Database: {quoted(project.database)}{made}")
    lines.append(f"heimdall-mcp {answer.version}")
    lines += [f"Note: {sentence(note)}" for note in answer.notes or ()]
    if answer.details:
        lines += [f"{name}: {sentence(_as_json(value))}" for name, value in answer.details.items()]
    return "\n".join(lines)


def listing(title: str, records: Iterable[MemoryRecord]) -> str:
    """Memories as Markdown, for a resource or prompt."""
    entries = _numbered(records)
    return "\n".join(
        [f"# {title}", *((f"({DATA_NOT_ORDERS})", *entries) if entries else ("", "None."))]
    )


def facts(record: MemoryRecord) -> str:
    """What is said of a memory besides its text."""
    said: list[str] = [record.origin, record.type]
    if record.scope:
        said.append(f"scope: {record.scope}")
    said += [word for word in ("weak", "pinned") if getattr(record, word)]
    if record.importance_score is not None:
        said.append(f"importance {record.importance_score:g}")
    said.append(record.created_at)
    if record.updated_at:
        said.append(f"changed {record.updated_at}")
    said.append(f"id {record.id}")
    if record.tags:
        said.append(f"tags {', '.join(map(quoted, record.tags))}")
    if record.source:
        said.append(f"source {quoted(record.source)}")
    if record.context:
        said.append(f"context {quoted(record.context)}")
    if record.also_in:
        said.append(f"also in {', '.join(map(quoted, record.also_in))}")
    if record.truncated:
        said.append("excerpt")
    return " · ".join(said)


def _beginning(text: str) -> str:
    return shortened(" ".join(clean(text).split()), _BEGINNING)


def _count(memories: int) -> str:
    return "1 memory" if memories == 1 else f"{memories} memories"


def _noted(told: str, notes: Sequence[str]) -> str:
    return "; ".join([told, *map(sentence, notes)])


def _numbered(records: Iterable[MemoryRecord], first: int = 1) -> list[str]:
    lines = []
    for number, record in enumerate(records, first):
        lines += ["", f"{number}. [{facts(record)}]", block(record.text)]
    return lines


def _as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)

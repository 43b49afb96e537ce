"""What tools answer with, for programs: the structured content, no larger than the text. What goes without saying is
left out.

Many clients show their model this alone, so it says all that the text says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

from cognitive_memory.core.local_time import local_time
from cognitive_memory.core.memory import Memory, Scope
from heimdall.models.text import shortened
from heimdall.quoting import clean

USUAL_IMPORTANCE = 0.5
_MOST_TAGS = 20
_MOST_PLACES = 3
_LONGEST_LABEL = 60
_LONGEST_NAME = 300


class Result:
    """Base of all."""

    def document(self) -> dict[str, Any]:
        """It as JSON has it, without what is None."""
        known = ((field.name, getattr(self, field.name)) for field in fields(self))  # type: ignore[arg-type]  # all are dataclasses
        return {name: _plain(value) for name, value in known if value is not None}


@dataclass(slots=True, kw_only=True)
class MemoryRecord(Result):
    """A memory.

    Attributes:
        truncated: whether `text` is a part of the memory's text.
        origin: stored: here, by the user or their assistant; document: a file of the project; commit: its history;
            captured: a transcript; adopted: a database or export that somebody else may have written.
        scope: only where it holds in all projects of this user.
        weak: whether it is unlikely to answer the question.
        created_at: in this machine's zone, to the minute: what it tells of, or when it was stored.
        updated_at: only where it was changed after it was made.
        importance_score: only where it is not `USUAL_IMPORTANCE`.
        also_in: where else the same text is: sources, or ids of memories without one.
    """

    id: str
    text: str
    truncated: Literal[True] | None = None
    scope: Literal["user"] | None = None
    weak: Literal[True] | None = None
    type: Literal["concept", "context", "episode"]
    origin: Literal["stored", "document", "commit", "captured", "adopted"]
    created_at: str
    updated_at: str | None = None
    tags: list[str] | None = None
    source: str | None = None
    context: str | None = None
    importance_score: float | None = None
    pinned: Literal[True] | None = None
    also_in: list[str] | None = None

    @classmethod
    def of(
        cls,
        memory: Memory,
        *,
        text: str | None = None,
        whole: bool = True,
        weak: bool = False,
        also_in: Sequence[str] = (),
    ) -> MemoryRecord:
        """The record of a stored memory.

        Args:
            text: what is shown of its text; default: all of it.
            whole: whether that is all.
            weak, also_in: as the attributes.
        """
        changed = (memory.updated_at - memory.created_at).total_seconds() >= 60
        return cls(
            id=memory.id,
            text=clean(memory.text if text is None else text),
            truncated=None if whole else True,
            scope="user" if memory.scope is Scope.USER else None,
            weak=weak or None,
            type=memory.type.value,
            origin=memory.origin.value,
            created_at=local_time(memory.created_at),
            updated_at=local_time(memory.updated_at) if changed else None,
            tags=_labels(memory.tags, most=_MOST_TAGS, longest=_LONGEST_LABEL),
            source=_short(memory.source, _LONGEST_NAME),
            context=_short(memory.context, _LONGEST_NAME),
            importance_score=None if memory.importance == USUAL_IMPORTANCE else memory.importance,
            pinned=memory.pinned or None,
            also_in=_labels(also_in, most=_MOST_PLACES, longest=_LONGEST_NAME),
        )


@dataclass(slots=True, kw_only=True)
class StoredRecord(Result):
    """Of a memory that was stored, what its caller does not know."""

    id: str


@dataclass(slots=True, kw_only=True)
class Stored(Result):
    """Result of `store_memory` and `session_lessons`, and of `update_memory`."""

    memory: StoredRecord
    notes: list[str] | None = None


@dataclass(slots=True, kw_only=True)
class Listed(Result):
    """Result of `list_memories` and `get_memory`.

    Attributes:
        notes: what to know about this answer.
        next_cursor: to be passed as `cursor` for what follows; None at the end.
    """

    memories: list[MemoryRecord]
    notes: list[str] | None = None
    next_cursor: str | None = None


@dataclass(slots=True, kw_only=True)
class Recalled(Listed):
    """Result of `recall_memories`: best first.

    Attributes:
        mode: hybrid: by keywords and meaning; keywords: by these alone.
    """

    mode: Literal["hybrid", "keywords"]


@dataclass(slots=True, kw_only=True)
class Deleted(Result):
    """Result of the tools that delete.

    Attributes:
        dry_run: whether nothing was deleted yet.
        count: how many memories were deleted, or would be.
        memories: they, or the first of them; long texts are cut.
    """

    dry_run: bool
    count: int
    memories: list[MemoryRecord]


@dataclass(slots=True, kw_only=True)
class ProjectRecord(Result):
    """The project that the memories belong to.

    Attributes:
        chosen_by: what pointed to it: HEIMDALL_PROJECT, a root of the client, …
        exists: whether it has a memory yet; the first store makes it.
    """

    root: str
    chosen_by: str
    database: str
    exists: bool
    id: str | None = None


@dataclass(slots=True, kw_only=True)
class Counts(Result):
    """How many memories there are.

    Attributes:
        embedded: so many can be found by meaning.
        pending: so many can be found by keywords alone so far.
    """

    total: int
    by_type: dict[str, int]
    pinned: int
    embedded: int
    pending: int


@dataclass(slots=True, kw_only=True)
class ModelRecord(Result):
    """The embedding model, without which there is no search by meaning.

    Attributes:
        detail: the state in words; what to do when something is wrong.
        done, total: bytes fetched or memories embedded, of so many.
    """

    state: Literal["waiting", "fetching", "loading", "embedding", "ready", "failed"]
    detail: str
    done: int | None = None
    total: int | None = None


@dataclass(slots=True, kw_only=True)
class Status(Result):
    """Result of `memory_status`.

    Attributes:
        system_status: degraded: recall works by keywords alone for now.
        project: None: there is none, and all is about the user's own memory.
        user_memories: so many hold in all projects of the user.
        details: when they were asked for.
    """

    system_status: Literal["healthy", "degraded"]
    version: str
    project: ProjectRecord | None = None
    memory_counts: Counts
    user_memories: int | None = None
    notes: list[str] | None = None
    model: ModelRecord
    details: dict[str, object] | None = None


def memory_uri(memory_id: str) -> str:
    """The URI of the resource of one memory."""
    return f"heimdall://memory/{memory_id}"


def _plain(value: object) -> object:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.document() if isinstance(value, Result) else value


def _labels(labels: Sequence[str], *, most: int, longest: int) -> list[str] | None:
    shown = [_short(label, longest) or "" for label in labels[:most]]
    return [*shown, "…"] if len(labels) > most else shown or None


def _short(text: str | None, longest: int) -> str | None:
    return shortened(clean(text or ""), longest) or None

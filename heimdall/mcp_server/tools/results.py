"""What tools answer with, for programs: the structured content. What is unknown is left out."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from cognitive_memory.core.memory import Memory
from heimdall.quoting import clean

SHOWN_CHARACTERS = 8000
"""Of a longer memory so much is shown; the resource of the memory has all of it."""


class MemoryRecord(BaseModel):
    """A memory."""

    id: str
    uri: str = Field(description="The resource that has all of this memory")
    text: str
    truncated: bool | None = Field(
        default=None, description="Whether the text goes on; the resource has all of it"
    )
    type: Literal["concept", "context", "episode"]
    hierarchy_level: int = Field(description="0 = concept, 1 = context, 2 = episode")
    tags: list[str]
    source: str | None = None
    origin: Literal["stored", "document", "commit", "captured", "adopted"] = Field(
        description="stored: here, by the user or their assistant; document: a file of the project; commit: its history; "
        "captured: a transcript; adopted: a database or export that somebody else may have written"
    )
    context: str | None = None
    importance_score: float
    pinned: bool
    created_at: datetime
    updated_at: datetime
    embedded: bool = Field(
        description="Whether it can be found by meaning already, not by keywords alone"
    )
    score: float | None = Field(
        default=None, description="How well it answers, comparable within this answer alone"
    )

    @classmethod
    def of(
        cls, memory: Memory, *, score: float | None = None, characters: int = SHOWN_CHARACTERS
    ) -> MemoryRecord:
        """The record of a stored memory, with so many characters of its text at most."""
        return cls(
            id=memory.id,
            uri=memory_uri(memory.id),
            text=clean(memory.text[:characters]),
            truncated=len(memory.text) > characters or None,
            type=memory.type.value,
            hierarchy_level=memory.type.level,
            tags=[clean(tag) for tag in memory.tags],
            source=memory.source if memory.source is None else clean(memory.source),
            origin=memory.origin.value,
            context=clean(memory.context) or None,
            importance_score=memory.importance,
            pinned=memory.pinned,
            created_at=memory.created_at,
            updated_at=memory.updated_at,
            embedded=memory.embedded,
            score=score,
        )


class Stored(BaseModel):
    """Result of `store_memory` and `session_lessons`, and of `update_memory`."""

    memory: MemoryRecord


class Recalled(BaseModel):
    """Result of `recall_memories`."""

    query: str
    mode: Literal["hybrid", "keywords"] = Field(
        description="hybrid: by keywords and meaning; keywords: by these alone"
    )
    memories: list[MemoryRecord] = Field(description="Best first")
    pending: int = Field(description="Memories that can be found by keywords alone so far")
    notes: list[str] = Field(description="What to know about this answer")
    next_cursor: str | None = Field(
        default=None, description="Pass it as cursor for the next page; absent at the end"
    )


class Deleted(BaseModel):
    """Result of the tools that delete."""

    dry_run: bool = Field(description="Whether nothing was deleted yet")
    count: int = Field(description="How many memories were deleted, or would be")
    memories: list[MemoryRecord] = Field(
        description="They, or the first of them; long texts are cut"
    )


class ProjectRecord(BaseModel):
    """The project that the memories belong to."""

    root: str
    chosen_by: str = Field(
        description="What pointed to it: HEIMDALL_PROJECT, a root of the client, …"
    )
    database: str
    exists: bool = Field(description="Whether it has a memory yet; the first store makes it")
    id: str | None = None


class Counts(BaseModel):
    """How many memories there are."""

    total: int
    by_type: dict[str, int]
    pinned: int
    embedded: int = Field(description="So many can be found by meaning")
    pending: int = Field(description="So many can be found by keywords alone so far")


class ModelRecord(BaseModel):
    """The embedding model, without which there is no search by meaning."""

    state: Literal["waiting", "fetching", "loading", "embedding", "ready", "failed"]
    detail: str = Field(description="The state in words; what to do when something is wrong")
    done: int | None = Field(default=None, description="Bytes fetched or memories embedded")
    total: int | None = Field(default=None, description="Of so many")


class Status(BaseModel):
    """Result of `memory_status`."""

    system_status: Literal["healthy", "degraded"] = Field(
        description="degraded: recall works by keywords alone for now"
    )
    version: str
    project: ProjectRecord
    memory_counts: Counts
    model: ModelRecord
    details: dict[str, object] | None = Field(
        default=None, description="When detailed was asked for"
    )


def memory_uri(memory_id: str) -> str:
    """The URI of the resource of one memory."""
    return f"heimdall://memory/{memory_id}"

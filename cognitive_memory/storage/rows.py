"""Memories as rows, and rows as memories."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cognitive_memory.core.memory import Json, Memory, MemoryType, NewMemory, content_hash
from cognitive_memory.storage import times

COLUMNS = (
    "memories.id, memories.text, memories.context, memories.type, memories.tags, memories.source, memories.importance, "
    "memories.pinned, memories.created_at, memories.updated_at, memories.metadata, memories.content_hash, "
    "memories.revision, embeddings.vector IS NOT NULL, memories.key"
)
"""What `as_memory` expects, of `JOINED`."""

JOINED = "memories LEFT JOIN embeddings ON embeddings.memory = memories.key AND embeddings.model = :model"
"""Memories with their vector of the model whose number is `:model`, if they have one."""


@dataclass(frozen=True, slots=True)
class Fields:
    """What a user says of a memory, as columns; equal when nothing would change."""

    text: str
    context: str
    type: str
    tags: str
    source: str | None
    importance: float
    pinned: int
    created_at: int
    metadata: str
    content_hash: bytes

    NAMES = (
        "text",
        "context",
        "type",
        "tags",
        "source",
        "importance",
        "pinned",
        "created_at",
        "metadata",
        "content_hash",
    )

    def values(self) -> tuple[Any, ...]:
        """Each of `NAMES`."""
        return tuple(getattr(self, name) for name in self.NAMES)


def as_fields(memory: NewMemory, *, created_at: int) -> Fields:
    """The columns of a memory; `created_at` is taken where it says none itself."""
    return Fields(
        text=memory.text,
        context=memory.context,
        type=str(memory.type),
        tags=as_json(list(memory.tags)),
        source=memory.source,
        importance=memory.importance,
        pinned=int(memory.pinned),
        created_at=created_at
        if memory.created_at is None
        else times.microseconds(memory.created_at),
        metadata=as_json(memory.metadata),
        content_hash=content_hash(memory.text, memory.context),
    )


def as_memory(row: tuple[Any, ...]) -> Memory:
    """The memory of a row of `COLUMNS`."""
    return Memory(
        id=row[0],
        text=row[1],
        context=row[2],
        type=MemoryType(row[3]),
        tags=tuple(json.loads(row[4])),
        source=row[5],
        importance=row[6],
        pinned=bool(row[7]),
        created_at=times.moment(row[8]),
        updated_at=times.moment(row[9]),
        metadata=json.loads(row[10]),
        content_hash=row[11].hex(),
        revision=row[12],
        embedded=bool(row[13]),
    )


def as_json(value: Mapping[str, Json] | list[str]) -> str:
    """JSON as it is stored: short, with letters as they are."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)

"""Memories as rows, and rows as memories."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from cognitive_memory.core.memory import Json, Memory, MemoryType, NewMemory, content_hash
from cognitive_memory.storage import times

COLUMNS = (
    "memories.id, memories.text, memories.context, memories.type, memories.tags, memories.source, memories.importance, "
    "memories.pinned, memories.created_at, memories.updated_at, memories.metadata, memories.content_hash, "
    "memories.revision, embeddings.vector IS NOT NULL"
)
"""What `as_memory` expects, of memories joined with their embeddings."""


def as_columns(memory: NewMemory, *, created_at: int) -> dict[str, Any]:
    """What a memory says, as columns; `created_at`, in microseconds, is taken where it says none itself."""
    if memory.created_at is not None:
        created_at = times.microseconds(memory.created_at)
    return {
        "text": memory.text,
        "context": memory.context,
        "type": str(memory.type),
        "tags": as_json(memory.tags),
        "source": memory.source,
        "importance": memory.importance,
        "pinned": int(memory.pinned),
        "created_at": created_at,
        "metadata": as_json(memory.metadata),
        "content_hash": content_hash(memory.text, memory.context),
    }


def as_memory(row: Sequence[Any]) -> Memory:
    """The memory of a row that begins with `COLUMNS`."""
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


def as_json(value: Mapping[str, Json] | Sequence[object]) -> str:
    """JSON as it is stored: short, with letters as they are."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)

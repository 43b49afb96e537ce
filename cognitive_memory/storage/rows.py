"""Memories as rows, and rows as memories."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cognitive_memory.core.memory import (
    DOCUMENT_KEYS,
    Memory,
    MemoryType,
    NewMemory,
    Origin,
    Scope,
    content_hash,
)
from cognitive_memory.core.values import Json
from cognitive_memory.storage import times
from cognitive_memory.storage.errors import BadRowError


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    raise ValueError(f"text was expected, not {type(value).__name__}")


def _tags(value: str) -> tuple[str, ...]:
    tags = json.loads(value)
    if not isinstance(tags, list):
        raise ValueError("its tags are no list")  # noqa: TRY004 (the row is wrong)
    return tuple(map(_text, tags))


def _metadata(value: str) -> dict[str, Json]:
    metadata = json.loads(value)
    if not isinstance(metadata, dict):
        raise ValueError("its metadata is no object")  # noqa: TRY004 (the row is wrong)
    return metadata


def _importance(value: float) -> float:
    if 0 <= value <= 1:
        return float(value)
    raise ValueError(f"its importance is {value!r}")


_FROM_ROW: Mapping[str, Callable[[Any], object]] = {
    **dict.fromkeys(DOCUMENT_KEYS, _text),
    "type": MemoryType,
    "origin": Origin,
    "tags": _tags,
    "source": lambda source: None if source is None else _text(source),
    "importance": _importance,
    "pinned": bool,
    "created_at": times.moment,
    "updated_at": times.moment,
    "metadata": _metadata,
    "content_hash": bytes.hex,
    "revision": int,
    "embedded": bool,
}
"""How each field of a memory is read, in the order of the columns."""

COLUMNS = f"memories.{', memories.'.join([*_FROM_ROW][:-1])}, embeddings.vector IS NOT NULL"
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
        "origin": str(memory.origin),
        "importance": memory.importance,
        "pinned": int(memory.pinned),
        "created_at": created_at,
        "metadata": as_json(memory.metadata),
        "content_hash": content_hash(memory.text, memory.context),
    }


def as_memory(row: Sequence[Any], scope: Scope = Scope.PROJECT) -> Memory:
    """The memory of a row that has `COLUMNS`, in a database of that scope.

    Raises:
        BadRowError: it can't be one that was stored here; somebody changed the file.
    """
    values = zip(_FROM_ROW.items(), row, strict=True)
    try:
        return Memory(**{name: read(value) for (name, read), value in values}, scope=scope)  # type: ignore[arg-type]
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise BadRowError(f"{str(row[0])[:40]!r}: {str(error)[:100]!r}") from error


def as_json(value: Mapping[str, Json] | Sequence[object]) -> str:
    """JSON as it is stored: short, with letters as they are."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)

"""A row of the original's table of memories, as a memory of ours: nothing that it says is lost.

Rows may hold anything: whatever else is wrong with one, its text comes over.
"""

from __future__ import annotations

import contextlib
import json
import math
import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from uuid import NAMESPACE_URL, UUID, uuid5

from cognitive_memory.core.memory import MemoryType, NewMemory, Origin
from cognitive_memory.core.values import METADATA_DEPTH, Json, is_deeper

KEPT_AS = "heimdall_0_3"
"""The key in a memory's metadata below which everything is kept that has no other place."""
_JULIAN = 10_000_000.0
"""Times below this are Julian days, as SQL defaults and updates wrote them; above it, seconds since
1970, as Python did."""
_JULIAN_1970, _DAY = 2_440_587.5, 86_400.0
_UNSET = 0.5
"""Importance where nobody had set one; 0.0 is the column's default, and the original never wrote
another value there."""
_OF_COMMITS = "git:history"
"""The source of a project's own commits, as 'heimdall git-load' names it: it takes them over when
it is run next.
"""
_KEPT_AS_THEY_ARE = (
    "memory_type",
    "strength",
    "access_count",
    "decay_rate",
    "consolidation_status",
)


def as_memory(
    row: Mapping[str, object] | sqlite3.Row, connections: list[dict[str, Json]], root: Path
) -> NewMemory:
    """What a row says, as a memory.

    Args:
        row: of the original's table `memories`.
        connections: those that begin at it.
        root: the project's directory: sources in it are named relative to it.
    """
    values = dict(row)
    metadata = _object(values.get("context_metadata"))
    importance = _importance(values.get("importance_score"), metadata.pop("importance_score", None))
    tags = _tags(values.get("tags")) or _tags(metadata.get("tags"))
    source, extra = _source(metadata, root)
    for name in ("tags", "hierarchy_level"):
        metadata.pop(name, None)
    return NewMemory(
        id=as_uuid(str(values["id"])),
        text=str(values["content"]),
        type=_type(values.get("hierarchy_level")),
        tags=tags,
        source=source,
        # The file may have come with a clone.
        origin=Origin.ADOPTED,
        importance=importance,
        created_at=_happened(values, metadata),
        metadata={**metadata, **extra, KEPT_AS: _kept(values, connections)},
    )


def as_uuid(legacy_id: str) -> str:
    """The id itself if it is a UUID, as nearly all are; else one that follows from it."""
    try:
        return str(UUID(legacy_id))
    except ValueError:
        return str(uuid5(NAMESPACE_URL, f"heimdall-0.3:{legacy_id}"))


def _kept(values: Mapping[str, object], connections: list[dict[str, Json]]) -> dict[str, Json]:
    """What has no place of its own: how it was used, how it was to fade, what it was connected with."""
    kept: dict[str, Json] = {
        name: plain(values[name]) for name in _KEPT_AS_THEY_ARE if values.get(name) is not None
    }
    for name in ("last_accessed", "created_at", "updated_at"):
        if (when := _moment(values.get(name))) is not None:
            kept[name] = when.isoformat()
    dimensions = _object(values.get("dimensions"))
    if dimensions:
        kept["dimensions"] = dimensions
    if as_uuid(str(values["id"])) != str(values["id"]).lower():
        kept["id"] = str(values["id"])
    if connections:
        kept["connections"] = [*connections]
    return kept


def _source(metadata: Mapping[str, Json], root: Path) -> tuple[str | None, dict[str, Json]]:
    """The source as our loaders name it, and what they look for.

    Loading it again then replaces what came over.
    """
    path = metadata.get("source_path")
    if not isinstance(path, str) or not path.strip():
        return None, {}
    absolute = Path(path) if Path(path).is_absolute() else root / path
    with contextlib.suppress(OSError, ValueError, RuntimeError):
        absolute = absolute.resolve()
    below = absolute.is_relative_to(root.resolve())
    relative = absolute.relative_to(root.resolve()).as_posix() if below else absolute.as_posix()
    commit = metadata.get("commit_hash")
    if isinstance(commit, str) and commit:
        extra: dict[str, Json] = {"kind": "commit", "commit": commit}
        return (_OF_COMMITS if relative == "." else f"{_OF_COMMITS}/{relative.lstrip('/')}"), extra
    return relative, {}


def _happened(values: Mapping[str, object], metadata: Mapping[str, Json]) -> datetime | None:
    """When a commit was made; of everything else, when it was stored."""
    if metadata.get("commit_hash") and isinstance(text := metadata.get("timestamp"), str):
        with contextlib.suppress(ValueError, OverflowError, OSError):
            return datetime.fromisoformat(text).astimezone(UTC)
    return _moment(values.get("timestamp")) or _moment(values.get("created_at"))


def _moment(value: object) -> datetime | None:
    number = _number(value)
    if number is None or number <= 0:
        return None
    seconds = (number - _JULIAN_1970) * _DAY if number < _JULIAN else number
    with contextlib.suppress(ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(seconds, UTC)
    return None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if math.isfinite(value) else None


def _type(level: object) -> MemoryType:
    return (
        MemoryType.from_level(level)
        if isinstance(level, int) and level in {0, 1, 2}
        else MemoryType.EPISODE
    )


def _importance(column: object, said: Json) -> float:
    """The column, or what the assistant said, which the original kept in the metadata alone."""
    numbers = (_number(column), _number(said))
    return next((number for number in numbers if number and 0 < number <= 1), _UNSET)


def _tags(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):  # RecursionError: lists in lists, thousands deep
            return ()
    tags = value if isinstance(value, list) else []
    return tuple(text for tag in tags if (text := _clean(str(tag)).strip()))


def _object(text: object) -> dict[str, Json]:
    if not isinstance(text, str) or not text:
        return {}
    try:
        value = plain(json.loads(text))
    except (ValueError, RecursionError):
        return {"unreadable": _clean(text)}
    if is_deeper(value, METADATA_DEPTH - 5):  # it is put into levels of our own
        return {"unreadable": _clean(text)}
    return value if isinstance(value, dict) else {"value": value}


def plain(value: object) -> Json:
    """What JSON can carry of a value: Python also writes and reads NaN and lone surrogates."""
    if isinstance(value, dict):
        return {_clean(str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, str):
        return _clean(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, (int, bool)) else None


def _clean(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")

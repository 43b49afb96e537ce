"""A memory with nothing that stands out, to be varied with `dataclasses.replace`."""

from __future__ import annotations

from datetime import UTC, datetime

from cognitive_memory.core.memory import Memory, MemoryType, Origin

NOW = datetime(2026, 11, 23, tzinfo=UTC)
MEMORY = Memory(
    id="6f9619ff-8b86-d011-b42d-00c04fc964ff",
    text="text",
    type=MemoryType.EPISODE,
    origin=Origin.STORED,
    created_at=NOW,
    updated_at=NOW,
    content_hash="",
    revision=1,
    embedded=True,
)

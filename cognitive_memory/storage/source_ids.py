"""Ids that follow from a source and a content, so that a repeated load changes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID, uuid5

from cognitive_memory.core.memory import NewMemory, content_hash

_SOURCE_IDS = UUID("6f1c1c1e-3b0a-5d8e-9a53-0c0d6f0a7c11")
"""The namespace of ids that follow from a source and a content; any constant would do."""


def identified(source: str, memories: Iterable[NewMemory]) -> Iterable[NewMemory]:
    """Memories of a source with ids: those of the n-th memory of a content are the same on every machine."""
    occurrences: Counter[bytes] = Counter()
    for memory in memories:
        digest = content_hash(memory.text, memory.context)
        name = f"{len(source)}:{source}:{digest.hex()}:{occurrences[digest]}"
        occurrences[digest] += 1
        yield replace(memory, source=source, id=memory.id or str(uuid5(_SOURCE_IDS, name)))

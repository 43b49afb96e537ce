"""What a project's memory holds, counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cognitive_memory.core.memory import MemoryType


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryStatus:
    """A project's memory at one moment.

    Attributes:
        database: the database file.
        project_id: the id that is stored in it.
        schema_version: its schema.
        revision: its change counter.
        size: bytes of the file and its write-ahead log.
        memories: how many there are.
        pinned: how many of them are pinned.
        types: how many of each type.
        tags: how many have each tag, most frequent first.
        sources: how many sources they come from.
        embedded: how many have a vector of the current model.
        pending: how many can get one and have none yet.
        not_embeddable: how many can't have one, since the model finds nothing to read in them.
        model: the current embedding space: what vectors depend on; None when no model is pinned.
    """

    database: Path
    project_id: str
    schema_version: int
    revision: int
    size: int
    memories: int
    pinned: int
    types: Mapping[MemoryType, int]
    tags: Mapping[str, int]
    sources: int
    embedded: int
    pending: int
    not_embeddable: int
    model: str | None

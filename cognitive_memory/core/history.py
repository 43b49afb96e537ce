"""What became of a memory since it was stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cognitive_memory.core.values import Json


class How(StrEnum):
    """What changed a memory."""

    STORED = "stored"
    """It came here."""
    UPDATED = "updated"
    """Somebody changed fields of it."""
    MERGED = "merged"
    """Somebody stored the same text again, with other details."""
    REPLACED = "replaced"
    """Somebody stored something else under its id."""
    IMPORTED = "imported"
    """Lines of JSON brought a newer one of that id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One step of a memory's history.

    Attributes:
        at: when, in UTC.
        how: what happened.
        before: what the fields that changed held before, by name; empty for what came first.
        after: what they held from then on; for what came first, its text.
    """

    at: datetime
    how: How
    before: Mapping[str, Json]
    after: Mapping[str, Json]

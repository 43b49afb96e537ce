"""What one source did when it was asked for a model."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one source did: its name, its place (without secrets) and why it did not deliver."""

    source: str
    place: str
    reason: str

    def __str__(self) -> str:
        place = "" if self.place in self.reason else f"{self.place}: "
        return f"{self.source}: {place}{self.reason}"

"""Filters as SQL conditions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from cognitive_memory.core.recall import RecallFilter
from cognitive_memory.storage import times


@dataclass(slots=True)
class Conditions:
    """Conditions that must all hold, with the values of their parameters."""

    clauses: list[str] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)

    def add(self, clause: str, **values: object) -> None:
        """One more condition; `values` are its named parameters."""
        self.clauses.append(clause)
        self.values.update(values)

    def one_of(self, name: str, values: Collection[object]) -> str:
        """An SQL list of parameters for `values`."""
        self.values.update({f"{name}_{index}": value for index, value in enumerate(values)})
        return f"({', '.join(f':{name}_{index}' for index in range(len(values)))})"

    def __str__(self) -> str:
        return " AND ".join(self.clauses) or "TRUE"


def conditions(filter: RecallFilter, *, pinned: bool | None = None) -> Conditions:  # noqa: A002 (the facade's word)
    """The conditions on `memories` that a filter means."""
    found = Conditions()
    if filter.types:
        found.add(f"memories.type IN {found.one_of('type', sorted(filter.types))}")
    if filter.tags:
        tags = found.one_of("tag", sorted(filter.tags))
        found.add(f"memories.key IN (SELECT memory FROM memory_tags WHERE tag IN {tags})")
    if filter.sources:
        found.add(f"({' OR '.join(_below(found, sorted(filter.sources)))})")
    if filter.since is not None:
        found.add("memories.created_at >= :since", since=times.microseconds(filter.since))
    if filter.until is not None:
        found.add("memories.created_at < :until", until=times.microseconds(filter.until))
    if pinned is not None:
        found.add("memories.pinned = :pinned", pinned=int(pinned))
    return found


def _below(found: Conditions, sources: Sequence[str]) -> list[str]:
    """The source itself, or what begins with it and a slash; "0" is the character after the slash."""
    clauses = []
    for index, source in enumerate(sources):
        folder = source.rstrip("/")
        names = {
            f"source_{index}": source,
            f"from_{index}": f"{folder}/",
            f"to_{index}": f"{folder}0",
        }
        found.values.update(names)
        clauses.append(f"memories.source = :source_{index}")
        clauses.append(f"(memories.source >= :from_{index} AND memories.source < :to_{index})")
    return clauses

"""Filters as SQL conditions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cognitive_memory.core.memory import Origin
from cognitive_memory.core.recall import RecallFilter
from cognitive_memory.storage import times
from cognitive_memory.storage.rows import as_json


@dataclass(slots=True)
class Conditions:
    """Conditions that must all hold, with the values of their parameters."""

    clauses: list[str] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)

    def add(self, clause: str, **values: object) -> None:
        """One more condition; `values` are its named parameters."""
        self.clauses.append(clause)
        self.values.update(values)

    def __str__(self) -> str:
        return " AND ".join(self.clauses) or "TRUE"


def one_of(parameter: str) -> str:
    """The values of a parameter that holds a JSON array, for `IN`."""
    return f"(SELECT value FROM json_each(:{parameter}))"


TAGGED = f"FROM memory_tags WHERE tag IN {one_of('tags')}"
"""Where the column `memory` has those that have any of the tags."""


def keys_query(filter: RecallFilter) -> tuple[str, dict[str, Any]]:
    """The query for the keys of all memories that pass a filter, some of them twice, and its values."""
    where = conditions(filter)
    if filter.tags and filter == RecallFilter(tags=filter.tags):  # their index has all
        return f"SELECT memory AS key {TAGGED}", where.values
    return f"SELECT memories.key AS key FROM memories WHERE {where}", where.values


def conditions(
    filter: RecallFilter, *, pinned: bool | None = None, origin: Origin | None = None, row: str = ""
) -> Conditions:
    """The conditions on `memories` that a filter means.

    Args:
        filter: which memories.
        pinned, origin: more of it.
        row: the key of rows that are found otherwise, each of which is to be looked at for tags:
            nothing is made of all that have these then. By default their index finds the rows.
    """
    where = Conditions()
    if filter.types:
        where.add(f"memories.type IN {one_of('types')}", types=as_json(sorted(filter.types)))
    if filter.tags:
        tagged = f"SELECT memory {TAGGED}"
        clause = f"EXISTS ({tagged} AND memory = {row})" if row else f"memories.key IN ({tagged})"
        where.add(clause, tags=as_json(sorted(filter.tags)))
    if filter.sources:
        _add_sources(where, filter.sources)
    if filter.origins:
        origins = as_json(sorted(filter.origins))
        where.add(f"memories.origin IN {one_of('origins')}", origins=origins)
    if filter.since is not None:
        where.add("memories.created_at >= :since", since=times.microseconds(filter.since))
    if filter.until is not None:
        where.add("memories.created_at < :until", until=times.microseconds(filter.until))
    if pinned is not None:
        where.add("memories.pinned = :pinned", pinned=int(pinned))
    if origin is not None:
        where.add("memories.origin = :origin", origin=str(origin))
    return where


def _add_sources(where: Conditions, sources: frozenset[str]) -> None:
    """Any of the sources itself, or what begins with it and a slash; as ranges, which the index answers."""
    clauses: list[str] = []
    values: dict[str, str] = {}
    for number, source in enumerate(sorted(sources)):
        folder = source.rstrip("/")
        clauses.append(
            f"memories.source = :source_{number} OR "
            f"(memories.source >= :from_{number} AND memories.source < :to_{number})"
        )
        # "0" is the character after the slash.
        values |= {
            f"source_{number}": source,
            f"from_{number}": f"{folder}/",
            f"to_{number}": f"{folder}0",
        }
    where.add(f"({' OR '.join(clauses)})", **values)

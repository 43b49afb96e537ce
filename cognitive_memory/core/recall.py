"""A question to the memory, and its answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cognitive_memory.core.memory import Memory, MemoryType, Origin
from cognitive_memory.core.values import MemoryValueError
from heimdall.errors import HeimdallError


@dataclass(eq=False, repr=False)
class QuestionError(HeimdallError, ValueError):
    """A question that can't be answered: it is blank, or asks for less than one answer.

    Attributes:
        problem: what it is, and what it may be.
    """

    problem: str

    says = "recall: {problem}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallFilter:
    """Which memories may answer; an empty field lets all through, several fields must all hold.

    Attributes:
        types: any of these.
        tags: at least one of these.
        sources: any of these sources, or what lies below one of them ("docs" lets "docs/guide.md"
            through).
        origins: any of these.
        since, until: created at or after, and before; with a time zone.

    Raises:
        MemoryValueError: a moment has no time zone.

    >>> from datetime import UTC
    >>> recent = RecallFilter(sources=frozenset({"docs"}), since=datetime(2025, 1, 1, tzinfo=UTC))
    >>> RecallFilter(until=datetime(2025, 1, 1))
    Traceback (most recent call last):
    ...
    cognitive_memory.core.values.MemoryValueError: memory's until: 2025-01-01T00:00:00 has no time zone
    """

    types: frozenset[MemoryType] = frozenset()
    tags: frozenset[str] = frozenset()
    sources: frozenset[str] = frozenset()
    origins: frozenset[Origin] = frozenset()
    since: datetime | None = None
    until: datetime | None = None

    def __post_init__(self) -> None:
        for name in ("since", "until"):
            moment: datetime | None = getattr(self, name)
            if moment is not None and moment.tzinfo is None:
                raise MemoryValueError(name, f"{moment.isoformat()} has no time zone")


EVERYTHING = RecallFilter()
"""Lets all memories through."""


class RecallMode(StrEnum):
    """What the answer rests on."""

    HYBRID = "hybrid"
    """Keywords and meaning."""
    KEYWORDS = "keywords"
    """Keywords alone: there is no model, or no memory has a vector yet."""


NOTHING_FITS = "Nothing fits the question well: there is probably no memory that answers it."
MEANING_ALONE = "No memory has a word of the question: the hits rest on meaning alone."


WITHOUT_MODEL = "Searched by keywords alone: the embedding model is not on this machine yet."


def waiting(pending: int) -> str:
    """The note that so many memories have no vector yet."""
    subject = "1 memory has" if pending == 1 else f"{pending:,} memories have"
    return f"{subject} no vector yet and can be found by keywords alone."


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A memory that answers.

    Attributes:
        memory: the memory.
        score: how well it answers; comparable within one answer only.
        parts: what the score is made of, by name (keywords, meaning, recency, importance); empty
            unless asked for.
        weak: whether it is unlikely to answer; who shows it says so.
        also: other memories of the same text. Score and parts are those of the one that answers best.
    """

    memory: Memory
    score: float
    parts: Mapping[str, float]
    weak: bool = False
    also: tuple[Memory, ...] = ()

    @property
    def other_places(self) -> tuple[str, ...]:
        """Where else the text is: the sources of `also`, or the ids of those without one; each once."""
        places = dict.fromkeys(memory.source or memory.id for memory in self.also)
        places.pop(self.memory.source or "", None)
        return tuple(places)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """An answer.

    Attributes:
        hits: best first, no two of the same text.
        mode: what it rests on.
        pending: how many memories have no vector of the current model yet, and could be found by
            keywords alone.
        notes: what the reader should know, in sentences: that no hit fits well, why there was no
            search by meaning, that Qdrant was out of reach.
        weak: whether no hit fits the question well, so that there is probably no answer here.
    """

    hits: tuple[Hit, ...]
    mode: RecallMode
    pending: int
    notes: tuple[str, ...] = ()
    weak: bool = False

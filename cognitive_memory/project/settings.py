"""The settings of a project: their names, defaults, checks and descriptions, each in one place.

The reader (`config.py`) checks a file against these classes, and the template is made from them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

Check = Callable[[object], object]
"""Takes what YAML gave, returns the setting's value; raises ValueError with what was expected."""


def setting(default: object, check: Check, comment: str) -> Any:
    """A setting: its default, how it is checked, and what the template says of it."""
    return field(default=default, metadata={"check": check, "comment": comment})


def section(kind: type, comment: str) -> dict[str, object]:
    """The metadata of a section: the class of its settings, and what the template says of it."""
    return {"section": kind, "comment": comment}


def patterns(value: object) -> tuple[str, ...]:
    """A list of texts; one alone is taken as a list of one."""
    values = [value] if isinstance(value, str) else value
    if isinstance(values, list) and all(isinstance(item, str) and item.strip() for item in values):
        return tuple(values)
    raise ValueError('a list of patterns, for example ["docs/", "*.md"]')


def share(value: object) -> float:
    """A number from 0 to 1."""
    # bool is an int to Python and a mistake to us.
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1:
        return float(value)
    raise ValueError("a number from 0 to 1")


def days(value: object) -> float:
    """A time in days."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < float("inf"):
        return float(value)
    raise ValueError("a number of days, more than 0")


def uuid(value: object) -> str:
    """A UUID, in lower case with hyphens."""
    try:
        return str(UUID(value))  # type: ignore[arg-type]  # whatever it is
    except (ValueError, TypeError, AttributeError):
        raise ValueError("a UUID, as 'heimdall project init' writes it") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallSettings:
    """How much each thing counts when memories are found; the defaults are those of `retrieval.scoring.Weights`.

    Attributes:
        meaning: share of meaning in the score; the rest, up to 1, is that of keywords.
        recency: what a memory of this moment gets on top.
        half_life_days: after how long a memory gets half of that.
        importance: what a memory of importance 1 gets on top of one of importance 0.
        stored: what a memory gets that was stored by hand.
        pinned: what a memory gets that is pinned.
    """

    meaning: float = setting(
        0.65, share, "Share of meaning in the score, 0 to 1; the rest is that of keywords."
    )
    recency: float = setting(
        0.02, share, "What a memory of this moment gets on top of an old one, 0 to 1."
    )
    half_life_days: float = setting(90.0, days, "After how many days a memory gets half of that.")
    importance: float = setting(
        0.2, share, "What a memory of importance 1 gets on top of one of importance 0, 0 to 1."
    )
    stored: float = setting(
        0.6,
        share,
        "What a memory that was stored by hand gets on top, as part of what it is brought, 0 to 1.",
    )
    pinned: float = setting(0.1, share, "What a pinned memory gets on top of others, 0 to 1.")


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestSettings:
    """Which files are loaded.

    Attributes:
        include: only files that match one of these patterns; none: all.
        exclude: not those that match one of these.
    """

    include: tuple[str, ...] = setting(
        (), patterns, "Only files that match one of these, as in .gitignore; [] means all."
    )
    exclude: tuple[str, ...] = setting(
        (), patterns, "Files to leave out, as in .gitignore, besides those that git ignores."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectConfig:
    """A project's settings.

    Attributes:
        project_id: which project this is, for what its clones and copies share; None: the database has one of its own.
        recall: how much each thing counts when memories are found.
        ingest: which files are loaded.
    """

    project_id: str | None = setting(
        None, uuid, "Which project this is, to what its clones and copies share. Keep it as it is."
    )
    recall: RecallSettings = field(
        default_factory=RecallSettings, metadata=section(RecallSettings, "How memories are found.")
    )
    ingest: IngestSettings = field(
        default_factory=IngestSettings,
        metadata=section(IngestSettings, "What 'heimdall load' takes from this project."),
    )

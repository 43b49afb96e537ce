"""What each tool takes. Names and limits are those of the original server; what is new is optional."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

LONGEST_TEXT = 200_000
"""Characters of the longest text that is stored as one memory: far more than a search by meaning looks at."""

_FIRST_YEAR, _LAST_YEAR = 1900, 9998  # those around them are out of range in some time zone

MemoryKind = Literal["concept", "context", "episode"]
LessonType = Literal["discovery", "pattern", "solution", "warning", "context"]
LessonImportance = Literal["low", "medium", "high", "critical"]


def _decoded(value: object) -> object:
    """Lists and objects arrive as JSON in a string from assistants that escape once too often."""
    if isinstance(value, str) and value.lstrip()[:1] in {"[", "{"}:
        with suppress(ValueError):
            return json.loads(value)
    return value


def _is_moment(text: str) -> str:
    _moment(text, days=0)
    return text


def _moment(text: str | None, *, days: int) -> datetime | None:
    """A day's beginning plus `days`, or a time as it stands; without an offset it is this machine's local time."""
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise ValueError(f"expected a year from {_FIRST_YEAR} to {_LAST_YEAR}, got {moment.year}")
    with suppress(ValueError):  # it is a time, and no day
        date.fromisoformat(text)
        moment += timedelta(days=days)
    return moment if moment.tzinfo else moment.astimezone()


def _as_range(value: object) -> object:
    """A pair is understood too."""
    value = _decoded(value)
    if isinstance(value, list) and len(value) <= 2:
        return dict(zip(("start", "end"), value, strict=False))
    return value


Moment = Annotated[str, AfterValidator(_is_moment), Field(max_length=40)]
Tag = Annotated[str, Field(min_length=1, max_length=200)]
Tags = Annotated[list[Tag], BeforeValidator(_decoded), Field(max_length=100)]
MemoryId = Annotated[
    str,
    Field(min_length=1, max_length=100, description="The memory's id, as recall_memories shows it"),
]
Level = Annotated[
    int,
    Field(
        ge=0,
        le=2,
        description="0 = concept (holds everywhere), 1 = context, 2 = episode (happened once)",
    ),
]
Importance = Annotated[float, Field(ge=0.0, le=1.0, description="How important it is: 0.0 to 1.0")]
DryRun = Annotated[bool, Field(description="Show what would be deleted, and delete nothing")]


class Arguments(BaseModel):
    """Base of all arguments: null counts as left out, unknown names are refused."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        return {name: value for name, value in values.items() if value is not None}


class StoreContext(Arguments):
    """What is known about a memory; other names become its metadata."""

    model_config = ConfigDict(extra="allow")

    hierarchy_level: Level | None = None
    memory_type: Literal["episodic", "semantic", "concept", "context", "episode"] | None = Field(
        default=None,
        description="concept, context or episode; semantic and episodic are understood as before",
    )
    importance_score: Importance | None = None
    tags: Tags | None = Field(default=None, description="Labels to find it by")
    source_info: str | None = Field(
        default=None, description="Where it comes from, for example a file", max_length=2000
    )
    pinned: bool = Field(default=False, description="Always keep it in sight, whatever its age")


class StoreMemory(Arguments):
    """Arguments of `store_memory`."""

    text: str = Field(
        max_length=LONGEST_TEXT,
        description="What to remember: one fact, decision or experience, understandable without this conversation",
    )
    context: Annotated[
        StoreContext, BeforeValidator(_decoded), Field(description="What is known about it")
    ] = Field(default_factory=StoreContext)


class DateRange(Arguments):
    """A span of time; one end may be open."""

    start: Moment | None = Field(
        default=None, description="At or after this: 2026-01-31 or 2026-01-31T12:00:00Z"
    )
    end: Moment | None = Field(
        default=None, description="Until this: a day, which counts as a whole, or before a time"
    )

    @property
    def since(self) -> datetime | None:
        """The first moment of the span."""
        return _moment(self.start, days=0)

    @property
    def until(self) -> datetime | None:
        """The first moment after the span."""
        return _moment(self.end, days=1)


class RecallMemories(Arguments):
    """Arguments of `recall_memories`."""

    query: str = Field(max_length=10_000, description="What to find, in plain words or exact names")
    types: Annotated[
        list[Literal["concept", "context", "episode", "core", "peripheral"]],
        BeforeValidator(_decoded),
    ] = Field(
        default_factory=list,
        description="Only these types of memories; default: all (core and peripheral, from earlier versions, mean all)",
    )
    max_results: int = Field(default=10, ge=1, le=50, description="How many memories at most")
    date_range: Annotated[DateRange | None, BeforeValidator(_as_range)] = Field(
        default=None, description="Only memories of this time"
    )
    tags: Tags = Field(
        default_factory=list, description="Only memories with at least one of these tags"
    )
    cursor: str | None = Field(
        default=None,
        max_length=500,
        description="next_cursor of an answer to the same question: its next page",
    )
    wait_for_model: bool = Field(
        default=False,
        description="Wait until a search by meaning is possible, with progress, rather than answer by keywords",
    )


class SessionLessons(Arguments):
    """Arguments of `session_lessons`."""

    lesson_content: str = Field(
        max_length=LONGEST_TEXT, description="Key insight, pattern or learning from this session"
    )
    lesson_type: LessonType = Field(
        default="discovery",
        description="discovery (new insight), pattern (systematic approach), solution (technical fix), "
        "warning (what to avoid), context (situation)",
    )
    session_context: str = Field(
        default="", max_length=10_000, description="What was being worked on, or the situation"
    )
    importance: LessonImportance = Field(
        default="medium", description="How important it is for later sessions"
    )


class MemoryStatus(Arguments):
    """Arguments of `memory_status`."""

    detailed: bool = Field(default=False, description="Also database, model and settings")
    wait_for_model: bool = Field(
        default=False,
        description="Wait until the model is here, with progress, or until it can't be had",
    )


class DeleteMemory(Arguments):
    """Arguments of `delete_memory`."""

    memory_id: MemoryId
    dry_run: DryRun = False


class DeleteMemoriesByTags(Arguments):
    """Arguments of `delete_memories_by_tags`."""

    tags: Annotated[
        Tags, Field(min_length=1, description="Memories with any of these tags are deleted")
    ]
    dry_run: DryRun = False


class UpdateMemory(Arguments):
    """Arguments of `update_memory`: what is left out stays as it is."""

    memory_id: MemoryId
    text: str | None = Field(default=None, max_length=LONGEST_TEXT, description="The new text")
    memory_type: MemoryKind | None = Field(default=None, description="The new type")
    tags: Tags | None = Field(default=None, description="The new tags, instead of the old ones")
    importance_score: Importance | None = None
    pinned: bool | None = Field(default=None, description="Always keep it in sight, or no longer")
    source_info: str | None = Field(
        default=None, max_length=2000, description="Where it comes from"
    )

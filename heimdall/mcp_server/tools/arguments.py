"""What each tool takes. Names and limits are those of the original server; what is new is optional."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from cognitive_memory.core.local_time import parse_span
from heimdall.mcp_server.tools.lenient import as_range, as_words, decoded, gathered, renamed
from heimdall.mcp_server.tools.recalling import LONGEST_QUESTION, MOST_RESULTS, RESULTS, TOKENS

LONGEST_TEXT = 200_000
"""Characters of the longest text that is stored as one memory: far more than a search by meaning looks at."""

LessonType = Literal["discovery", "pattern", "solution", "warning", "context"]
LessonImportance = Literal["low", "medium", "high", "critical"]
Scope = Literal["project", "user"]
Order = Literal["newest", "changed", "oldest", "important"]


def _is_moment(text: str) -> str:
    parse_span(text)
    return text


Moment = Annotated[str, AfterValidator(_is_moment), Field(max_length=40)]
Tag = Annotated[str, Field(min_length=1, max_length=200)]
Tags = Annotated[list[Tag], BeforeValidator(as_words), Field(max_length=100)]
Kinds = Annotated[list[Tag], BeforeValidator(as_words), Field(max_length=20)]
MemoryId = Annotated[str, Field(min_length=1, max_length=100)]
Level = Annotated[int, Field(ge=0, le=2, description="0 concept, 1 context, 2 episode")]
Importance = Annotated[float, Field(ge=0.0, le=1.0)]
DryRun = Annotated[bool, Field(description="Only show what would be deleted")]
Results = Annotated[int, Field(ge=1, le=MOST_RESULTS)]
MaxTokens = Annotated[int, Field(ge=500, le=20_000, description="Length of the answer")]
Cursor = Annotated[str, Field(max_length=500, description="next_cursor of the page before")]


class Arguments(BaseModel):
    """Base of all arguments: null counts as left out, other names are understood, unknown ones refused."""

    # Built when it is first used: the first answer does not wait for the models of all tools.
    model_config = ConfigDict(extra="forbid", defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _understood(cls, values: Any) -> Any:
        return cls.understood(values) if isinstance(values, dict) else values

    @classmethod
    def understood(cls, values: dict[str, Any]) -> dict[str, Any]:
        """What was given, under the names of this model."""
        return renamed(values, cls.model_fields)


class DateRange(Arguments):
    """A span of time; one end may be open."""

    start: Moment | None = None
    end: Moment | None = None

    @property
    def since(self) -> datetime | None:
        """The first moment of the span."""
        return None if self.start is None else parse_span(self.start).since

    @property
    def until(self) -> datetime | None:
        """The first moment after the span."""
        return None if self.end is None else parse_span(self.end).until


class StoreContext(Arguments):
    """What is known about a memory; other names become its metadata."""

    model_config = ConfigDict(extra="allow")

    hierarchy_level: Level | None = None
    memory_type: Tag | None = Field(
        default=None,
        description="concept (holds everywhere), context (this project), episode (happened once; default), "
        "or a label as decision",
    )
    importance_score: Importance | None = None
    tags: Tags | None = None
    source_info: str | None = Field(default=None, description="As a file", max_length=2000)
    pinned: bool = Field(default=False, description="Always in sight")


class StoreMemory(Arguments):
    """Arguments of `store_memory`."""

    text: str = Field(
        max_length=LONGEST_TEXT, description="One thing, understandable without this conversation"
    )
    scope: Scope = Field(
        default="project", description="user: a preference that holds in all projects"
    )
    context: Annotated[StoreContext, BeforeValidator(decoded)] = Field(default_factory=StoreContext)

    @classmethod
    def understood(cls, values: dict[str, Any]) -> dict[str, Any]:
        """What belongs into the context may stand beside it, and the scope in it."""
        values = super().understood(values)
        context = decoded(values.get("context"))
        if isinstance(context, dict) and context.get("scope") in get_args(Scope):
            values = {"scope": context["scope"], **values}
            values["context"] = {name: context[name] for name in context if name != "scope"}
        return gathered(values, cls.model_fields, "context", StoreContext.model_fields)


class Filtered(Arguments):
    """Which memories are meant, and how much is shown of them."""

    types: Kinds = Field(
        default_factory=list, description="concept, context, episode; other words count as tags"
    )
    tags: Tags = Field(default_factory=list, description="Any of these")
    date_range: Annotated[DateRange | None, BeforeValidator(as_range)] = Field(
        default=None, description='As 2026-01-31 or "last week"'
    )
    max_results: Results = RESULTS
    max_tokens: MaxTokens = TOKENS
    cursor: Cursor | None = None

    @classmethod
    def understood(cls, values: dict[str, Any]) -> dict[str, Any]:
        """The ends of the date range may stand beside it."""
        values = super().understood(values)
        return gathered(values, cls.model_fields, "date_range", DateRange.model_fields)


class RecallMemories(Filtered):
    """Arguments of `recall_memories`."""

    query: str = Field(max_length=LONGEST_QUESTION, description="In plain words, or exact names")
    wait_for_model: bool = Field(
        default=False, description="Wait for the search by meaning rather than answer by keywords"
    )


class ListMemories(Filtered):
    """Arguments of `list_memories`."""

    order: Order = Field(default="newest", description="changed: last stored or changed first")
    source: str | None = Field(default=None, max_length=2000, description="A file or folder")
    origin: Literal["stored", "captured", "document", "commit", "adopted"] | None = None
    pinned: bool | None = None


class GetMemory(Arguments):
    """Arguments of `get_memory`."""

    memory_id: MemoryId
    max_tokens: MaxTokens = TOKENS
    cursor: Cursor | None = None


class SessionLessons(Arguments):
    """Arguments of `session_lessons`."""

    lesson_content: str = Field(
        max_length=LONGEST_TEXT, description="The insight, pattern or pitfall, with its reason"
    )
    lesson_type: LessonType = "discovery"
    session_context: str = Field(
        default="", max_length=10_000, description="What was being worked on"
    )
    importance: LessonImportance = "medium"


class MemoryStatus(Arguments):
    """Arguments of `memory_status`."""

    detailed: bool = False
    wait_for_model: bool = False


class DeleteMemory(Arguments):
    """Arguments of `delete_memory`."""

    memory_id: MemoryId
    dry_run: DryRun = False


class DeleteMemoriesByTags(Arguments):
    """Arguments of `delete_memories_by_tags`."""

    tags: Annotated[Tags, Field(min_length=1)]
    scope: Scope = "project"
    dry_run: DryRun = False


class UpdateMemory(Arguments):
    """Arguments of `update_memory`: what is left out stays as it is."""

    memory_id: MemoryId
    text: str | None = Field(default=None, max_length=LONGEST_TEXT)
    memory_type: Literal["concept", "context", "episode"] | None = None
    tags: Tags | None = Field(default=None, description="Instead of the old ones")
    importance_score: Importance | None = None
    pinned: bool | None = None
    source_info: str | None = Field(default=None, max_length=2000)

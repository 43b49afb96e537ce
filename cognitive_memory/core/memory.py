"""A memory: the values that storage, retrieval, ingest, command line and server pass on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import TypeAlias

from cognitive_memory.core.values import (
    Json,
    MemoryValueError,
    as_flag,
    as_id,
    as_importance,
    as_metadata,
    as_tags,
    check_moment,
    check_text,
    shown,
)

LoadState: TypeAlias = "Mapping[str, Json]"
"""What a loader remembers of something that it loaded, in its own words."""


class MemoryType(StrEnum):
    """How general a memory is, from what holds everywhere to what happened once."""

    CONCEPT = "concept"
    CONTEXT = "context"
    EPISODE = "episode"

    @property
    def level(self) -> int:
        """The hierarchy level that the original gave it: 0 concept, 1 context, 2 episode."""
        return list(MemoryType).index(self)

    @classmethod
    def from_level(cls, level: int) -> MemoryType:
        """The type of a hierarchy level.

        Raises:
            MemoryValueError: the level is not 0, 1 or 2.
        """
        types = list(cls)
        if isinstance(level, bool) or level not in range(len(types)):
            raise MemoryValueError(
                "level", f"expected 0 (concept), 1 (context) or 2 (episode), got {level!r}"
            )
        return types[level]


class Origin(StrEnum):
    """How a memory came here, which tells whose words it has.

    Whoever changes a memory leaves its origin as it is.
    """

    STORED = "stored"
    """This user, or their assistant, stored it here."""
    DOCUMENT = "document"
    """Loaded from a file of the project."""
    COMMIT = "commit"
    """Loaded from the project's git history."""
    CAPTURED = "captured"
    """Taken from the transcript of a conversation."""
    ADOPTED = "adopted"
    """Taken over from a database or a file that somebody else may have written."""


COMMENT_KINDS = ("code", "python")
"""The kinds, in their metadata, of documents that are comments and docstrings."""


class Scope(StrEnum):
    """Where a memory holds."""

    PROJECT = "project"
    """In the project that it was stored in."""
    USER = "user"
    """In all projects of this user: what was stored with that word, and nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryContent:
    """What a memory says: what its user decides, and may change later.

    Attributes:
        text: what is remembered; not blank.
        type: how general it is.
        tags: labels, without blanks at their ends; doubles are dropped, order is kept.
        source: what it comes from, for example a file's path in the project; memories of one source
            are replaced together.
        context: where it stands (heading path, the turn before it); indexed with the text, but not
            part of it.
        importance: 0.0 to 1.0.
        pinned: to be kept in sight whatever its age.
        metadata: whatever else belongs to it.
    """

    text: str
    type: MemoryType = MemoryType.EPISODE
    tags: tuple[str, ...] = ()
    source: str | None = None
    context: str = ""
    importance: float = 0.5
    pinned: bool = False
    metadata: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMemory(MemoryContent):
    """A memory that is to be stored, checked when made.

    Attributes:
        created_at: when what it tells happened, with a time zone; None: when it is stored.
        id: a UUID; None: a new random one. Ingest gives ids that follow from the content, so that a
            repeat changes nothing.
        origin: how it comes here.

    Raises:
        MemoryValueError: naming the field, what it is and what it may be.
    """

    created_at: datetime | None = None
    id: str | None = None
    origin: Origin = Origin.STORED

    def __post_init__(self) -> None:
        check_text("text", self.text)
        if not self.text.strip():
            raise MemoryValueError("text", "is blank: there is nothing to remember")
        check_text("context", self.context)
        if self.source is not None:
            check_text("source", self.source)
        for name, as_stored in _FORMS.items():
            object.__setattr__(self, name, as_stored(getattr(self, name)))
        if self.created_at is not None:
            check_moment("created_at", self.created_at)
        if self.id is not None:
            object.__setattr__(self, "id", as_id(self.id))


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory(MemoryContent):
    """A memory as it is stored.

    Attributes:
        created_at: as in `NewMemory`; in UTC, to the microsecond.
        updated_at: when text or fields last changed, in UTC.
        content_hash: `content_hash` of text and context, hexadecimal: what tells whether a vector
            still fits.
        revision: the project's change counter when this memory last changed; rises with every
            change of any memory.
        embedded: whether it has a vector of the current embedding space.
        origin: how it came here.
        scope: where it holds, which its database decides.
    """

    id: str
    origin: Origin
    created_at: datetime
    updated_at: datetime
    content_hash: str
    revision: int
    embedded: bool
    scope: Scope = Scope.PROJECT


def content_hash(text: str, context: str) -> bytes:
    """The sha256 of text and context, in UTF-8.

    Before them the text's length in bytes, as eight bytes, big end first.
    """
    encoded = text.encode()
    return sha256(len(encoded).to_bytes(8) + encoded + context.encode()).digest()


def plain_text(text: str) -> str:
    """What two texts share that differ in case and blanks alone.

    >>> plain_text("Dates are  UTC ") == plain_text("dates are utc")
    True
    """
    return " ".join(text.casefold().split())


DOCUMENT_KEYS = tuple(
    "id text context type tags source origin importance pinned created_at updated_at metadata".split()  # noqa: SIM905
)
"""What `as_document` says of a memory, in its order."""


def as_document(memory: Memory) -> dict[str, Json]:
    """What a memory says, as JSON: the keys of a line of an export, without its vector."""
    written: dict[str, Json] = {
        "type": str(memory.type),
        "origin": str(memory.origin),
        "tags": list(memory.tags),
        "created_at": memory.created_at.isoformat(timespec="microseconds"),
        "updated_at": memory.updated_at.isoformat(timespec="microseconds"),
        "metadata": dict(memory.metadata),
    }
    return {name: written.get(name, getattr(memory, name)) for name in DOCUMENT_KEYS}


def _one_of(kinds: type[StrEnum], field: str) -> Callable[[object], StrEnum]:
    def as_kind(value: object) -> StrEnum:
        try:
            return kinds(str(value))
        except ValueError:
            raise MemoryValueError(
                field, f"expected one of {', '.join(kinds)}, got {shown(value)}"
            ) from None

    return as_kind


_FORMS: Mapping[str, Callable[[object], object]] = {
    "type": _one_of(MemoryType, "type"),
    "origin": _one_of(Origin, "origin"),
    "tags": as_tags,
    "importance": as_importance,
    "pinned": as_flag,
    "metadata": as_metadata,
}
"""Fields that are checked and brought into the form in which they are stored."""

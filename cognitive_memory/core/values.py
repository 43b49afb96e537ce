"""What the fields of a memory may hold, and the forms in which they are stored."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from reprlib import Repr
from typing import TypeAlias
from uuid import UUID

from heimdall.errors import HeimdallError

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"
"""A value that JSON can carry."""

METADATA_DEPTH = 50
"""Levels of lists and mappings in metadata: whoever reads a memory must be able to, however deep
its calls are.
"""
_TOO_DEEP = f"is nested in more than {METADATA_DEPTH} levels"

_SHORT = Repr()
_SHORT.maxlevel, _SHORT.maxstring, _SHORT.maxlong, _SHORT.maxother = 4, 80, 80, 80


@dataclass(eq=False, repr=False)
class MemoryValueError(HeimdallError, ValueError):
    """A field of a memory has a value that it can't have.

    Attributes:
        field: the field's name.
        problem: what it is, and what it may be.
    """

    field: str
    problem: str

    says = "memory's {field}: {problem}"


def as_id(value: str) -> str:
    """A memory's id in its one form: a UUID in lower case with hyphens.

    >>> as_id("{6F1A0C5E7B1D4C7E9A3B2D1E0F9C8B7A}")
    '6f1a0c5e-7b1d-4c7e-9a3b-2d1e0f9c8b7a'

    Raises:
        MemoryValueError: it is no UUID.
    """
    try:
        return str(UUID(value))
    except (ValueError, AttributeError, TypeError):
        raise MemoryValueError("id", f"expected a UUID, got {shown(value)}") from None


def check_moment(name: str, moment: datetime) -> None:
    """Check that a moment can be stored and read again.

    Raises:
        MemoryValueError: it has no time zone, or no time in UTC.
    """
    if moment.tzinfo is None:
        raise MemoryValueError(name, f"{moment.isoformat()} has no time zone")
    try:
        moment.astimezone(UTC)
    except OverflowError:
        problem = f"{moment.isoformat()} is not within the years 1 to 9999 of UTC"
        raise MemoryValueError(name, problem) from None


def shown(value: object) -> str:
    """A value that is wrong, in a message: however large or nested it is, a line of it.

    >>> shown("a" * 1000)[-5:]
    "aaaa'"
    """
    try:
        return _SHORT.repr(value)
    except ValueError:  # a number of more digits than Python writes
        return f"a large {type(value).__name__}"


def check_text(name: str, value: object) -> None:
    """Check that a value is text that UTF-8 can carry.

    Raises:
        MemoryValueError: it is not.
    """
    if not isinstance(value, str):
        raise MemoryValueError(name, f"expected text, got {type(value).__name__}")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        code = f"U+{ord(value[error.start]):04X}"
        raise MemoryValueError(
            name,
            f"has a lone surrogate ({code}) at character {error.start}, which is not valid Unicode",
        ) from None


def is_deeper(value: object, levels: int) -> bool:
    """Whether lists and mappings are nested in more levels than that."""
    if not isinstance(value, dict | list):
        return False
    inside = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(is_deeper(each, levels - 1) for each in inside)


def as_tags(values: object) -> tuple[str, ...]:
    """Labels without blanks at their ends, each once."""
    if isinstance(values, str) or not isinstance(values, (tuple, list, set, frozenset)):
        raise MemoryValueError("tags", f"expected several texts, got {shown(values)}")
    tags: dict[str, None] = {}
    for value in values:
        check_text("tags", value)
        if not value.strip():
            raise MemoryValueError("tags", "one is blank")
        tags[value.strip()] = None
    return tuple(tags)


def as_importance(value: object) -> float:
    """A number from 0.0 to 1.0."""
    # A comparison with NaN is false, and one with a number of a thousand digits is none of floats.
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise MemoryValueError(
            "importance", f"expected a number from 0.0 to 1.0, got {shown(value)}"
        )
    return float(value)


def as_flag(value: object) -> bool:
    """Whether it is pinned."""
    if not isinstance(value, bool):
        raise MemoryValueError("pinned", f"expected true or false, got {shown(value)}")
    return value


def as_metadata(value: object) -> dict[str, Json]:
    """A copy, as JSON would give it back."""
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise MemoryValueError("metadata", f"expected names with values, got {shown(value)}")
    try:
        text = json.dumps(dict(value), allow_nan=False, ensure_ascii=False)
        text.encode()
        copy: dict[str, Json] = json.loads(text)
    except RecursionError:
        raise MemoryValueError("metadata", _TOO_DEEP) from None
    except (TypeError, ValueError) as error:
        raise MemoryValueError("metadata", f"holds what JSON can't carry: {error}") from None
    if is_deeper(copy, METADATA_DEPTH):
        raise MemoryValueError("metadata", _TOO_DEEP)
    return copy

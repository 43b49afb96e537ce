"""What assistants write for an argument, brought into its form: other names, single values, JSON in a string."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any, Final

from cognitive_memory.core.memory import MemoryType

_SYNONYMS: Final[Mapping[str, tuple[str, ...]]] = {
    "max_results": (
        "limit",
        "n",
        "k",
        "topk",
        "count",
        "number",
        "size",
        "max",
        "numresults",
        "pagesize",
    ),
    "max_tokens": ("tokens", "tokenbudget", "budget"),
    "query": ("q", "question", "search", "searchquery", "text"),
    "text": ("content", "memory", "fact", "newtext"),
    "lesson_content": ("lesson", "content", "text"),
    "memory_id": ("id", "uuid", "memory"),
    "types": ("type", "kind", "kinds", "memorytype", "memorytypes"),
    "memory_type": ("type", "kind"),
    "tags": ("tag", "labels", "label"),
    "source": ("sources", "sourceinfo", "file", "path"),
    "source_info": ("source",),
    "importance_score": ("importance",),
    "order": ("sort", "sortby", "orderby"),
    "date_range": ("date", "dates", "when", "timerange", "daterange"),
    "start": ("since", "from", "after", "startdate", "begin"),
    "end": ("until", "to", "before", "enddate"),
    "cursor": ("nextcursor",),
}
"""Other names of arguments, without marks and in lower case."""

_TYPES: Final[Mapping[str, MemoryType]] = {
    **{kind.value: kind for kind in MemoryType},
    **{f"{kind.value}s": kind for kind in MemoryType},
    **{str(kind.level): kind for kind in MemoryType},
    "semantic": MemoryType.CONTEXT,
    "episodic": MemoryType.EPISODE,
}
_ALL: Final = frozenset({"core", "peripheral", "all", "any", "memory", "memories", "*"})
"""Types of earlier versions, and words, that mean every type."""


def decoded(value: object) -> object:
    """Lists and objects arrive as JSON in a string from assistants that escape once too often."""
    if isinstance(value, str) and value.lstrip()[:1] in {"[", "{"}:
        with suppress(ValueError, RecursionError):
            return json.loads(value)
    return value


def as_list(value: object) -> object:
    """A single text or number as a list."""
    value = decoded(value)
    return [value] if isinstance(value, str | int) and not isinstance(value, bool) else value


def as_words(value: object) -> object:
    """As `as_list`; numbers become texts."""
    value = as_list(value)
    return (
        [str(each) if type(each) is int else each for each in value]
        if isinstance(value, list)
        else value
    )


def as_range(value: object) -> object:
    """A pair, or a span in words, as a start and an end."""
    value = decoded(value)
    if isinstance(value, str):
        return {"start": value, "end": value}
    if isinstance(value, list) and len(value) <= 2:
        return dict(zip(("start", "end"), value, strict=False))
    return value


def renamed(given: Mapping[str, Any], fields: Collection[str]) -> dict[str, Any]:
    """What was given, under the fields' own names where another name means one; null counts as left out.

    >>> renamed({"maxResults": 5, "limit": 3, "tag": None}, ["max_results", "tags"])
    {'max_results': 5, 'limit': 3}
    """
    by_plain = {_plain(field): field for field in fields}
    known = {name: value for name, value in given.items() if value is not None}
    result = {name: value for name, value in known.items() if name in fields}
    for name, value in known.items():
        if name in fields:
            continue
        plain = _plain(name)
        others = [field for field in fields if plain in _SYNONYMS.get(field, ())]
        meant = next(
            (each for each in (by_plain.get(plain), *others) if each and each not in result), name
        )
        result[meant] = value
    return result


def gathered(
    given: Mapping[str, Any], fields: Collection[str], name: str, inner: Collection[str]
) -> dict[str, Any]:
    """What was given, with the fields of an inner object that stand beside it moved into it.

    >>> gathered({"text": "a", "tag": "b", "other": 1}, ["text", "context"], "context", ["tags"])
    {'text': 'a', 'other': 1, 'context': {'tags': 'b'}}
    """
    rest, beside = dict[str, Any](), dict[str, Any]()
    for key, value in given.items():
        meant = next(iter(renamed({key: value}, inner)), key)
        if key not in fields and meant in inner:
            beside[meant] = value
        else:
            rest[key] = value
    inside = decoded(rest.get(name) or {})
    if not beside or not isinstance(inside, dict):
        return dict(given)
    return {**rest, name: {**beside, **inside}}


def split_kinds(words: Collection[str]) -> tuple[frozenset[MemoryType], tuple[str, ...]]:
    """Types, and what else stands among them, which is taken for tags: "decision", "gotcha".

    >>> split_kinds(["concepts", "core", "Decision"])
    (frozenset({<MemoryType.CONCEPT: 'concept'>}), ('Decision',))
    """
    types, tags = set[MemoryType](), []
    for word in words:
        plain = word.strip().lower()
        if plain in _TYPES:
            types.add(_TYPES[plain])
        elif plain and plain not in _ALL:
            tags.append(word.strip())
    return frozenset(types), tuple(tags)


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name.lower()))

"""Memories as Qdrant's points, and filters in its words. Pure.

A point has the memory's id and vector; its payload is the memory, with whose it is and of what revision.
"""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from cognitive_memory.core.memory import Memory, as_document
from cognitive_memory.core.recall import RecallFilter

if TYPE_CHECKING:
    from qdrant_client import models

INDEXED = ("project_id", "key", "type", "tags", "folders", "created_at", "revision")
"""Fields of the payload that filters and order use; the collection has an index on each."""


STAMP = ["owner", "key", "revision", "content_hash"]
"""Fields of the payload that are its stamp."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells whether a point is up to date.

    Attributes:
        owner: which database pushed it.
        key: of the memory in that database.
        revision: of the memory or its vector, whichever is later, when the point was pushed.
        content_hash: of the memory.
    """

    owner: str
    key: int
    revision: int
    content_hash: str


def payload(memory: Memory, *, project_id: str, stamp: Stamp) -> dict[str, Any]:
    """What a point carries besides its vector."""
    where = {"project_id": project_id, "folders": folders(memory.source)}
    return {**as_document(memory), **where, **asdict(stamp)}


def stamp_of(fields: Mapping[str, Any]) -> Stamp:
    """The stamp in a payload."""
    return Stamp(**{name: fields[name] for name in STAMP})


def line_of(fields: Mapping[str, Any], *, label: str, vector: Sequence[float]) -> str:
    """The memory in a payload as a line of our exchange format, which checks it and brings it into SQLite."""
    told = {
        name: value
        for name, value in fields.items()
        if name not in {"project_id", "folders", *STAMP}
    }
    packed = base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
    return json.dumps({**told, "vector": {"model": label, "float32": packed}}, ensure_ascii=False)


def folders(source: str | None) -> list[str]:
    """A source and the folders that it lies in: what makes a filter by prefix a lookup.

    >>> folders("docs/guide/start.md")
    ['docs/', 'docs/guide/', 'docs/guide/start.md']
    """
    if source is None:
        return []
    return [source[: end + 1] for end, letter in enumerate(source[:-1]) if letter == "/"] + [source]


def of_project(project_id: str) -> models.FieldCondition:
    """The condition that keeps tenants apart."""
    from qdrant_client import models

    return models.FieldCondition(key="project_id", match=models.MatchValue(value=project_id))


def project_filter(project_id: str, *, since: int = 0) -> models.Filter:
    """The points of a project that are of a revision or later."""
    from qdrant_client import models

    conditions: list[models.Condition] = [of_project(project_id)]
    if since:
        conditions.append(models.FieldCondition(key="revision", range=models.Range(gte=since)))
    return models.Filter(must=conditions)


def recall_filter(project_id: str, wanted: RecallFilter) -> models.Filter:
    """The points of a project that a filter lets through: the same memories that SQLite would let through."""
    from qdrant_client import models

    conditions: list[models.Condition] = [of_project(project_id)]
    sources = frozenset(
        place for source in wanted.sources for place in (source, f"{source.rstrip('/')}/")
    )
    for key, values in (("type", wanted.types), ("tags", wanted.tags), ("folders", sources)):
        if values:
            match = models.MatchAny(any=sorted(map(str, values)))
            conditions.append(models.FieldCondition(key=key, match=match))
    if wanted.since is not None or wanted.until is not None:
        span = models.DatetimeRange(gte=wanted.since, lt=wanted.until)
        conditions.append(models.FieldCondition(key="created_at", range=span))
    return models.Filter(must=conditions)

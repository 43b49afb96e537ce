"""Memories as Qdrant's points. Pure.

A point has the memory's id and vector; its payload is the memory, with whose it is and of what
revision.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

from cognitive_memory.core.memory import Memory, as_document
from cognitive_memory.storage import replication
from cognitive_memory.storage.json_lines import as_line
from cognitive_memory.storage.replication import Stamp

BATCH = 256
"""Points in one request of a push: about a megabyte of JSON, small beside Qdrant's limit of 32."""

STAMP = ["owner", "key", "position", "content_hash"]
"""Fields of the payload that are its stamp; the position is revision and key as one number, so that
one index has the order in which points are written.
"""


def payload(memory: Memory, *, project_id: str, stamp: Stamp) -> dict[str, Any]:
    """What a point carries besides its vector."""
    where = {"project_id": project_id, "folders": folders(memory.source)}
    state = {name: getattr(stamp, name) for name in STAMP}
    return {**as_document(memory), **where, **state}


def stamp_of(fields: Mapping[str, Any]) -> Stamp:
    """The stamp in a payload; one that no memory has if it tells no position."""
    revision, key = replication.at_position(fields.get("position", -1))
    return Stamp(fields["owner"], key, revision, fields["content_hash"])


def line_of(fields: Mapping[str, Any], *, space: str, vector: Sequence[float]) -> str:
    """The memory in a payload as a line of an export.

    Importing checks it and brings it into SQLite.
    """
    ours = {"project_id", "folders", *STAMP}
    document = {name: value for name, value in fields.items() if name not in ours}
    return as_line(document, space=space, vector=struct.pack(f"<{len(vector)}f", *vector))


def folders(source: str | None) -> list[str]:
    """A source and the folders that it lies in: what makes a filter by prefix a lookup.

    >>> folders("docs/guide/start.md")
    ['docs/', 'docs/guide/', 'docs/guide/start.md']
    """
    if source is None:
        return []
    return [source[: end + 1] for end, letter in enumerate(source[:-1]) if letter == "/"] + [source]

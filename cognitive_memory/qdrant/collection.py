"""One collection for each embedding space, shared by all projects: its layout, and filters on its fields.

Many small tenants in one collection is what Qdrant advises for many projects: `project_id` is the
tenant key, and each tenant has an HNSW graph of its own (`payload_m`), with none across them
(`m=0`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from cognitive_memory.core.recall import RecallFilter

PREFIX = "heimdall-"
GRAPH_DEGREE = 16
"""Edges of a point in its tenant's graph: Qdrant's own default for `m`."""

INDEXES: Mapping[str, Mapping[str, Any]] = {
    "project_id": {"type": "keyword", "is_tenant": True},
    "key": {"type": "integer", "lookup": True, "range": False},
    "type": {"type": "keyword"},
    "tags": {"type": "keyword"},
    "folders": {"type": "keyword"},
    "created_at": {"type": "datetime"},
    "position": {"type": "integer", "lookup": False, "range": True},
}
"""Fields of the payload that filters and order use, and the index of each."""


def collection_name(space: str) -> str:
    """The collection of an embedding space: its name's beginning for people, its digest for certainty."""
    model = space.partition("/")[0].lower()
    readable = "".join(letter if letter.isalnum() else "-" for letter in model)[:40]
    return f"{PREFIX}{readable}-{sha256(space.encode()).hexdigest()[:12]}"


def layout(space: str, dimension: int) -> dict[str, Any]:
    """How an embedding space's collection is made."""
    return {
        # Unit vectors: the dot product is the cosine.
        "vectors": {"size": dimension, "distance": "Dot", "on_disk": True},
        "hnsw_config": {"m": 0, "payload_m": GRAPH_DEGREE},
        # A quarter of the memory; what comes out on top is scored again with the full vectors.
        "quantization_config": {"scalar": {"type": "int8", "quantile": 0.99, "always_ram": True}},
        "on_disk_payload": True,
        "metadata": {"heimdall_label": space},
    }


def project_filter(project_id: str, *conditions: Mapping[str, Any]) -> dict[str, Any]:
    """The points of a project that meet all conditions."""
    return {"must": [{"key": "project_id", "match": {"value": project_id}}, *conditions]}


def conditions(wanted: RecallFilter) -> Iterator[dict[str, Any]]:
    """What a filter means: the same memories pass that would pass in SQLite."""
    sources = frozenset(
        place for source in wanted.sources for place in (source, f"{source.rstrip('/')}/")
    )
    for key, values in (("type", wanted.types), ("tags", wanted.tags), ("folders", sources)):
        if values:
            yield {"key": key, "match": {"any": sorted(map(str, values))}}
    span = {"gte": wanted.since, "lt": wanted.until}
    if bounds := {name: moment.isoformat() for name, moment in span.items() if moment}:
        yield {"key": "created_at", "range": bounds}

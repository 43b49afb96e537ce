"""One collection for each embedding space, shared by all projects: its layout, and filters on its fields.

Many small tenants in one collection is what Qdrant advises for many projects: `project_id` is the
tenant key, and each tenant has an HNSW graph of its own (`payload_m`), with none across them
(`m=0`).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from hashlib import sha256

from cognitive_memory.core.recall import RecallFilter
from cognitive_memory.qdrant.client import QdrantClient, models

PREFIX = "heimdall-"
GRAPH_DEGREE = 16
"""Edges of a point in its tenant's graph: Qdrant's own default for `m`."""

_KEYWORD = models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD)
_INTEGER = models.IntegerIndexType.INTEGER
_INDEXES: Mapping[str, models.PayloadSchemaParams] = {
    "project_id": models.KeywordIndexParams(type=_KEYWORD.type, is_tenant=True),
    "key": models.IntegerIndexParams(type=_INTEGER, lookup=True, range=False),
    "type": _KEYWORD,
    "tags": _KEYWORD,
    "folders": _KEYWORD,
    "created_at": models.DatetimeIndexParams(type=models.DatetimeIndexType.DATETIME),
    "position": models.IntegerIndexParams(type=_INTEGER, lookup=False, range=True),
}
"""Fields of the payload that filters and order use, and the index of each."""


def collection_name(space: str) -> str:
    """The collection of an embedding space: its name's beginning for people, its digest for certainty."""
    model = space.partition("/")[0].lower()
    readable = "".join(letter if letter.isalnum() else "-" for letter in model)[:40]
    return f"{PREFIX}{readable}-{sha256(space.encode()).hexdigest()[:12]}"


def ensure_collection(client: QdrantClient, space: str, dimension: int) -> None:
    """Make the collection and its indexes if they are not there.

    A repeat after a kill completes them.
    """
    from qdrant_client.http.exceptions import UnexpectedResponse

    name = collection_name(space)
    if not client.collection_exists(name):
        try:
            client.create_collection(
                name,
                # Unit vectors: the dot product is the cosine.
                vectors_config=models.VectorParams(
                    size=dimension, distance=models.Distance.DOT, on_disk=True
                ),
                hnsw_config=models.HnswConfigDiff(m=0, payload_m=GRAPH_DEGREE),
                # A quarter of the memory; what comes out on top is scored again with the full
                # vectors.
                quantization_config=models.ScalarQuantization(
                    scalar=models.ScalarQuantizationConfig(
                        type=models.ScalarType.INT8, quantile=0.99, always_ram=True
                    )
                ),
                on_disk_payload=True,
                metadata={"heimdall_label": space},
            )
        except (UnexpectedResponse, ValueError):  # another process has just made it
            if not client.collection_exists(name):
                raise
    with warnings.catch_warnings():
        # local mode has no indexes and says so each time
        warnings.simplefilter("ignore", UserWarning)
        for field, index in _INDEXES.items():
            client.create_payload_index(name, field, field_schema=index, wait=True)


def project_filter(project_id: str, *conditions: models.Condition) -> models.Filter:
    """The points of a project that meet all conditions."""
    tenant = models.FieldCondition(key="project_id", match=models.MatchValue(value=project_id))
    return models.Filter(must=[tenant, *conditions])


def conditions(wanted: RecallFilter) -> Iterator[models.Condition]:
    """What a filter means: the same memories pass that would pass in SQLite."""
    sources = frozenset(
        place for source in wanted.sources for place in (source, f"{source.rstrip('/')}/")
    )
    for key, values in (("type", wanted.types), ("tags", wanted.tags), ("folders", sources)):
        if values:
            match = models.MatchAny(any=sorted(map(str, values)))
            yield models.FieldCondition(key=key, match=match)
    if wanted.since is not None or wanted.until is not None:
        span = models.DatetimeRange(gte=wanted.since, lt=wanted.until)
        yield models.FieldCondition(key="created_at", range=span)

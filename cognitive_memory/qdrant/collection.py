"""One collection for each embedding model, shared by all projects.

Many small tenants in one collection is what Qdrant advises for many projects: `project_id` is the tenant key, and each
tenant has an HNSW graph of its own (`payload_m`), with none across them (`m=0`).
"""

from __future__ import annotations

import warnings
from hashlib import sha256
from typing import TYPE_CHECKING

from cognitive_memory.qdrant.points import INDEXED

if TYPE_CHECKING:
    from qdrant_client import QdrantClient, models

PREFIX = "heimdall-"
GRAPH_DEGREE = 16
"""Edges of a point in its tenant's graph: Qdrant's own default for `m`."""


def collection_name(label: str) -> str:
    """The collection of the vectors with a label: its beginning for people, its digest for certainty."""
    readable = "".join(
        letter if letter.isalnum() else "-" for letter in label.partition("/")[0].lower()
    )[:40]
    return f"{PREFIX}{readable}-{sha256(label.encode()).hexdigest()[:12]}"


def ensure_collection(client: QdrantClient, name: str, *, label: str, dimension: int) -> None:
    """Make the collection and its indexes if they are not there; a repeat after a kill completes them."""
    from qdrant_client import models
    from qdrant_client.http.exceptions import UnexpectedResponse

    if not client.collection_exists(name):
        try:
            client.create_collection(
                name,
                # Unit vectors: the dot product is the cosine.
                vectors_config=models.VectorParams(
                    size=dimension, distance=models.Distance.DOT, on_disk=True
                ),
                hnsw_config=models.HnswConfigDiff(m=0, payload_m=GRAPH_DEGREE),
                # A quarter of the memory; what comes out on top is scored again with the full vectors.
                quantization_config=models.ScalarQuantization(
                    scalar=models.ScalarQuantizationConfig(
                        type=models.ScalarType.INT8, quantile=0.99, always_ram=True
                    )
                ),
                on_disk_payload=True,
                metadata={"heimdall_label": label},
            )
        except (UnexpectedResponse, ValueError):  # another process has just made it
            if not client.collection_exists(name):
                raise
    with warnings.catch_warnings():
        # local mode has no indexes and says so each time
        warnings.simplefilter("ignore", UserWarning)
        for field in INDEXED:
            client.create_payload_index(name, field, field_schema=_index(field), wait=True)


def _index(field: str) -> models.PayloadSchemaParams:
    from qdrant_client import models

    if field == "project_id":
        return models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, is_tenant=True)
    if field == "created_at":
        return models.DatetimeIndexParams(type=models.DatetimeIndexType.DATETIME)
    if field in {"key", "revision"}:
        exact = field == "key"
        return models.IntegerIndexParams(
            type=models.IntegerIndexType.INTEGER, lookup=exact, range=not exact
        )
    return models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD)

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest

from cognitive_memory.project_memory import ProjectMemory
from cognitive_memory.qdrant.client import open_client
from cognitive_memory.qdrant.collection import collection_name
from cognitive_memory.qdrant.index import QdrantIndex
from cognitive_memory.qdrant.settings import KEY_VARIABLE, QdrantSettings
from tests.support.plain_embedder import PlainEmbedder

SERVER = os.environ.get("HEIMDALL_TEST_QDRANT_URL")
"""Read before the tests' own environment hides it."""
SERVER_KEY = os.environ.get(KEY_VARIABLE)


@pytest.fixture
def embedder() -> PlainEmbedder:
    return PlainEmbedder(name=f"plain-{uuid4()}/1")


@pytest.fixture(params=["local", *(["server"] if SERVER else [])])
def settings(
    request: pytest.FixtureRequest, tmp_path: Path, embedder: PlainEmbedder
) -> Iterator[QdrantSettings]:
    """The client's own local mode, and a real server where one is given.

    On a server nothing is left behind.
    """
    urls = (SERVER,) if SERVER and request.param == "server" else ()
    settings = QdrantSettings(urls=urls, directory=tmp_path / "qdrant", api_key=SERVER_KEY)
    yield settings
    if urls:
        remove_collection(settings, str(embedder.embedding_space()))


def remove_collection(settings: QdrantSettings, space: str) -> None:
    """Remove a collection, if it is there, by a connection of its own: the tests close theirs."""
    with closing(open_client(settings)) as client:
        client.delete_collection(collection_name(space))


@pytest.fixture
def memory(tmp_path: Path, embedder: PlainEmbedder) -> Iterator[ProjectMemory]:
    with embedder.open(tmp_path / "memory.db") as memory:
        yield memory


@pytest.fixture
def index(
    settings: QdrantSettings, memory: ProjectMemory, embedder: PlainEmbedder
) -> Iterator[QdrantIndex]:
    space = embedder.embedding_space()
    assert space
    with QdrantIndex(settings, project_id=memory.project_id, space=space) as index:
        yield index

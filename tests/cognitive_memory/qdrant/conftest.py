from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, nullcontext
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any
from uuid import uuid4

import pytest

from cognitive_memory.project_memory import ProjectMemory
from cognitive_memory.qdrant import first_answer
from cognitive_memory.qdrant.collection import collection_name
from cognitive_memory.qdrant.index import QdrantIndex
from cognitive_memory.qdrant.node import Node, Request
from cognitive_memory.qdrant.settings import KEY_VARIABLE, QdrantSettings
from tests.support.plain_embedder import PlainEmbedder
from tests.support.qdrant_standin import good_node

SERVER = os.environ.get("HEIMDALL_TEST_QDRANT_URL")
"""Read before the tests' own environment hides it."""
SERVER_KEY = os.environ.get(KEY_VARIABLE)
FOREVER = 600.0


@pytest.fixture
def embedder() -> PlainEmbedder:
    return PlainEmbedder(name=f"plain-{uuid4()}/1")


@pytest.fixture(params=["stand-in", *(["server"] if SERVER else [])])
def settings(
    request: pytest.FixtureRequest, tmp_path: Path, embedder: PlainEmbedder
) -> Iterator[QdrantSettings]:
    """The local mode of Qdrant's own client behind HTTP, and a real server where one is given.

    On a server nothing is left behind.
    """
    real = request.param == "server"
    with nullcontext(SERVER or "") if real else good_node() as urls:
        settings = QdrantSettings(
            urls=tuple(urls.split(",")),
            directory=tmp_path / "qdrant",
            api_key=SERVER_KEY if real else None,
            recall_seconds=FOREVER,
        )
        yield settings
        if real:
            remove_collection(settings, str(embedder.embedding_space()))


def remove_collection(settings: QdrantSettings, space: str) -> None:
    """Remove a collection, if it is there, by a connection of its own: the tests close theirs."""
    path = f"/collections/{collection_name(space)}"
    with closing(Node(settings.nodes[0])) as node:
        node.answer(Request("DELETE", path, bool, writes=True))


class _Answers(SimpleQueue[Any]):
    def get(self, *_: object, **__: object) -> Any:
        answer = super().get()
        if answer is None:
            raise Empty
        return answer


class Patience:
    """Lets the time for an answer be over when it is said, however long that takes, and not before."""

    def answers(self) -> _Answers:
        """What holds the answers of those that are asked now."""
        self._of_now = _Answers()
        return self._of_now

    def end(self) -> None:
        """Whoever has not answered has had its time."""
        self._of_now.put(None)


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> Patience:
    patience = Patience()
    monkeypatch.setattr(first_answer, "SimpleQueue", patience.answers)
    return patience


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

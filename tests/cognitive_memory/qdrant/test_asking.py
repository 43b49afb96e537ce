from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from cognitive_memory.core.memory import NewMemory
from cognitive_memory.core.recall import RecallMode
from cognitive_memory.project_memory import ProjectMemory
from cognitive_memory.qdrant.asking import QdrantNodes
from cognitive_memory.qdrant.errors import QdrantError, QdrantUnreachableError
from cognitive_memory.qdrant.index import Found, QdrantIndex
from cognitive_memory.qdrant.settings import QdrantSettings
from cognitive_memory.qdrant.silence import Silence
from cognitive_memory.storage.store import MemoryStore
from tests.cognitive_memory.qdrant.conftest import FOREVER, Patience, remove_collection
from tests.support.plain_embedder import PlainEmbedder
from tests.support.qdrant_standin import dead_node, good_node, silent_node

VECTOR = np.ones(8, dtype=np.float32)


def nodes(directory: Path, *urls: str) -> QdrantNodes:
    settings = QdrantSettings(urls=urls, directory=directory, recall_seconds=FOREVER)
    return QdrantNodes(
        settings, lambda node: QdrantIndex(node, project_id="project", space="plain/1")
    )


def ask(asked: QdrantNodes) -> Found:
    with closing(asked):
        return asked.ask(lambda index: index.search(VECTOR, limit=5))


def test_a_recall_is_one_request(tmp_path: Path) -> None:
    requests: list[str] = []
    with good_node(requests) as url:
        assert ask(nodes(tmp_path, url)) == Found([], None)
    (request,) = requests
    assert request.endswith("/points/query/batch")


def test_a_silent_node_ends_with_the_time_and_is_left_alone_by_other_processes(
    tmp_path: Path, patience: Patience
) -> None:
    with silent_node(patience.end) as (url, asked):
        with pytest.raises(
            QdrantUnreachableError, match="no answer within the 600 s that a recall"
        ):
            ask(nodes(tmp_path, url))
        with pytest.raises(QdrantUnreachableError, match="did not answer a moment ago"):
            ask(nodes(tmp_path, url))
        assert len(asked) == 1


def test_the_next_node_is_asked_and_the_silent_one_last(tmp_path: Path, patience: Patience) -> None:
    requests: list[str] = []
    with (
        dead_node() as dead,
        silent_node(patience.end) as (frozen, asked),
        good_node(requests) as good,
    ):
        for number in (1, 2):
            assert ask(nodes(tmp_path, dead, frozen, good)) == Found([], None)
            assert (len(asked), len(requests)) == (1, number)


def test_a_node_that_answers_again_is_silent_no_more(tmp_path: Path) -> None:
    with dead_node() as dead, good_node() as good:
        Silence(tmp_path, good).begin()
        assert ask(nodes(tmp_path, good, dead)) == Found([], None)
        assert Silence(tmp_path, dead).lasts()
        assert not Silence(tmp_path, good).lasts()


def test_a_node_that_fails_at_one_question_is_not_silent(tmp_path: Path) -> None:
    with good_node() as url:
        settings = QdrantSettings(urls=(url,), directory=tmp_path, request_seconds=FOREVER)
        with QdrantIndex(settings, project_id="project", space="plain/1") as index:
            index.prepare(len(VECTOR) + 1)
        with pytest.raises(QdrantError, match="HTTP 400: Wrong input: Vector dimension error"):
            ask(nodes(tmp_path, url))
        assert not Silence(tmp_path, url).lasts()


def test_everything_else_goes_to_the_next_node_too(tmp_path: Path) -> None:
    requests: list[str] = []
    with dead_node() as dead, good_node(requests) as good:
        settings = QdrantSettings(urls=(dead, good), directory=tmp_path, request_seconds=FOREVER)
        with QdrantIndex(settings, project_id="project", space="plain/1") as index:
            assert index.count() == 0
            index.prepare(8)
            index.delete(["5f0c1c5e-3b0d-4a9e-8a0e-6f1b1f6f0a11"])
        assert requests[-1].endswith("/points/delete?wait=true")
        with (
            QdrantIndex(
                QdrantSettings(urls=(dead, dead), directory=tmp_path), project_id="p", space="m/1"
            ) as index,
            pytest.raises(QdrantUnreachableError, match="no answer"),
        ):
            index.count()


def test_a_recall_answers_from_this_machine_when_a_server_is_frozen(
    tmp_path: Path, patience: Patience
) -> None:
    embedder = PlainEmbedder()
    with silent_node(patience.end) as (url, _):
        settings = QdrantSettings(urls=(url,), directory=tmp_path, recall_seconds=FOREVER)
        store = MemoryStore(tmp_path / "memory.db", embedding_space=embedder.embedding_space)
        with ProjectMemory(store, embedder, qdrant=settings) as memory:
            memory.store(NewMemory(text="still found"))
            answer = memory.recall("anything")
            assert [hit.memory.text for hit in answer.hits] == ["still found"]
            assert answer.mode is RecallMode.HYBRID
            assert any("HEIMDALL_QDRANT_TIMEOUT" in note for note in answer.notes)


def test_more_than_can_be_compared_is_searched_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cognitive_memory.qdrant.nearest.UNPUSHED", 3)
    embedder = PlainEmbedder()
    with good_node() as url:
        settings = QdrantSettings(urls=(url,), directory=tmp_path, recall_seconds=FOREVER)
        store = MemoryStore(tmp_path / "memory.db", embedding_space=embedder.embedding_space)
        with ProjectMemory(store, embedder, qdrant=settings) as memory:
            memory.store_many(NewMemory(text=f"text {number}") for number in range(4))
            answer = memory.recall("other words")
    assert len(answer.hits) == 4
    assert any("'heimdall qdrant push' brings them there" in note for note in answer.notes)


def test_the_tests_remove_their_collection_on_a_server(tmp_path: Path) -> None:
    requests: list[str] = []
    with good_node(requests) as url:
        remove_collection(QdrantSettings(urls=(url,), directory=tmp_path), "plain-x/1")
    (request,) = requests
    assert request.startswith("DELETE /collections/heimdall-plain-x-")

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from cognitive_memory.core.memory import NewMemory
from cognitive_memory.core.recall import Hit, RecallFilter, RecallMode
from cognitive_memory.project_memory import ProjectMemory
from cognitive_memory.qdrant import sync
from cognitive_memory.qdrant.index import QdrantIndex
from cognitive_memory.qdrant.settings import QdrantSettings
from cognitive_memory.storage.store import MemoryStore
from tests.support.plain_embedder import PlainEmbedder

TEXTS = ("alpha beta", "beta gamma", "gamma delta", "delta alpha", "epsilon")


def opened(
    database: Path, embedder: PlainEmbedder, settings: QdrantSettings | None
) -> ProjectMemory:
    return ProjectMemory(
        MemoryStore(database, embedding_space=embedder.embedding_space), embedder, qdrant=settings
    )


def push(memory: ProjectMemory, settings: QdrantSettings) -> None:
    space = memory.storage.embedding_space()
    assert space
    with QdrantIndex(settings, project_id=memory.project_id, space=space) as index:
        sync.push(memory.storage, index)


@pytest.fixture(params=["here", "qdrant"])
def searched(
    request: pytest.FixtureRequest,
    settings: QdrantSettings,
    embedder: PlainEmbedder,
    tmp_path: Path,
) -> Iterator[ProjectMemory]:
    """A memory whose vectors are searched on this machine, and one whose are in Qdrant: both keep the same promises."""
    with opened(
        tmp_path / "memory.db", embedder, settings if request.param == "qdrant" else None
    ) as memory:
        for number, text in enumerate(TEXTS):
            memory.store(NewMemory(text=text, tags=(f"n{number}",), source=f"docs/{number}.md"))
        if request.param == "qdrant":
            push(memory, settings)
        yield memory


def found(memory: ProjectMemory, question: str, wanted: RecallFilter | None = None) -> list[str]:
    answer = memory.recall(question, filter=wanted or RecallFilter())
    assert answer.mode is RecallMode.HYBRID
    assert not any("instead" in note for note in answer.notes), answer.notes
    return [hit.memory.text for hit in answer.hits]


def test_meaning_and_words_find_together(searched: ProjectMemory) -> None:
    assert found(searched, "epsilon")[0] == "epsilon"
    assert sorted(found(searched, "nothing of it")) == sorted(TEXTS)


def test_filters_hold(searched: ProjectMemory) -> None:
    assert found(searched, "alpha", RecallFilter(tags=frozenset({"n1"}))) == ["beta gamma"]
    assert found(searched, "alpha", RecallFilter(sources=frozenset({"docs/2.md"}))) == [
        "gamma delta"
    ]
    assert found(searched, "alpha", RecallFilter(tags=frozenset({"none"}))) == []


def test_changes_are_seen_at_once(searched: ProjectMemory) -> None:
    searched.store(NewMemory(text="zeta"))
    assert found(searched, "unrelated words zeta")[0] == "zeta"
    (gone,) = searched.delete_by_tags(["n4"]).first
    assert gone.text not in found(searched, "epsilon")
    (first,) = searched.memories(RecallFilter(tags=frozenset({"n0"})))
    searched.update(first.id, text="eta")
    assert "eta" in found(searched, "theta")
    assert "alpha beta" not in found(searched, "theta")
    assert "eta" not in found(searched, "eta", RecallFilter(tags=frozenset({"n1"})))


def test_both_say_the_same(
    settings: QdrantSettings, embedder: PlainEmbedder, tmp_path: Path
) -> None:
    def scores(hits: tuple[Hit, ...]) -> dict[str, object]:
        return {hit.memory.text: pytest.approx(hit.score, abs=1e-5) for hit in hits}

    with (
        opened(tmp_path / "memory.db", embedder, None) as here,
        opened(tmp_path / "memory.db", embedder, settings) as there,
    ):
        here.store_many(NewMemory(text=f"word{number} word{number % 7}") for number in range(150))
        push(here, settings)
        for question in ("word3", "word149", "something else"):
            near, far = here.recall(question), there.recall(question)
            assert [hit.memory.id for hit in near.hits] == [hit.memory.id for hit in far.hits]
            assert scores(near.hits) == {hit.memory.text: hit.score for hit in far.hits}


def test_nothing_pushed_is_no_loss(
    settings: QdrantSettings, embedder: PlainEmbedder, tmp_path: Path
) -> None:
    with opened(tmp_path / "memory.db", embedder, settings) as memory:
        assert memory.recall("anything").hits == ()
        memory.store(NewMemory(text="only here"))
        assert found(memory, "whatever") == ["only here"]


def test_an_unreachable_server_is_told_and_made_up_for(
    embedder: PlainEmbedder, tmp_path: Path
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        settings = QdrantSettings(urls=(url,), directory=tmp_path)
        with opened(tmp_path / "memory.db", embedder, settings) as memory:
            memory.store(NewMemory(text="still found"))
            for said in ("no answer", "did not answer a moment ago"):
                answer = memory.recall("anything")
                assert [hit.memory.text for hit in answer.hits] == ["still found"]
                assert answer.mode is RecallMode.HYBRID
                (note,) = [note for note in answer.notes if "Qdrant" in note]
                assert note.startswith(
                    f"Searched the vectors on this machine instead: Qdrant at {url}: "
                )
                assert said in note

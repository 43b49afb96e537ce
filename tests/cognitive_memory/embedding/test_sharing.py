"""Vectors that another project on this machine has of the same texts are taken from there."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from cognitive_memory.core.memory import NewMemory, Origin
from cognitive_memory.embedding.sharing import FEWEST
from cognitive_memory.project_memory import ProjectMemory
from cognitive_memory.storage import known
from cognitive_memory.storage.store import MemoryStore
from cognitive_memory.storage.token_codes import TokenReader
from tests.support.plain_embedder import PlainEmbedder

TEXTS = [NewMemory(text=f"text {number}") for number in range(FEWEST + 50)]
DIMENSION = PlainEmbedder.dimension


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A database in which all of `TEXTS` have vectors."""
    database = tmp_path / "clone" / "cognitive_memory.db"
    with PlainEmbedder().open(database) as memory:
        memory.store_many(TEXTS)
    return database


@pytest.fixture
def embedder() -> PlainEmbedder:
    return PlainEmbedder()


@pytest.fixture
def memory(tmp_path: Path, clone: Path, embedder: PlainEmbedder) -> Iterator[ProjectMemory]:
    database = tmp_path / "project" / "cognitive_memory.db"
    store = MemoryStore(database, embedding_space=embedder.embedding_space)
    others = (tmp_path / "missing.db", clone)
    with ProjectMemory(store, embedder, others=lambda: others) as memory:
        yield memory


def vectors(memory: ProjectMemory) -> dict[str, bytes]:
    with memory.storage.reading() as reader:
        found = reader.vectors.since(None)
        texts = {key: each.text for key, each in reader.memories(found.keys.tolist()).items()}
    return {
        texts[key]: row.tobytes()
        for key, row in zip(found.keys.tolist(), found.matrix, strict=True)
    }


def test_nothing_is_embedded_that_a_clone_has(
    memory: ProjectMemory, embedder: PlainEmbedder, clone: Path
) -> None:
    memory.store_many([*TEXTS, NewMemory(text="new")], embed=False)
    assert memory.embed_pending() == len(TEXTS) + 1
    assert embedder.texts == ["new"]
    with PlainEmbedder().open(clone) as theirs:
        ours = vectors(memory)
        assert vectors(theirs) == {text: ours[text] for text in ours if text != "new"}


def test_tokens_come_along(memory: ProjectMemory, embedder: PlainEmbedder, clone: Path) -> None:
    with PlainEmbedder(tells_tokens=True).open(clone) as theirs:
        theirs.embed_pending()
    embedder.tells_tokens = True
    memory.store_many(TEXTS, embed=False)
    memory.embed_pending()
    assert embedder.texts == []
    with memory.storage.reading() as reader:
        assert TokenReader(reader.vectors).pending_count() == 0


@pytest.mark.parametrize("case", ["context", "commits", "space", "unknown", "few", "infinite"])
def test_what_is_not_the_same_is_embedded(
    memory: ProjectMemory, embedder: PlainEmbedder, clone: Path, case: str
) -> None:
    texts = TEXTS[: FEWEST - 1] if case == "few" else TEXTS
    if case == "context":
        texts = [NewMemory(text=each.text, context="elsewhere") for each in texts]
    if case == "commits":  # whose vector is made otherwise
        texts = [NewMemory(text=each.text, origin=Origin.COMMIT) for each in texts]
    if case == "space":
        embedder.name = "plain/2"
    if case == "infinite":
        infinite = np.full(DIMENSION, np.inf, dtype="<f4").tobytes()
        with closing(sqlite3.connect(clone)) as connection, connection:
            connection.execute("UPDATE embeddings SET vector = ?", (infinite,))
    if case == "unknown":
        with closing(sqlite3.connect(clone)) as connection:
            known.forget(connection.execute("SELECT secret FROM secret").fetchone()[0])
    memory.store_many(texts, embed=False)
    assert memory.embed_pending() == len(texts)
    assert len(set(embedder.texts)) >= len(texts)
    assert all(np.isfinite(np.frombuffer(each, "<f4")).all() for each in vectors(memory).values())

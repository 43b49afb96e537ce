from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from cognitive_memory.core.embedder import Tokens
from cognitive_memory.core.memory import NewMemory, Origin
from cognitive_memory.encoding import EmptyTextError
from cognitive_memory.project_memory import ProjectMemory
from cognitive_memory.storage.store import MemoryStore

COMMIT = "Retry thrice\n\nchanged proxy.py (+3 -1)\nadded tests/test_proxy.py (+9 -0)"


class Lengths:
    """An engine whose vectors tell how long a text is."""

    dimension = 2

    def __init__(self) -> None:
        self.read: list[str] = []

    def embedding_space(self) -> str:
        return "lengths"

    def ready(self) -> bool:
        return True

    def fetch(self) -> None:
        pass

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        for index, text in enumerate(texts):
            if text == "\u0301":
                raise EmptyTextError(index, "holds nothing to embed")
        self.read += texts
        angles = np.array([len(text) / 100 for text in texts], dtype=np.float32)
        return np.stack([np.cos(angles), np.sin(angles)], axis=1)

    def has_tokens(self) -> bool:
        return False

    def embed_with_tokens(self, texts: Sequence[str]) -> tuple[np.ndarray, list[Tokens]]:
        raise NotImplementedError


@pytest.fixture
def engine() -> Lengths:
    return Lengths()


@pytest.fixture
def memory(tmp_path: Path, engine: Lengths) -> Iterator[ProjectMemory]:
    store = MemoryStore(tmp_path / "memory.db", embedding_space=engine.embedding_space)
    with ProjectMemory(store, engine) as memory:
        yield memory


def vectors(memory: ProjectMemory) -> np.ndarray:
    with memory.storage.reading() as reader:
        return reader.vectors.since(None).matrix


def test_the_message_of_a_commit_is_read_beside_its_files(
    memory: ProjectMemory, engine: Lengths
) -> None:
    memory.store(NewMemory(text=COMMIT, context="Commit abc", origin=Origin.COMMIT))
    assert engine.read == [f"{COMMIT}\n(Commit abc)", "Retry thrice"]
    together = engine.embed(engine.read).sum(axis=0)
    np.testing.assert_allclose(vectors(memory), [together / np.linalg.norm(together)], rtol=1e-6)


def test_anything_else_is_read_once(memory: ProjectMemory, engine: Lengths) -> None:
    memory.store(NewMemory(text=COMMIT, context="Notes"))
    assert engine.read == [f"{COMMIT}\n(Notes)"]


def test_a_message_that_can_not_be_read_is_left_out(memory: ProjectMemory, engine: Lengths) -> None:
    text = "\u0301\n\nchanged proxy.py (+3 -1)"
    memory.store_many(
        [NewMemory(text=text, origin=Origin.COMMIT), NewMemory(text=COMMIT, origin=Origin.COMMIT)]
    )
    assert memory.storage.status().embedded == 2
    np.testing.assert_allclose(vectors(memory)[0], engine.embed([text])[0], rtol=1e-6)

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from cognitive_memory.core.embedder import CODE_LENGTH, Tokens
from cognitive_memory.core.memory import NewMemory
from cognitive_memory.project_memory import ProjectMemory
from cognitive_memory.retrieval.recaller import Recaller
from cognitive_memory.storage.store import MemoryStore


class Letters:
    """An engine whose vectors follow from which letters a text has: like texts are near, and nothing has to be loaded."""

    dimension = 32

    def __init__(self) -> None:
        self.here = True
        self.name = "letters"
        self.tells_tokens = False
        self.embedded: list[str] = []

    def embedding_space(self) -> str | None:
        return self.name

    def ready(self) -> bool:
        return self.here

    def fetch(self) -> None:
        self.here = True

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        self.embedded += texts
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for place, text in enumerate(texts):
            for letter in text.casefold():
                vectors[place, ord(letter) % self.dimension] += 1
            noise = np.frombuffer(hashlib.sha256(text.encode()).digest(), dtype=np.uint8)
            vectors[place] += noise / 10_000  # no two alike
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def has_tokens(self) -> bool:
        return self.tells_tokens

    def embed_with_tokens(self, texts: Sequence[str]) -> tuple[np.ndarray, list[Tokens]]:
        """Each word's code tells which letters it has."""
        return self.embed(texts), [self._tokens(text) for text in texts]

    def _tokens(self, text: str) -> Tokens:
        words = text.casefold().split()
        codes = np.zeros((len(words), self.dimension))
        for place, word in enumerate(words):
            for letter in word:
                codes[place, ord(letter) % self.dimension] += 1
        codes *= CODE_LENGTH / np.maximum(np.linalg.norm(codes, axis=1, keepdims=True), 1)
        return Tokens(words, np.rint(codes).clip(-127, 127).astype(np.int8))


@pytest.fixture
def engine() -> Letters:
    return Letters()


@pytest.fixture
def store(tmp_path: Path, engine: Letters) -> Iterator[MemoryStore]:
    store = MemoryStore(tmp_path / "memory.db", embedding_space=engine.embedding_space)
    yield store
    store.close()


@pytest.fixture
def memory(store: MemoryStore, engine: Letters) -> ProjectMemory:
    return ProjectMemory(store, engine)


@pytest.fixture
def recaller(store: MemoryStore, engine: Letters) -> Recaller:
    return Recaller(store, engine)


@pytest.fixture
def another(tmp_path: Path, engine: Letters) -> Iterator[Callable[[], ProjectMemory]]:
    """The same memory as another process would open it."""
    opened: list[ProjectMemory] = []

    def open_it() -> ProjectMemory:
        opened.append(
            ProjectMemory(
                MemoryStore(tmp_path / "memory.db", embedding_space=engine.embedding_space), engine
            )
        )
        return opened[-1]

    yield open_it
    for memory in opened:
        memory.close()


NOTES = (
    "We deploy on Fridays",
    "The database is PostgreSQL 16",
    "Retries use exponential back-off",
    "getUserName is deprecated",
    "検索エンジンは遅い",
)


@pytest.fixture
def filled(memory: ProjectMemory) -> ProjectMemory:
    memory.store_many(NewMemory(text=text) for text in NOTES)
    memory.embed_pending()
    return memory


def texts(memory: ProjectMemory | Recaller, question: str, **options: object) -> list[str]:
    return [hit.memory.text for hit in memory.recall(question, **options).hits]  # type: ignore[arg-type]

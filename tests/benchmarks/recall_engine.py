"""The engine that recall is measured with."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np

from cognitive_memory.core.config import EmbeddingConfig
from cognitive_memory.core.embedder import Tokens
from cognitive_memory.core.variants import pinned_variant
from cognitive_memory.encoding import Encoder


class Engine:
    """The model of a directory, as `ProjectMemory` wants it; may answer from memory what it was asked before.

    Args:
        models: the directory.
        remember: whether a text is embedded once.
        vectors: a database that keeps the vectors for the next process; None: this one alone.
        exact: as in `EmbeddingConfig`.
    """

    def __init__(
        self,
        models: Path,
        *,
        remember: bool = True,
        vectors: Path | None = None,
        exact: bool = False,
    ) -> None:
        pinned = pinned_variant(EmbeddingConfig().model_name, None)
        stand_in = pinned.stand_in if pinned and not exact else None
        self._encoder = Encoder.load(models, long_texts="pool", stand_in=stand_in)
        self._known = _Vectors(vectors) if remember else None
        self.dimension = self._encoder.settings.embedding_dimension

    def embedding_space(self) -> str:
        return "benchmark"

    def ready(self) -> bool:
        return True

    def fetch(self) -> None:
        pass

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        if self._known is None:
            return self._encoder.encode_batch(texts)
        known = self._known.of(texts)
        if new := [text for text in dict.fromkeys(texts) if text not in known]:
            made = dict(zip(new, self._encoder.encode_batch(new), strict=True))
            self._known.add(made)
            known |= made
        return np.stack([known[text] for text in texts])

    def has_tokens(self) -> bool:
        return True

    def embed_with_tokens(self, texts: Sequence[str]) -> tuple[np.ndarray, list[Tokens]]:
        if self._known is None:
            return self._encoder.encode_with_tokens(texts)
        known = self._known.tokens_of(texts)
        if new := [text for text in dict.fromkeys(texts) if text not in known]:
            vectors, tokens = self._encoder.encode_with_tokens(new)
            self._known.add(dict(zip(new, vectors, strict=True)))
            self._known.add_tokens(dict(zip(new, tokens, strict=True)))
            known |= dict(zip(new, tokens, strict=True))
        return self.embed(texts), [known[text] for text in texts]


class _Vectors:
    """Vectors and tokens by text."""

    def __init__(self, path: Path | None) -> None:
        self._connection = sqlite3.connect(
            path or ":memory:", check_same_thread=False, timeout=60, isolation_level=None
        )
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS vectors (digest BLOB PRIMARY KEY, vector BLOB) WITHOUT ROWID"
        )
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS tokens (digest BLOB PRIMARY KEY, words TEXT, codes BLOB) WITHOUT ROWID"
        )

    def of(self, texts: Sequence[str]) -> dict[str, np.ndarray]:
        query = "SELECT vector FROM vectors WHERE digest = ?"
        rows = (
            (text, self._connection.execute(query, (_digest(text),)).fetchone()) for text in texts
        )
        return {text: np.frombuffer(row[0], dtype="<f4") for text, row in rows if row}

    def add(self, vectors: dict[str, np.ndarray]) -> None:
        rows = [(_digest(text), vector.astype("<f4").tobytes()) for text, vector in vectors.items()]
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany("INSERT OR IGNORE INTO vectors VALUES (?, ?)", rows)
        self._connection.execute("COMMIT")

    def tokens_of(self, texts: Sequence[str]) -> dict[str, Tokens]:
        query = "SELECT words, codes FROM tokens WHERE digest = ?"
        rows = (
            (text, self._connection.execute(query, (_digest(text),)).fetchone()) for text in texts
        )
        return {text: _tokens(*row) for text, row in rows if row}

    def add_tokens(self, tokens: dict[str, Tokens]) -> None:
        rows = [
            (_digest(text), " ".join(each.words), each.codes.tobytes())
            for text, each in tokens.items()
        ]
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany("INSERT OR IGNORE INTO tokens VALUES (?, ?, ?)", rows)
        self._connection.execute("COMMIT")


def _tokens(words: str, codes: bytes) -> Tokens:
    split = words.split()
    width = len(codes) // max(1, len(split)) or 1
    return Tokens(split, np.frombuffer(codes, dtype=np.int8).reshape(-1, width))


def _digest(text: str) -> bytes:
    return sha256(text.encode()).digest()

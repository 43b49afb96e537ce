"""The engine that recall is measured with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cognitive_memory.encoding import Encoder


class Engine:
    """The model of a directory, as `ProjectMemory` wants it; may answer from memory what it was asked before."""

    def __init__(self, models: Path, *, remember: bool = True) -> None:
        self._remember = remember
        self._encoder = Encoder.load(models)
        self._known: dict[str, np.ndarray] = {}
        self.dimension = self._encoder.settings.embedding_dimension

    def embedding_space(self) -> str:
        return "benchmark"

    def ready(self) -> bool:
        return True

    def fetch(self) -> None:
        pass

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        if not self._remember:
            return self._encoder.encode_batch(texts)
        if new := [text for text in dict.fromkeys(texts) if text not in self._known]:
            self._known |= zip(new, self._encoder.encode_batch(new), strict=True)
        return np.stack([self._known[text] for text in texts])

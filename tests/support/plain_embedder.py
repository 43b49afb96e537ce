"""An embedder without a model, for what stands around the engine: the same text always gives the same vector."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cognitive_memory.core.embedder import Tokens
from cognitive_memory.encoding import EmptyTextError
from cognitive_memory.project_memory import ProjectMemory
from cognitive_memory.storage.store import MemoryStore

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass
class PlainEmbedder:
    """Of eight numbers. A text with "unreadable" in it can't be embedded.

    Attributes:
        name: the label.
        here: whether the model is on this machine.
        tells_tokens: whether it makes tokens, too.
        texts: every text that was embedded, in order.
    """

    name: str | None = "plain/1"
    here: bool = True
    dimension: int = 8
    tells_tokens: bool = False
    texts: list[str] = field(default_factory=list)

    def embedding_space(self) -> str | None:
        return self.name

    def ready(self) -> bool:
        return self.here

    def fetch(self) -> None:
        self.here = True

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        import numpy as np

        for index, text in enumerate(texts):
            if "unreadable" in text:
                raise EmptyTextError(index, "holds nothing to embed")
        self.texts += texts
        rows = [
            np.frombuffer(hashlib.sha256(text.encode()).digest()[:8], np.uint8) for text in texts
        ]
        vectors = np.array(rows, dtype=np.float32).reshape(len(texts), 8) - 127.5
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)

    def has_tokens(self) -> bool:
        return self.tells_tokens

    def embed_with_tokens(self, texts: Sequence[str]) -> tuple[NDArray[np.float32], list[Tokens]]:
        """One token for each text, of its vector."""
        vectors = self.embed(texts)
        codes = (vectors * 100).astype("int8")
        return vectors, [
            Tokens([text], code[None]) for text, code in zip(texts, codes, strict=True)
        ]

    def open(self, database: Path) -> ProjectMemory:
        """A memory that embeds with this."""
        return ProjectMemory(MemoryStore(database, embedding_space=self.embedding_space), self)

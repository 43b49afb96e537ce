"""The embedding engine as the memory sees it: which model, whether it is here, and batches with reasons for failures."""

from __future__ import annotations

import os
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Protocol

from cognitive_memory.core.config import EmbeddingConfig

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cognitive_memory.encoding import ONNXEmbeddingProvider

COMPOSITION = "aside-1"
"""How context and text become what is embedded; part of the label, since another way gives other vectors."""


class Embedder(Protocol):
    """What a memory needs to have vectors made.

    Attributes:
        dimension: how many numbers a vector has.
    """

    dimension: int

    def label(self) -> str | None:
        """What the vectors depend on: model, numerics and the way the text is composed; None when no model is pinned.

        Vectors are compared only with vectors of the same label.
        """

    def ready(self) -> bool:
        """Whether vectors can be made now, without the network."""

    def fetch(self) -> None:
        """Load the model, and fetch it if it is not on this machine."""

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of texts, shape (n, dimension), rows of unit length; loads the model, and fetches it if need be."""


def embedded_text(text: str, context: str) -> str:
    """What the model reads of a memory: what it says, then where it stands, aside.

    Measured better than the other way round, and it is the context that is cut off when both are too long (docs/recall.md).
    """
    return f"{text}\n({context})" if context.strip() else text


class ModelEmbedder:
    """The engine with the pinned model. Thread-safe; nothing is loaded before the first text.

    Args:
        config: which model, from where; default: `EmbeddingConfig()`.
    """

    def __init__(self, config: EmbeddingConfig | None = None) -> None:
        self._config = config or EmbeddingConfig()
        self.dimension = self._config.embedding_dimension
        self._lock = Lock()
        self._provider: ONNXEmbeddingProvider | None = None
        self._process = os.getpid()
        self._loaded = False
        self._known_label: str | None = None

    def label(self) -> str | None:
        """As `Embedder.label`: the digest is that of the pins of all files of the model."""
        if self._known_label is None:
            from heimdall.models import locations, warm

            try:
                manifest = warm.read_json(locations.manifest_path())
            except (OSError, ValueError):
                return None
            entry = warm.choose_entry(manifest, self._config.model_name, None)
            if entry is None:
                return None
            pins = "\n".join(f"{path} {digest}" for path, (digest, _) in sorted(warm.pins(entry).items()))
            digest = sha256(pins.encode()).hexdigest()[:16]
            self._known_label = f"{entry['name']}/{entry['variant']}/{digest}/{COMPOSITION}"
        return self._known_label

    def ready(self) -> bool:
        """Whether the model is loaded, or its files are in the read-only tier or the models directory."""
        if self._loaded and self._process == os.getpid():
            return True
        from heimdall.models import locations, warm

        try:
            entry = warm.choose_entry(warm.read_json(locations.manifest_path()), self._config.model_name, None)
        except (OSError, ValueError):
            return False
        if entry is None:
            return False
        places = (Path(locations.system_models_dir()), self._config.model_cache_dir)
        return any(warm.complete_set(str(p), entry) or warm.plausible_tree(str(p), entry) for p in places)

    def fetch(self) -> None:
        """As `Embedder.fetch`; nothing when it is loaded already.

        Raises:
            heimdall.models.ModelError: it can't be had, or can't be loaded.
        """
        if not (self._loaded and self._process == os.getpid()):
            self.embed(["model"])

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """As `ONNXEmbeddingProvider.encode_batch`, with its errors."""
        vectors = self._engine().encode_batch(texts)
        self._loaded = True
        return vectors

    def _engine(self) -> ONNXEmbeddingProvider:
        with self._lock:
            if self._provider is None or self._process != os.getpid():  # the model's threads don't survive a fork
                from cognitive_memory.encoding import ONNXEmbeddingProvider

                self._provider, self._process, self._loaded = ONNXEmbeddingProvider(self._config), os.getpid(), False
            return self._provider

"""The embedding engine as the memory sees it: which model, whether it is here, and batches with reasons for failures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from cognitive_memory.core.config import EmbeddingConfig
from cognitive_memory.core.variants import pinned_variant
from cognitive_memory.encoding import ONNXEmbeddingProvider
from heimdall.models import locations, receipts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

COMPOSITION = "aside-1"
"""How context and text become what is embedded; part of the label, since another way gives other vectors."""


class Embedder(Protocol):
    """What a memory needs to have vectors made.

    Attributes:
        dimension: how many numbers a vector has.
    """

    dimension: int

    def label(self) -> str | None:
        """What the vectors depend on: embedding space and the way the text is composed; None when no model is pinned.

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
        config: which model, from where; default: `EmbeddingConfig` that reads long memories whole.
    """

    def __init__(self, config: EmbeddingConfig | None = None) -> None:
        self._config = config or EmbeddingConfig(long_texts="pool")
        self.dimension = self._config.embedding_dimension
        self._provider = ONNXEmbeddingProvider(self._config)
        self._known_label: str | None = None

    def label(self) -> str | None:
        """As `Embedder.label`: the provider's own, and the way of composing."""
        if self._known_label is None and (space := self._provider.embedding_space):
            self._known_label = f"{space}/{COMPOSITION}"
        return self._known_label

    def ready(self) -> bool:
        """Whether the model is loaded, or its files are in the read-only tier or the models directory."""
        if self._provider.ready():
            return True
        # What lies there without a receipt is hashed when it is used.
        places = (locations.system_models_dir(), str(self._config.model_cache_dir))
        pinned = pinned_variant(self._config.model_name, self._config.variant)
        return pinned is not None and any(
            receipts.plausible_tree(place, pinned.entry) for place in places
        )

    def fetch(self) -> None:
        """As `Embedder.fetch`.

        Raises:
            heimdall.models.ModelError: it can't be had, or can't be loaded.
        """
        if not self.ready():
            self._provider.encode("model")

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """As `ONNXEmbeddingProvider.encode_batch`, with its errors."""
        return self._provider.encode_batch(texts)

"""The embedding engine as the memory sees it: which model, whether it is here, and batches with reasons for failures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from cognitive_memory.core.arrays import FloatArray
from cognitive_memory.core.commit_text import message_of
from cognitive_memory.core.config import EmbeddingConfig
from cognitive_memory.core.memory import Origin
from cognitive_memory.encoding import ONNXEmbeddingProvider

if TYPE_CHECKING:
    from cognitive_memory.core.embedder import Tokens

COMPOSITION = "aside-1"
"""How context and text become what is embedded; part of the embedding space, since another way
gives other vectors.
"""


def embedded_text(text: str, context: str) -> str:
    """What the model reads of a memory: what it says, then where it stands, aside.

    Measured better than the other way round, and it is the context that is cut off when both are
    too long (docs/recall.md).
    """
    return f"{text}\n({context})" if context.strip() else text


def message_alone(text: str, origin: Origin) -> str | None:
    """What of a memory is read once more by itself; None if nothing is.

    A commit's message is short beside the files that it changed, and would drown among them: its
    vector is the mean of both readings.
    """
    return message_of(text) if origin is Origin.COMMIT else None


_providers: WeakValueDictionary[EmbeddingConfig, ONNXEmbeddingProvider] = WeakValueDictionary()


def _shared(config: EmbeddingConfig) -> ONNXEmbeddingProvider:
    """The provider of all memories that are open with a configuration: it loads the model once."""
    if (provider := _providers.get(config)) is None:
        provider = _providers.setdefault(config, ONNXEmbeddingProvider(config))
    return provider


class ModelEmbedder:
    """The engine with the pinned model. Thread-safe; nothing is loaded before the first text.

    Args:
        config: which model, from where; default: `EmbeddingConfig` that reads long memories whole,
            and takes what is quickest of what can be compared.
    """

    def __init__(self, config: EmbeddingConfig | None = None) -> None:
        self._provider = _shared(config or EmbeddingConfig(long_texts="pool", exact=False))
        self.dimension = self._provider.config.embedding_dimension
        self._space: str | None = None

    def embedding_space(self) -> str | None:
        """As `Embedder.embedding_space`: the provider's own, and the way of composing."""
        if self._space is None and (space := self._provider.embedding_space):
            self._space = f"{space}/{COMPOSITION}"
        return self._space

    def ready(self) -> bool:
        """As `ONNXEmbeddingProvider.ready`."""
        return self._provider.ready()

    def fetch(self) -> None:
        """As `Embedder.fetch`.

        Raises:
            heimdall.models.ModelError: it can't be had, or can't be loaded.
        """
        if not self.ready():
            self._provider.encode("model")

    def embed(self, texts: Sequence[str]) -> FloatArray:
        """As `ONNXEmbeddingProvider.encode_batch`, with its errors."""
        return self._provider.encode_batch(texts)

    def has_tokens(self) -> bool:
        """As `ONNXEmbeddingProvider.has_tokens`."""
        return self._provider.has_tokens

    def embed_with_tokens(self, texts: Sequence[str]) -> tuple[FloatArray, list[Tokens]]:
        """As `ONNXEmbeddingProvider.encode_with_tokens`, with its errors."""
        return self._provider.encode_with_tokens(texts)

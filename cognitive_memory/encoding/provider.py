"""The face of the engine: a configuration in, vectors out; finds, loads and heals the model by itself."""

from __future__ import annotations

from collections.abc import Iterable
from threading import Lock
from typing import TYPE_CHECKING

from cognitive_memory.core.config import ConfigError, EmbeddingConfig
from cognitive_memory.encoding.errors import ModelLoadError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cognitive_memory.encoding.encoder import Encoder


class ONNXEmbeddingProvider:
    """Embeds texts with the configured model. Safe to use from several threads.

    Making one costs nothing; the first text loads the model, once, and fetches it if this machine does not have it.

    Args:
        config: which model, from where; the defaults of `EmbeddingConfig` when omitted.
    """

    def __init__(self, config: EmbeddingConfig | None = None) -> None:
        self._config = EmbeddingConfig() if config is None else config
        self._encoder: Encoder | None = None
        self._loading = Lock()

    @property
    def config(self) -> EmbeddingConfig:
        """The configuration that this provider was made with."""
        return self._config

    def encode(self, text: str) -> NDArray[np.float32]:
        """Embed one text.

        Returns:
            Shape (embedding_dimension,), of unit L2 norm.

        Raises:
            TextTypeError: `text` is not a str.
            EmptyTextError: it holds nothing to embed: it is empty or has only blanks, control characters or lone accents.
            TextError: it is not valid Unicode.
            heimdall.models.ModelUnavailable: the model is not on this machine and could not be fetched.
            ModelLoadError: its files can't be loaded, and fetching bad ones again did not help.
            ConfigError: the model is not the one that the configuration describes.
        """
        return self._loaded().encode(text)

    def encode_batch(self, texts: Iterable[str]) -> NDArray[np.float32]:
        """Embed several texts.

        Args:
            texts: any number of them.

        Returns:
            Shape (number of texts, embedding_dimension), in the texts' order, rows of unit L2 norm, C-contiguous.

        Raises:
            TextTypeError, EmptyTextError, TextError: as `encode`, naming the first bad text's place; also when `texts`
                is a single str.
            heimdall.models.ModelUnavailable, ModelLoadError, ConfigError: as `encode`.
        """
        return self._loaded().encode_batch(texts, batch_size=self._config.batch_size)

    def _loaded(self) -> Encoder:
        if self._encoder is None:
            with self._loading:
                if self._encoder is None:
                    self._encoder = self._load()
        return self._encoder

    def _load(self) -> Encoder:
        from cognitive_memory.encoding.encoder import Encoder
        from heimdall.models.resolver import heal, resolve

        name, models_dir = self._config.model_name, self._config.model_cache_dir
        directory = resolve(name, models_dir=models_dir)
        try:
            encoder = Encoder.load(directory)
        except ModelLoadError:
            if not heal(directory, name, models_dir=models_dir):
                raise
            directory = resolve(name, models_dir=models_dir)
            encoder = Encoder.load(directory)
        for setting in ("model_name", "embedding_dimension"):
            wanted, found = getattr(self._config, setting), getattr(encoder.settings, setting)
            if wanted != found:
                raise ConfigError(
                    f"EmbeddingConfig.{setting}", f"is {wanted!r}, but the model in {directory} has {found!r}"
                )
        return encoder

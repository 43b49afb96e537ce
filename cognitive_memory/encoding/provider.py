"""The engine as its users see it: a configuration in, vectors out.

Finds, loads and repairs the model by itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING
from weakref import WeakSet

from cognitive_memory.core.arrays import FloatArray
from cognitive_memory.core.config import ConfigError, EmbeddingConfig
from cognitive_memory.core.variants import pinned_variant
from cognitive_memory.encoding.errors import EngineImportError, ModelLoadError
from cognitive_memory.encoding.texts import check_text, check_texts, windows
from cognitive_memory.encoding.token_code import has_code

if TYPE_CHECKING:
    from cognitive_memory.core.embedder import Tokens
    from cognitive_memory.core.reports import OnProgress
    from cognitive_memory.encoding.encoder import Encoder
    from cognitive_memory.encoding.pipeline import Block
    from heimdall.models.locate import Location


class ONNXEmbeddingProvider:
    """Embeds texts with the configured model. Safe to use from several threads.

    Making one costs nothing; the first text loads the model, once, and fetches it if this machine
    does not have it.

    Args:
        config: which model, from where; the defaults of `EmbeddingConfig` when omitted.

    Attributes:
        config: the configuration that this provider was made with.
    """

    def __init__(self, config: EmbeddingConfig | None = None) -> None:
        self.config = EmbeddingConfig() if config is None else config
        self._which = (self.config.model_name, self.config.variant)
        self._forget()
        _providers.add(self)

    def __reduce__(self) -> tuple[type[ONNXEmbeddingProvider], tuple[EmbeddingConfig]]:
        # A model in memory stays in its process; a copy elsewhere loads its own.
        return type(self), (self.config,)

    def _forget(self) -> None:
        self._encoder: Encoder | None = None
        self._loading = Lock()

    def encode(self, text: str) -> FloatArray:
        """Embed one text.

        If it is longer than what is read of a text, the rest is left out, and a warning is logged.

        How much is read, `EmbeddingConfig.long_texts` says.

        Returns:
            Shape (embedding_dimension,), of unit L2 norm.

        Raises:
            TextTypeError: `text` is not a str.
            EmptyTextError: it holds nothing to embed: it is empty or has only blanks, control
                characters or lone accents.
            TextError: it is not valid Unicode.
            heimdall.models.ModelUnavailable: the model is not on this machine and could not be
                fetched.
            ModelLoadError: its files can't be loaded, and fetching bad ones again did not help.
            EngineImportError: the engine's libraries can't be imported.
            ConfigError: the model is not the one that the configuration describes, or the device is
                not there.
        """
        check_text(text)  # a bad text costs no model
        return self._loaded().encode(text)

    def encode_batch(
        self, texts: Iterable[str], *, progress: OnProgress | None = None
    ) -> FloatArray:
        """Embed several texts. Long texts are treated as by `encode`.

        Args:
            texts: any number of them.
            progress: called in this thread, whenever some more are done, with how many are done and
                how many there are.

        Returns:
            Shape (number of texts, embedding_dimension), in the texts' order, rows of unit L2 norm,
            C-contiguous.

        Raises:
            TextTypeError, EmptyTextError, TextError: as `encode`, naming the first bad text's
                place; also when `texts` is a single str.
            heimdall.models.ModelUnavailable, ModelLoadError, ConfigError: as `encode`.
        """
        checked = check_texts(texts)
        return self._loaded().encode_batch(
            checked, batch_size=self.config.batch_size, progress=progress
        )

    @property
    def has_tokens(self) -> bool:
        """Whether this release has a code for the model's tokens. Nothing is loaded for it."""
        return has_code(self.config.model_name)

    def encode_with_tokens(self, texts: Iterable[str]) -> tuple[FloatArray, list[Tokens]]:
        """As `encode_batch`, and the tokens of each text, if the model has any (`has_tokens`).

        Raises:
            ModelLoadError: it has none.
        """
        return self._loaded().encode_with_tokens(
            check_texts(texts), batch_size=self.config.batch_size
        )

    def encode_stream(self, texts: Iterable[str]) -> Iterator[Block]:
        """Embed however many texts, in bounded memory.

        Meanwhile the next ones are read and computed.

        Args:
            texts: walked through in the calling thread, up to two windows ahead (of 512 texts or a
                million characters).

        Yields:
            Blocks of consecutive texts in the texts' order. They say which texts were longer than
            what is read of one.

        Raises:
            TextTypeError, EmptyTextError, TextError: as `encode_batch`, after the blocks before the
                bad text's window. So does whatever walking through `texts` raises.
            heimdall.models.ModelUnavailable, ModelLoadError, ConfigError: as `encode`.
        """
        ahead = windows(texts)
        if first := next(ahead, None):  # bad texts cost no model
            yield from self._loaded().encode_windows(
                chain([first], ahead), batch_size=self.config.batch_size
            )

    def ready(self) -> bool:
        """Whether a text can be embedded now without fetching anything: the model is loaded, or on this machine."""
        return self._encoder is not None or self._location().here

    @property
    def embedding_space(self) -> str | None:
        """A name of the space that the vectors are in.

        They are compared only with vectors of the same space.

        None where the manifest pins no such model. Nothing is loaded for it.
        """
        pinned = pinned_variant(*self._which)
        if pinned is None:
            return None
        return pinned.embedding_space(self.config.device, self.config.long_texts)

    def _location(self) -> Location:
        from heimdall.models.locate import locate

        return locate(None, *self._which, models_dir=self.config.model_cache_dir)

    def _directory(self) -> Path:
        location = self._location()
        if location.verified and location.noted:
            return Path(location.directory)
        from heimdall.models.resolver import resolve

        return resolve(*self._which, models_dir=Path(self.config.model_cache_dir))

    def _loaded(self) -> Encoder:
        # Looked at without the lock first: every text comes by here.
        if self._encoder is None:
            with self._loading:
                if self._encoder is None:
                    try:
                        self._encoder = self._load()
                    except ImportError as error:
                        raise EngineImportError(str(error)) from error
        return self._encoder

    def _encoder_in(self, directory: Path) -> Encoder:
        from cognitive_memory.encoding.encoder import Encoder
        from heimdall.models import graph_cache, receipts

        ours = Path(self.config.model_cache_dir, receipts.STORE)
        pinned = pinned_variant(*self._which)
        return Encoder.load(
            directory,
            device=self.config.device,
            graph=pinned.graph if pinned else None,
            stand_in=pinned.stand_in if pinned and not self.config.exact else None,
            long_texts=self.config.long_texts,
            # The read-only tier is not written to, whoever may.
            caches=graph_cache.places(directory) if directory.is_relative_to(ours) else (),
        )

    def _load(self) -> Encoder:
        from cognitive_memory.encoding.session import require_engine

        require_engine()
        directory = self._directory()
        try:
            encoder = self._encoder_in(directory)
        except ModelLoadError:
            from heimdall.models.manifest import read_model
            from heimdall.models.own_receipts import verify_tree
            from heimdall.models.resolver import repair

            model = read_model(None, *self._which)
            if verify_tree(directory, model):
                raise
            directory = repair(model, models_dir=Path(self.config.model_cache_dir)).directory
            encoder = self._encoder_in(directory)
        for setting in ("model_name", "embedding_dimension"):
            wanted, loaded = getattr(self.config, setting), getattr(encoder.settings, setting)
            if wanted != loaded:
                raise ConfigError(
                    f"EmbeddingConfig.{setting}",
                    f"is {wanted!r}, but the model in {directory} has {loaded!r}",
                )
        return encoder


_providers: WeakSet[ONNXEmbeddingProvider] = WeakSet()


def _forget_all() -> None:
    import ctypes

    for provider in _providers:
        # Taking a session down waits for its threads, which stayed behind: it is never taken down
        # here.
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(provider._encoder))
        provider._forget()


if hasattr(os, "register_at_fork"):
    # A loaded model's threads don't survive a fork, and a lock may be held for ever: a child starts
    # anew.
    os.register_at_fork(after_in_child=_forget_all)

"""A model in memory: tokenizer and graph of one directory, and the way of texts through them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

from cognitive_memory.core.arrays import FloatArray
from cognitive_memory.core.config import ConfigError
from cognitive_memory.core.variants import Graph
from cognitive_memory.encoding.cores import processor_has, usable_cores
from cognitive_memory.encoding.errors import ModelLoadError
from cognitive_memory.encoding.model_settings import ModelSettings, read_settings
from cognitive_memory.encoding.session import ModelSession, on_cpu
from cognitive_memory.encoding.sessions import Make, Sessions
from cognitive_memory.encoding.texts import check_text, check_texts, windows
from cognitive_memory.encoding.token_code import TokenCode
from cognitive_memory.encoding.tokenization import TextTokenizer

if TYPE_CHECKING:
    from cognitive_memory.core.embedder import Tokens
    from cognitive_memory.core.reports import OnProgress
    from cognitive_memory.encoding.pipeline import Block

MOST_WINDOWS = 16
"""In how many windows a long text is read at most: 8,000 tokens, some 20 pages. One text shall not
hold up all others.
"""


class Encoder:
    """Embeds texts with a loaded model; made by `load`. Safe to use from several threads.

    The same text gives the same vector alone and in any batch, to within 1e-6 in each number.

    Attributes:
        settings: what the model's own configuration says.
    """

    def __init__(
        self, settings: ModelSettings, tokenizer: TextTokenizer, sessions: Sessions
    ) -> None:
        self.settings = settings
        self._tokenizer = tokenizer
        self._sessions = sessions

    @classmethod
    def load(
        cls,
        directory: Path,
        *,
        device: str = "auto",
        graph: Graph | None = None,
        stand_in: Graph | None = None,
        long_texts: str = "cut",
        caches: Sequence[Path] = (),
    ) -> Self:
        """Load the model whose files are in `directory`: graph, weights, `model_config.json` and `tokenizer/`.

        Args:
            directory: where the files are.
            device: one of `core.config.DEVICES`.
            graph: which of the directory's graphs, and how it is run; None: `<model_name>.onnx`, on
                any device.
            stand_in: the graph that may do the same on the processor, where it is quicker.
            long_texts: one of `core.config.LONG_TEXTS`.
            caches: where the folded form of a graph with computed weights is looked for, and kept
                (`folded`).

        Raises:
            ModelLoadError: a file is missing, broken or not one that this release understands.
            ConfigError: the device is not there.
        """
        try:
            settings = read_settings(directory)
            most_windows = MOST_WINDOWS if long_texts == "pool" else 1
            # One after the other: both hold Python's lock for nearly all of their time.
            tokenizer = TextTokenizer(directory, settings.max_length, most_windows=most_windows)
            graph = graph or Graph(f"{settings.model_name}.onnx")
            make = _maker(directory, graph, device, caches)
            sessions = Sessions(
                make,
                cores=usable_cores(),
                stand_in=_maker(directory, stand_in, "cpu", caches) if stand_in else None,
                in_bulk=stand_in is not None and processor_has(stand_in.bulk_on),
            )
            return cls(settings, tokenizer, sessions)
        except (ImportError, ConfigError):
            # an incomplete installation or a wrong configuration, not a bad model
            raise
        except Exception as error:
            # tokenizers and onnxruntime raise bare Exceptions for broken files
            raise ModelLoadError(str(directory), str(error) or type(error).__name__) from error

    @cached_property
    def _code(self) -> TokenCode | None:
        return TokenCode.of_model(self.settings.model_name, self._tokenizer.token_of)

    def encode(self, text: str) -> FloatArray:
        """Embed one text.

        If it is longer than what is read of a text, the rest is left out, and a warning is logged.

        Returns:
            Shape (embedding_dimension,), of unit L2 norm.

        Raises:
            TextTypeError: `text` is not a str.
            EmptyTextError: it holds nothing to embed.
            TextError: it is not valid Unicode.
        """
        rows, _, cut = self._tokenizer([check_text(text)], first=None)
        if cut:
            self._warn("the text is longer")
        if len(rows) > 1:  # read in windows, whose mean the pipeline makes
            (block,) = self.encode_windows(iter([[text]]))
            whole: FloatArray = block.vectors[0]
            return whole
        vector: FloatArray = self._sessions.single().run(rows)[0]
        return vector

    def encode_batch(
        self, texts: Iterable[str], *, batch_size: int = 32, progress: OnProgress | None = None
    ) -> FloatArray:
        """Embed several texts. Long texts are treated as by `encode`.

        Args:
            texts: any number of them.
            batch_size: how many at most go through the model at once.
            progress: called in this thread whenever some more are done.

        Returns:
            Shape (number of texts, embedding_dimension), in the texts' order, rows of unit L2 norm,
            C-contiguous.

        Raises:
            TextTypeError, EmptyTextError, TextError: as `encode`, for the first bad text.
        """
        return self._embed(texts, batch_size, progress)[0]

    def encode_with_tokens(
        self, texts: Iterable[str], *, batch_size: int = 32
    ) -> tuple[FloatArray, list[Tokens]]:
        """As `encode_batch`, and the tokens of each text.

        Raises:
            ModelLoadError: this release has no code for the model's tokens, or its graph does not
                give them.
            TextTypeError, EmptyTextError, TextError: as `encode_batch`.
        """
        if self._code is None:
            raise ModelLoadError(self.settings.model_name, "there is no code for its tokens")
        return self._embed(texts, batch_size, code=self._code)

    def _embed(
        self,
        texts: Iterable[str],
        batch_size: int,
        progress: OnProgress | None = None,
        *,
        code: TokenCode | None = None,
    ) -> tuple[FloatArray, list[Tokens]]:
        import numpy as np

        checked = check_texts(texts)
        vectors = np.empty((len(checked), self.settings.embedding_dimension), dtype=np.float32)
        tokens: list[Tokens] = []
        done = 0

        def advance(count: int) -> None:
            nonlocal done
            done += count
            if progress is not None:
                progress(done, len(checked))

        cut: list[int] = []
        blocks = self.encode_windows(
            windows(checked), batch_size=batch_size, done=advance, code=code
        )
        for block in blocks:
            vectors[block.first : block.first + len(block.vectors)] = block.vectors
            tokens.extend(block.tokens)
            cut.extend(block.cut)
        if cut:
            several = (
                f"{len(cut)} of {len(checked)} texts, the first of them text {cut[0]}, are longer"
            )
            self._warn(several if len(checked) > 1 else "the text is longer")
        return vectors, tokens

    def encode_stream(self, texts: Iterable[str], *, batch_size: int = 32) -> Iterator[Block]:
        """Embed however many texts, in bounded memory.

        Meanwhile the next ones are read and computed.

        Args:
            texts: walked through in the calling thread, up to two windows (see
                `texts.WINDOW_TEXTS`) ahead.
            batch_size: as in `encode_batch`.

        Yields:
            Blocks of consecutive texts in the texts' order. They say which texts were longer than
            what is read of one.

        Raises:
            TextTypeError, EmptyTextError, TextError: as `encode`, after the blocks before the bad
                text's window. So does whatever walking through `texts` raises.
        """
        yield from self.encode_windows(windows(texts), batch_size=batch_size)

    def encode_windows(
        self,
        texts: Iterator[Sequence[str]],
        *,
        batch_size: int = 32,
        done: Callable[[int], None] | None = None,
        code: TokenCode | None = None,
    ) -> Iterator[Block]:
        """As `encode_stream`, for texts that were checked and grouped by `texts.windows`.

        Args:
            texts: the windows.
            batch_size: as in `encode_batch`.
            done: called in this thread whenever some more texts are done, with their number.
            code: makes the tokens of each text; None: there are none in the blocks.
        """
        from cognitive_memory.encoding.pipeline import Pipeline

        dimension = self.settings.embedding_dimension
        pipeline = Pipeline(self._tokenizer, self._sessions, dimension, batch_size, code)
        yield from pipeline.blocks(texts, done)

    def _warn(self, what: str) -> None:
        import logging

        remedy = "" if self._tokenizer.pools else "; long_texts='pool' reads more of them"
        logging.getLogger(__name__).warning(
            "%s than the %d tokens that are read of a text, and embedded by the beginning alone%s",
            what,
            self._tokenizer.most_tokens,
            remedy,
        )


def _maker(directory: Path, graph: Graph, device: str, caches: Sequence[Path]) -> Make:
    path = directory / graph.path
    if device == "auto" and graph.devices:
        device = graph.devices[0]
    if graph.computes_weights and caches and on_cpu(device):
        from cognitive_memory.encoding.folded import make_session

        return partial(make_session, path, caches)
    return lambda threads, packed: ModelSession(
        path,
        threads=threads,
        packed=packed,
        # Run as it is written, a graph that computes its weights would do that in each run.
        plain=not (packed or graph.computes_weights),
        device=device,
    )

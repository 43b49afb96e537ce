"""A model in memory: tokenizer and graph of one directory, and the way of texts through them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

from cognitive_memory.encoding.batching import plan_batches
from cognitive_memory.encoding.errors import ModelLoadError
from cognitive_memory.encoding.model_settings import ModelSettings, read_settings
from cognitive_memory.encoding.session import ModelSession, usable_cores
from cognitive_memory.encoding.texts import check_text, check_texts
from cognitive_memory.encoding.tokenization import TextTokenizer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Encoder:
    """Embeds texts with a loaded model; made by `load`. Safe to use from several threads.

    The same text gives the same vector alone and in any batch, to within 1e-6 in each number.

    Attributes:
        settings: what the model's own configuration says.
    """

    def __init__(
        self, settings: ModelSettings, tokenizer: TextTokenizer, session: ModelSession, *, workers: int
    ) -> None:
        self.settings = settings
        self._tokenizer = tokenizer
        self._session = session
        self._workers = workers

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Load the model whose files are in `directory`: graph, weights, `model_config.json` and `tokenizer/`.

        Raises:
            ModelLoadError: a file is missing, broken or not one that this release understands.
        """
        cores = usable_cores()
        try:
            settings = read_settings(directory)
            tokenizer = TextTokenizer(directory, settings.max_length)
            session = ModelSession(directory / f"{settings.model_name}.onnx", threads=cores)
        except ImportError:  # an incomplete installation, not a bad model
            raise
        except Exception as error:  # tokenizers and onnxruntime raise bare Exceptions for broken files
            raise ModelLoadError(str(directory), str(error) or type(error).__name__) from error
        return cls(settings, tokenizer, session, workers=cores)

    def encode(self, text: str) -> NDArray[np.float32]:
        """Embed one text.

        Returns:
            Shape (embedding_dimension,), of unit L2 norm.

        Raises:
            TextTypeError: `text` is not a str.
            EmptyTextError: it holds nothing to embed.
            TextError: it is not valid Unicode.
        """
        rows = self._tokenizer([check_text(text)], alone=True)
        vector: NDArray[np.float32] = self._session.run(rows)[0]
        return vector

    def encode_batch(self, texts: Iterable[str], *, batch_size: int = 32) -> NDArray[np.float32]:
        """Embed several texts.

        Args:
            texts: any number of them.
            batch_size: how many at most go through the model at once.

        Returns:
            Shape (number of texts, embedding_dimension), in the texts' order, rows of unit L2 norm, C-contiguous.

        Raises:
            TextTypeError, EmptyTextError, TextError: as `encode`, for the first bad text; nothing is embedded then.
        """
        import numpy as np

        checked = check_texts(texts)
        vectors = np.empty((len(checked), self.settings.embedding_dimension), dtype=np.float32)
        if not checked:
            return vectors
        rows = self._tokenizer(checked)

        def embed(batch: Sequence[int]) -> None:
            vectors[batch] = self._session.run([rows[index] for index in batch])

        batches = plan_batches([len(row) for row in rows], max_rows=batch_size)
        if len(batches) == 1:
            embed(batches[0])
            return vectors
        from concurrent.futures import ThreadPoolExecutor

        # Batches side by side keep all cores busy where one batch, whose operators are small, could not.
        with ThreadPoolExecutor(min(self._workers, len(batches)), thread_name_prefix="heimdall-encode") as pool:
            for _ in pool.map(embed, batches):
                pass
        return vectors

"""Texts to token ids, with the model's own `tokenizer.json`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cognitive_memory.encoding.texts import empty

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TOKENIZER_NAME = "tokenizer/tokenizer.json"


class TextTokenizer:
    """Turns texts into token ids of their natural length. Safe to use from several threads.

    Args:
        directory: the model's directory.
        max_length: the most ids that a text may have, special ones included; the rest is cut off at the end.

    Raises:
        Exception: of no narrower type, from the tokenizers library: the file is missing or broken.
    """

    def __init__(self, directory: Path, max_length: int) -> None:
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_file(str(directory / TOKENIZER_NAME))
        # Upstream's file cuts every text at 128 tokens and pads it to 128: both are overridden.
        self._tokenizer.enable_truncation(max_length)
        self._tokenizer.no_padding()
        self._special = self._tokenizer.num_special_tokens_to_add(is_pair=False)

    def __call__(self, texts: Sequence[str], *, alone: bool = False) -> list[NDArray[np.int64]]:
        """The ids of each text, special ones included, as one array of shape (tokens,) each.

        Args:
            texts: checked ones.
            alone: whether errors shall speak of the only text instead of its place.

        Raises:
            EmptyTextError: the tokenizer finds nothing in a text, for example in control characters.
        """
        import numpy as np

        encodings = self._tokenizer.encode_batch_fast(texts)
        for index, encoding in enumerate(encodings):
            if len(encoding) <= self._special:
                raise empty(None if alone else index)
        return [np.array(encoding.ids, dtype=np.int64) for encoding in encodings]

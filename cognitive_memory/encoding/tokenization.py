"""Texts to token ids, with the model's own `tokenizer.json`."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cognitive_memory.core.arrays import IntArray
from cognitive_memory.encoding.plain_words import PlainWords
from cognitive_memory.encoding.texts import empty

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

TOKENIZER_NAME = "tokenizer/tokenizer.json"
FEW = 2
"""As many texts as a question is made of."""
CHARACTERS_PER_TOKEN = 8
"""So many of a text's characters are looked at first; English has 4 to 5 a token, and few texts
have more than this.
"""


class Tokenized(NamedTuple):
    """What the tokenizer made of some texts.

    Attributes:
        rows: ids, special ones included, as one array of shape (tokens,) each: one for each text,
            or one for each window of a longer one.
        owners: the place of each row's text, in order.
        cut: places of the texts that have more tokens than are read, in order.
    """

    rows: list[IntArray]
    owners: list[int]
    cut: list[int]


class TextTokenizer:
    """Turns texts into token ids of their natural length. Safe to use from several threads.

    The library is loaded for the first text that is no short plain English.

    Args:
        directory: the model's directory.
        max_length: the most ids that a row may have, special ones included.
        most_windows: in how many rows at most a longer text is read; the rest is cut off at the
            end.

    Attributes:
        most_tokens: so many tokens of a text are read, special ones included.
        pools: whether longer texts than one row are read in several.

    Raises:
        Exception: of no narrower type, from the tokenizers library: the file is missing or broken.
    """

    def __init__(self, directory: Path, max_length: int, *, most_windows: int = 1) -> None:
        self._file = directory / TOKENIZER_NAME
        self._plain: PlainWords | None = None
        with contextlib.suppress(OSError, ValueError, LookupError, TypeError):
            self._plain = PlainWords(self._file)
        self._special = (
            self._plain.special
            if self._plain
            else self._library.num_special_tokens_to_add(is_pair=False)
        )
        self._window = max_length - self._special
        self.pools = most_windows > 1
        self.most_tokens = most_windows * self._window + self._special

    @cached_property
    def _library(self) -> Tokenizer:
        from tokenizers import Tokenizer

        return Tokenizer.from_file(str(self._file))

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        # Upstream's file cuts every text at 128 tokens and pads it to 128: both are overridden. One
        # token more than is read is let through, which shows that there are more.
        self._library.enable_truncation(self.most_tokens + 1)
        self._library.no_padding()
        return self._library

    def __call__(self, texts: Sequence[str], *, first: int | None = 0) -> Tokenized:
        """Tokenize texts.

        Args:
            texts: checked ones.
            first: the first one's place among all, for errors; None when there is only one, which
                has no place.

        Raises:
            EmptyTextError: the tokenizer finds nothing in a text, for example in control
                characters.
        """
        import numpy as np

        rows, owners, cut = [], [], []
        for index, ids in enumerate(self._plain_ids(texts) or self._ids(texts)):
            if len(ids) <= self._special:
                raise empty(None if first is None else first + index)
            if len(ids) > self.most_tokens:
                cut.append(index)
                del ids[-2]  # the last one is the mark of the end
            for window in self._windows(ids):
                rows.append(np.array(window, dtype=np.int64))
                owners.append(index)
        return Tokenized(rows, owners, cut)

    def token_of(self, number: int) -> str:
        """The token of an id that a text has, or had; nothing for one that the vocabulary does not have."""
        if self._plain and (token := self._plain.vocabulary.token_of(number)) is not None:
            return token
        return self._tokens.get(number, "")

    @cached_property
    def _tokens(self) -> dict[int, str]:
        return {number: token for token, number in self._library.get_vocab().items()}

    def _windows(self, ids: list[int]) -> list[list[int]]:
        """As few windows as will do, of as like a length as can be.

        Each with the marks of a text around it.
        """
        content = len(ids) - self._special
        count = -(-content // self._window)
        if count == 1:
            return [ids]
        begin, inner, end = ids[: self._special - 1], ids[self._special - 1 : -1], ids[-1:]
        bounds = [number * content // count for number in range(count + 1)]
        return [begin + inner[start:stop] + end for start, stop in pairwise(bounds)]

    def _plain_ids(self, texts: Sequence[str]) -> list[list[int]] | None:
        """The ids of a question in plain English; None for anything else."""
        if self._plain is None or len(texts) > FEW:
            return None
        found = [ids for ids in map(self._plain.ids, texts) if ids and len(ids) <= self.most_tokens]
        return found if len(found) == len(texts) else None

    def _ids(self, texts: Sequence[str]) -> list[list[int]]:
        return [encoding.ids for encoding in self._encodings(texts)]

    def _encodings(self, texts: Sequence[str]) -> list[Encoding]:
        """The encodings, from no more of each text than it takes to fill the model.

        Tokens don't reach across blanks, so those of a text's beginning, up to a blank, are the
        text's first ones.
        """
        size = CHARACTERS_PER_TOKEN * self.most_tokens
        encodings: list[Encoding] = self._tokenizer.encode_batch_fast(
            [beginning(text, size) for text in texts]
        )
        for index, text in enumerate(texts):
            looked_at = size
            while looked_at < len(text) and len(encodings[index]) <= self.most_tokens:
                looked_at *= 4
                (encodings[index],) = self._tokenizer.encode_batch_fast(
                    [beginning(text, looked_at)]
                )
        return encodings


def beginning(text: str, size: int) -> str:
    """The words that lie whole in the first `size` characters of a text.

    Where these hold no blank to cut at, there are none; a text of up to `size` characters is
    returned as it is.
    """
    if len(text) <= size:
        return text
    end = max(text.rfind(blank, 0, size) for blank in " \n")
    return text[: max(end, 0)]

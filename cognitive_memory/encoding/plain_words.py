"""Plain English to token ids without the tokenizers library, whose vocabulary takes longer to load than a first answer.

It does what a BERT tokenizer does with ASCII: lower case, words and marks apart, each word in the longest pieces that the
vocabulary has. All other text is left to the library.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

MOST_CHARACTERS = 1_000
"""Of a text; longer ones are quicker with the library, and may have to be cut."""

_PLAIN = re.compile(r"[\t\n -Z\\^-~]*")
"""Without control characters, which are dropped, and brackets, which the names of special tokens have."""
_WORD = re.compile(r"[a-z0-9]+|[^\sa-z0-9]")
_EXPECTED = {
    "normalizer": {
        "type": "BertNormalizer",
        "clean_text": True,
        "handle_chinese_chars": True,
        "strip_accents": None,
        "lowercase": True,
    },
    "pre_tokenizer": {"type": "BertPreTokenizer"},
}


class PlainWords:
    """A vocabulary.

    Args:
        file: a `tokenizer.json`.

    Attributes:
        pieces: the id of each token.
        special: how many ids a text has besides its words'.

    Raises:
        ValueError, KeyError, TypeError: it is no BERT tokenizer of lower case, or broken.
        OSError: it can't be read.
    """

    def __init__(self, file: Path) -> None:
        document = json.loads(file.read_bytes())
        model = document["model"]
        if model["type"] != "WordPiece" or any(
            document[key] != value for key, value in _EXPECTED.items()
        ):
            raise ValueError(f"{file} is no tokenizer of plain words")
        self.pieces: dict[str, int] = model["vocab"]
        self._unknown = self.pieces[model["unk_token"]]
        self._inside = model["continuing_subword_prefix"]
        self._longest = model["max_input_chars_per_word"]
        processor = document["post_processor"]
        begin, _, end = processor["single"]
        self._begin, self._end = (
            processor["special_tokens"][part["SpecialToken"]["id"]]["ids"] for part in (begin, end)
        )
        self.special = len(self._begin) + len(self._end)

    def ids(self, text: str) -> list[int] | None:
        """The text's token ids, special ones included; None where the library has to look at it."""
        if len(text) > MOST_CHARACTERS or not _PLAIN.fullmatch(text):
            return None
        words = _WORD.findall(text.lower())
        return [*self._begin, *(piece for word in words for piece in self._split(word)), *self._end]

    def _split(self, word: str) -> list[int]:
        if len(word) > self._longest:
            return [self._unknown]
        found, start = [], 0
        while start < len(word):
            prefix = self._inside if start else ""
            for end in range(len(word), start, -1):
                if (piece := self.pieces.get(prefix + word[start:end])) is not None:
                    break
            else:
                return [self._unknown]
            found.append(piece)
            start = end
        return found

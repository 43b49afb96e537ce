"""Plain English to token ids without the tokenizers library, whose vocabulary takes longer to load than a first answer.

It does what a BERT tokenizer does with ASCII: lower case, words and marks apart, each word in the longest pieces that the
vocabulary has. All other text is left to the library.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

MOST_CHARACTERS = 1_000
"""Of a text; longer ones are quicker with the library, and may have to be cut."""

_PLAIN = re.compile(r"[\t\n -Z\\^-~]*")
"""Without control characters, which are dropped, and brackets, which the names of special tokens have."""
_WORD = re.compile(r"[a-z0-9]+|[^\sa-z0-9]")
_VOCABULARY = b'"vocab":{'
_NUMBER = re.compile(rb"\d+")
_LOOKED_FOR = 32
"""So many tokens are looked for in a vocabulary's text: as long as that is quicker than to parse it."""
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


class Vocabulary:
    """Tokens and their ids. A question has few of them, which are found in the file's text sooner than that is parsed.

    Args:
        text: JSON without blanks: the tokens as keys, each after a comma, with their ids.
    """

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._left = _LOOKED_FOR
        self._tokens: dict[int, str] = {}

    def id_of(self, token: str) -> int | None:
        """The id of a token; None if there is none."""
        if self._left:
            self._left -= 1
            # A quote within a token is escaped, so this is nowhere but at the beginning of one.
            key = f",{json.dumps(token, ensure_ascii=False)}:".encode()
            place = self._text.find(key)
            number = _NUMBER.match(self._text, place + len(key)) if place >= 0 else None
            found = int(number[0]) if number else None
        else:
            found = self._ids.get(token)
        if found is not None:
            self._tokens[found] = token
        return found

    def token_of(self, number: int) -> str | None:
        """The token of an id that `id_of` gave."""
        return self._tokens.get(number)

    @cached_property
    def _ids(self) -> dict[str, int]:
        ids: dict[str, int] = json.loads(b"{%b}" % self._text[1:])
        return ids


class PlainWords:
    """Splits texts into the tokens of a vocabulary.

    Args:
        file: a `tokenizer.json`.

    Attributes:
        vocabulary: the tokens.
        special: how many ids a text has besides its words'.

    Raises:
        ValueError, KeyError, TypeError: it is no BERT tokenizer of lower case, or broken.
        OSError: it can't be read.
    """

    def __init__(self, file: Path) -> None:
        head, found, vocabulary = file.read_bytes().rstrip().partition(_VOCABULARY)
        # It is the last of all, and flat, where the tokenizers library wrote the file.
        if not (found and vocabulary.endswith(b"}}}")) or b'":{' in vocabulary:
            raise ValueError(f"{file} is not as the tokenizers library writes it")
        document = json.loads(head + found + b"}}}")
        model = document["model"]
        if model["type"] != "WordPiece" or any(
            document[key] != value for key, value in _EXPECTED.items()
        ):
            raise ValueError(f"{file} is no tokenizer of plain words")
        self.vocabulary = Vocabulary(b"," + vocabulary[:-3])
        (self._unknown,) = self._special([model["unk_token"]])
        self._inside = model["continuing_subword_prefix"]
        self._longest = model["max_input_chars_per_word"]
        processor = document["post_processor"]
        begin, _, end = processor["single"]
        self._begin, self._end = (
            self._special(processor["special_tokens"][part["SpecialToken"]["id"]]["tokens"])
            for part in (begin, end)
        )
        self.special = len(self._begin) + len(self._end)

    def ids(self, text: str) -> list[int] | None:
        """The text's token ids, special ones included; None where the library has to look at it."""
        if len(text) > MOST_CHARACTERS or not _PLAIN.fullmatch(text):
            return None
        words = _WORD.findall(text.lower())
        return [*self._begin, *(piece for word in words for piece in self._split(word)), *self._end]

    def _special(self, tokens: Sequence[str]) -> list[int]:
        """The ids of tokens that have to be there.

        Raises:
            ValueError: one is not.
        """
        found = [number for token in tokens if (number := self.vocabulary.id_of(token)) is not None]
        if len(found) != len(tokens):
            raise ValueError(f"the vocabulary lacks one of {', '.join(tokens)}")
        return found

    def _split(self, word: str) -> list[int]:
        if len(word) > self._longest:
            return [self._unknown]
        found, start = [], 0
        while start < len(word):
            prefix = self._inside if start else ""
            for end in range(len(word), start, -1):
                if (piece := self.vocabulary.id_of(prefix + word[start:end])) is not None:
                    break
            else:
                return [self._unknown]
            found.append(piece)
            start = end
        return found

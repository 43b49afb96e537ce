"""Which texts can be embedded."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping

from cognitive_memory.encoding.errors import EmptyTextError, TextError, TextTypeError

_NOTHING = "holds nothing to embed (empty, or only blanks, control characters and lone accents): leave it out"
_SILENT = {"Cc", "Cf", "Mn"}
"""Categories of characters that the tokenizer drops: control, format, accents."""
WINDOW_TEXTS = 512
"""Texts that are looked at together, to be sorted by length: more hardly improves the batches, and
takes memory.
"""
WINDOW_CHARACTERS = 1_000_000
"""Characters of the texts of a window, unless one alone has more."""


def check_text(text: object, index: int | None = None) -> str:
    """Return `text` if it can be embedded.

    Args:
        text: what was given.
        index: its place among several, for messages.

    Raises:
        TextTypeError: it is not a str.
        EmptyTextError: it is empty, or has nothing but blanks, control characters and accents.
        TextError: it holds a lone surrogate, which no encoding of Unicode can carry.
    """
    if not isinstance(text, str):
        raise TextTypeError(index, f"is of type {type(text).__name__}, expected str")
    # Nearly always the first character settles it.
    if not any(character.isalnum() or _has_meaning(character) for character in text):
        raise empty(index)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        surrogate = f"U+{ord(text[error.start]):04X}"
        problem = (
            f"has a lone surrogate ({surrogate}) at character {error.start}, which is not valid Unicode: "
            "decode its source with the right encoding, or with errors='replace'"
        )
        raise TextError(index, problem) from error
    return text


def check_texts(texts: Iterable[str]) -> list[str]:
    """Return all of `texts`, each checked by `check_text`.

    Raises:
        TextTypeError: `texts` is one str, or nothing that can be walked through in an order, or
            holds something that is no str.
        EmptyTextError, TextError: as `check_text` does, naming the first bad text's place.
    """
    return [check_text(text, index) for index, text in enumerate(_several(texts))]


def windows(texts: Iterable[str]) -> Iterator[list[str]]:
    """Walk through texts, however many they are, some at a time: up to `WINDOW_TEXTS` and `WINDOW_CHARACTERS`.

    Raises:
        TextTypeError, EmptyTextError, TextError: as `check_texts` does; good texts of the same
            window are not given then.
    """
    window: list[str] = []
    characters = 0
    for index, text in enumerate(_several(texts)):
        window.append(check_text(text, index))
        characters += len(text)
        if len(window) == WINDOW_TEXTS or characters >= WINDOW_CHARACTERS:
            yield window
            window, characters = [], 0
    if window:
        yield window


def _several(texts: object) -> Iterable[str]:
    if isinstance(texts, str):
        raise TextTypeError(
            None,
            "was given alone where several were expected: use encode(text) or encode_batch([text])",
        )
    # Of a dict the keys would be embedded, and of a set nobody knows which vector is whose.
    if not isinstance(texts, Iterable) or isinstance(texts, (Mapping, set, frozenset)):
        raise TextTypeError(
            None,
            f"collection is of type {type(texts).__name__}, expected an iterable of str with an order, as a list has",
        )
    return texts


def _has_meaning(character: str) -> bool:
    return not character.isspace() and unicodedata.category(character) not in _SILENT


def empty(index: int | None = None) -> EmptyTextError:
    """The error for a text in which the tokenizer, or already the eye, finds nothing."""
    return EmptyTextError(index, _NOTHING)

"""Which texts can be embedded."""

from __future__ import annotations

from collections.abc import Iterable

from cognitive_memory.encoding.errors import EmptyTextError, TextError, TextTypeError

_NOTHING = "holds nothing to embed (empty, or only blanks, control characters and lone accents): leave it out"


def check_text(text: object, index: int | None = None) -> str:
    """Return `text` if it can be embedded.

    Args:
        text: what was given.
        index: its place among several, for messages.

    Raises:
        TextTypeError: it is not a str.
        EmptyTextError: it is empty or blank.
        TextError: it holds a lone surrogate, which no encoding of Unicode can carry.
    """
    if not isinstance(text, str):
        raise TextTypeError(index, f"is of type {type(text).__name__}, expected str")
    if not text or text.isspace():
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
        TextTypeError: `texts` is one str, or nothing that can be walked through, or holds something that is no str.
        EmptyTextError, TextError: as `check_text` does, naming the first bad text's place.
    """
    if isinstance(texts, str):
        raise TextTypeError(
            None, "was given alone where several were expected: use encode(text) or encode_batch([text])"
        )
    if not isinstance(texts, Iterable):
        raise TextTypeError(None, f"collection is of type {type(texts).__name__}, expected an iterable of str")
    return [check_text(text, index) for index, text in enumerate(texts)]


def empty(index: int | None = None) -> EmptyTextError:
    """The error for a text in which the tokenizer, or already the eye, finds nothing."""
    return EmptyTextError(index, _NOTHING)

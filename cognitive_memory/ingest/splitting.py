"""Cutting a text that is too long, at the best places there are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from cognitive_memory.ingest.sizes import cut, estimate_tokens

_PARAGRAPHS = re.compile(r"\n[^\S\n]*\n\s*")
_SENTENCES = re.compile(r"(?:[.!?…][\"'”’)\]*_`]*\s+)|(?:[。！？]\s*)")  # noqa: RUF001 (full-width marks end sentences too)
_LINES = re.compile(r"\n")
_WORDS = re.compile(r"\s+")

PROSE = (_PARAGRAPHS, _SENTENCES, _LINES, _WORDS)
"""Where prose may be cut, best first."""
LINES = (_PARAGRAPHS, _LINES, _WORDS)
"""Where code and tables may be cut, best first."""


def split(text: str, bound: int, places: Sequence[re.Pattern[str]] = PROSE) -> list[str]:
    """Cut a text into pieces of at most `bound` estimated tokens, of about the same size.

    Args:
        text: any text.
        bound: at least 1.
        places: what a piece may end with, best first; where none is left, it is cut inside a word.

    Returns:
        Pieces that joined are the text, character by character.

    >>> split("One two three four. Five six seven eight!", 6)
    ['One two three four. ', 'Five six seven eight!']
    >>> split("One two three four. Five six seven eight!", 3)
    ['One two three ', 'four. ', 'Five six seven ', 'eight!']
    """
    size = estimate_tokens(text)
    if size <= bound:
        return [text]
    if not places:
        return cut(text, bound)
    # As many pieces as are needed, of like size: filled up one by one, the last would be a scrap.
    goal = size / -(-size // bound)
    pieces: list[str] = []
    current, length = "", 0
    for part in _parts(text, places[0]):
        part_length = estimate_tokens(part)
        if current and (length >= goal or length + part_length > bound):
            pieces.append(current)
            current, length = "", 0
        if part_length > bound:
            pieces += split(part, bound, places[1:])
        else:
            current, length = current + part, length + part_length
    return [*pieces, current] if current else pieces


def _parts(text: str, place: re.Pattern[str]) -> Iterator[str]:
    start = 0
    for match in place.finditer(text):
        yield text[start : match.end()]
        start = match.end()
    if start < len(text):
        yield text[start:]

"""How much room a text takes on a terminal, and where it is broken: nothing here prints."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

OMISSION = "…"
"""Stands where something was left out."""

_JOINER = "\N{ZERO WIDTH JOINER}"
_OPENING = {"Ps", "Pi"}
"""Categories of signs that are not left at the end of a line."""
_CLOSING = {"Pe", "Pf", "Po", "Lm"}
"""Categories of signs that no line begins with: brackets, full stops, marks of a longer or a repeated sound."""


def width(text: str) -> int:
    """How many columns of a terminal the text takes: two for a wide character, none for a combining one."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # nothing else of rich comes with it

    return cell_len(text)


def wrapped(line: str, columns: int, *, fold: bool = False) -> list[str]:
    """Break a line between its words.

    A word that is wider than the columns stays whole, so that a path can be copied.

    Args:
        line: without line breaks.
        columns: how wide each of the lines may be.
        fold: break also between the wide characters of scripts without blanks, and within words that are wider than
            the columns, so that no line is wider.

    >>> wrapped("one or two words", 10)
    ['one or two', 'words']
    """
    lines = [""]
    for blanks, word in _words(line, columns, fold=fold):
        wide = width(lines[-1] + blanks + word) > columns
        if wide and lines[-1].strip():
            lines.append(word)
        elif wide and fold:  # an indentation that leaves no room for its word
            lines[-1] = " " * (columns - width(word)) + word
        else:
            lines[-1] += blanks + word
    return [part.rstrip(" ") for part in lines]


def cut(text: str, columns: int) -> str:
    """The beginning of a text that has so many columns, with a sign if that is not all of it.

    >>> cut("a long title", 7)
    'a long…'
    """
    if width(text) <= columns:
        return text
    return _first(text, columns - 1)[0].rstrip() + OMISSION


def cut_before(text: str, columns: int) -> str:
    """The end of a text that has so many columns: of a path the name, which tells more than its folders.

    >>> cut_before("docs/guides/recall.md", 12)
    '…s/recall.md'
    """
    if width(text) <= columns:
        return text
    clusters = list(_clusters(text))
    kept = ""
    while clusters and width(clusters[-1] + kept) < columns:
        kept = clusters.pop() + kept
    return OMISSION + kept


def _words(line: str, columns: int, *, fold: bool) -> Iterator[tuple[str, str]]:
    """What may not be broken, and the blanks before it."""
    for blanks, word in re.findall("( *)([^ ]+)", line):
        before = blanks
        for piece in _pieces(word) if fold else [word]:
            rest = piece
            while fold and width(rest) > columns:
                first, rest = _first(rest, columns)
                yield before, first
                before = ""
            if rest:
                yield before, rest
                before = ""


def _pieces(word: str) -> Iterator[str]:
    """A word; where it has wide characters, each of them."""
    if word.isascii():
        yield word
        return
    piece = ""
    wide = False
    for cluster in _clusters(word):
        now_wide = width(cluster) > 1
        if (
            piece
            and (wide or now_wide)
            and unicodedata.category(cluster[0]) not in _CLOSING
            and unicodedata.category(piece[-1]) not in _OPENING
        ):
            yield piece
            piece = ""
        piece += cluster
        wide = now_wide
    yield piece


def _first(text: str, columns: int) -> tuple[str, str]:
    """The beginning of a text that has so many columns, at least one character, and the rest."""
    if text.isascii():
        return text[: max(1, columns)], text[max(1, columns) :]
    first = ""
    for cluster in _clusters(text):
        if first and width(first + cluster) > columns:
            break
        first += cluster
    return first, text[len(first) :]


def _clusters(text: str) -> Iterator[str]:
    """Characters with those that are written upon or joined to them."""
    cluster = ""
    for character in text:
        if cluster and not (
            unicodedata.category(character) in {"Mn", "Me", "Mc", "Cf"}
            or cluster[-1] == _JOINER
            or "\U0001f3fb" <= character <= "\U0001f3ff"
            or (len(cluster) == 1 and _is_flag(character) and _is_flag(cluster))
        ):
            yield cluster
            cluster = ""
        cluster += character
    if cluster:
        yield cluster


def _is_flag(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"

"""Plain text and reStructuredText to blocks: paragraphs, below titles that are underlined."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import StringIO

from cognitive_memory.ingest.blocks import Block, Headings

_UNDERLINE = re.compile(r"([=\-~^\"'`#*+.:_])\1{2,}[^\S\n]*\n?")


def read_text(text: str) -> Iterator[Block]:
    """Read a plain text.

    A line is a title if the one below it underlines it, fully, with one of reStructuredText's characters; the characters
    rank as they first appear, as reStructuredText has it. A line above it like the one below belongs to it.

    Args:
        text: with a line feed at its line ends.

    Yields:
        Its blocks, whose lines together are the text.
    """
    ranks: list[str] = []
    headings = Headings()
    for paragraph, line in paragraphs(text):
        head = _title(paragraph)
        if head is None:
            yield Block("".join(paragraph), line, headings.path)
            continue
        title, mark, length = head
        # reStructuredText fixes no order of its characters: each file's first ones are the highest.
        if mark not in ranks:
            ranks.append(mark)
        path = headings.enter(ranks.index(mark), title)
        yield Block("".join(paragraph[:length]), line, path, title=title)
        if len(paragraph) > length:
            yield Block("".join(paragraph[length:]), line + length, headings.path)


def paragraphs(text: str) -> Iterator[tuple[list[str], int]]:
    """Paragraphs with the blank lines after them, and the number of their first line."""
    paragraph: list[str] = []
    number = 0
    for number, line in enumerate(StringIO(text), start=1):
        if (
            paragraph
            and line.strip()
            and not paragraph[-1].strip()
            and any(each.strip() for each in paragraph)
        ):
            yield paragraph, number - len(paragraph)
            paragraph = []
        paragraph.append(line)
    if paragraph:
        yield paragraph, number + 1 - len(paragraph)


def _title(paragraph: list[str]) -> tuple[str, str, int] | None:
    """The title that a paragraph begins with, its rank's mark and its number of lines."""
    over = len(paragraph) > 2 and _UNDERLINE.fullmatch(paragraph[0]) is not None
    title, under = paragraph[over : over + 2] if len(paragraph) >= 2 + over else ("", "")
    match = _UNDERLINE.fullmatch(under)
    title = title.strip()
    if match is None or not title or _UNDERLINE.fullmatch(title) or len(under.strip()) < len(title):
        return None
    if over and paragraph[0].strip() != under.strip():
        return None
    return title, match[1] * (1 + over), 2 + over

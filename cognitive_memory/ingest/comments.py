"""Comments of source code, in the languages of `languages.toml`."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from io import StringIO
from textwrap import dedent

from cognitive_memory.ingest.blocks import Block
from cognitive_memory.ingest.languages import comment_pattern

_WORDS_WORTH_KEEPING = 6
_WORD = re.compile(r"[^\W\d_]{2,}")
_LICENCE = re.compile(r"copyright|licen[cs]e|SPDX-", re.IGNORECASE)
_HEADER_LINES = 5
"""Where a comment about the licence is the file's header, the same in each file."""


def comments(text: str, language: str) -> Iterator[Block]:
    """The comments of a file that say something: at least six words, and not its licence.

    Args:
        text: with a line feed at its line ends.
        language: as `language_of` names it.

    Yields:
        Lines of comments that follow one another, and the line of code that they stand above, without common indentation.
    """
    lines = list(StringIO(text))
    for first, last, words in _runs(text, language, lines):
        if first <= _HEADER_LINES and _LICENCE.search(words):
            continue
        # Fewer words name a section or switch a linter off.
        if len(_WORD.findall(words)) >= _WORDS_WORTH_KEEPING:
            about = last < len(lines) and bool(lines[last].strip())
            yield Block(dedent("".join(lines[first - 1 : last + about])), first, title="comment")


def _runs(text: str, language: str, lines: list[str]) -> Iterator[tuple[int, int, str]]:
    """First and last line, and the words, of comments without a line of anything else between them."""
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    first = last = 0
    words: list[str] = []
    alone = False  # whether the run is of comments that have their lines for themselves
    for match in comment_pattern(language).finditer(text):
        comment = match["comment"]
        if comment is None:
            continue
        begin = bisect_right(starts, match.start())
        end = bisect_right(starts, match.start() + len(comment.rstrip()) - 1)
        # Only before a line's first comment is it looked: there may be thousands in one line.
        own_line = begin != last and not text[starts[begin - 1] : match.start()].strip()
        # A comment behind code is about that line alone: only those with lines of their own make a
        # paragraph.
        if words and (begin == last or (own_line and alone and begin <= last + 1)):
            words.append(comment)
            last = end
            continue
        if words:
            yield first, last, " ".join(words)
        first, last, words, alone = begin, end, [comment], own_line
    if words:
        yield first, last, " ".join(words)

"""Comments of source code, in any language that Pygments reads."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from io import StringIO
from textwrap import dedent

from cognitive_memory.ingest.blocks import Block

_WORDS_WORTH_KEEPING = 6
_WORD = re.compile(r"[^\W\d_]{2,}")
_LICENCE = re.compile(r"copyright|licen[cs]e|SPDX-", re.IGNORECASE)
_NOT_FOR_PEOPLE = {("Preproc",), ("PreprocFile",), ("Hashbang",)}
"""What Pygments calls comments, but programs read."""
_HEADER_LINES = 5
"""Where a comment about the licence is the file's header, the same in each file."""


def comments(text: str, language: str, *, strings: bool = True) -> Iterator[Block]:
    """The comments of a file that say something: at least six words, and not its licence.

    Args:
        text: with a line feed at its line ends.
        language: an alias of a Pygments lexer.
        strings: whether strings count whose place makes them comments.

    Yields:
        Lines of comments that follow one another, and the line of code that they stand above, without common indentation.

    Raises:
        pygments.util.ClassNotFound: there is no such lexer.
    """
    lines = list(StringIO(text))
    for first, last, words in _runs(text, language, lines, strings=strings):
        if first <= _HEADER_LINES and _LICENCE.search(words):
            continue
        # Fewer words name a section or switch a linter off.
        if len(_WORD.findall(words)) >= _WORDS_WORTH_KEEPING:
            about = last < len(lines) and bool(lines[last].strip())
            yield Block(dedent("".join(lines[first - 1 : last + about])), first, title="comment")


def _is_for_people(kind: tuple[str, ...], *, strings: bool) -> bool:
    """Whether a kind of token is a comment, or counts as one, and is not for programs to read."""
    if kind[:1] == ("Comment",):
        return kind[1:2] not in _NOT_FOR_PEOPLE
    return strings and kind[:3] == ("Literal", "String", "Doc")


def _runs(
    text: str, language: str, lines: list[str], *, strings: bool
) -> Iterator[tuple[int, int, str]]:
    """First and last line, and the words, of comments without a line of anything else between them."""
    from pygments.lexers import get_lexer_by_name

    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    first = last = 0
    words = ""
    alone = False  # whether the run is of comments that have their lines for themselves
    for offset, kind, value in get_lexer_by_name(language).get_tokens_unprocessed(text):
        if not _is_for_people(kind, strings=strings):
            continue
        begin = bisect_right(starts, offset)
        end = bisect_right(starts, offset + len(value.rstrip()) - 1) if value.strip() else begin
        own_line = not text[starts[begin - 1] : offset].strip()
        # A comment behind code is about that line alone: only those with lines of their own make a
        # paragraph. Some lexers give one comment in several tokens.
        if words and (begin == last or (own_line and alone and begin <= last + 1)):
            words, last = words + value, end
            continue
        if words:
            yield first, last, words
        first, last, words, alone = begin, end, value, own_line
    if words:
        yield first, last, words

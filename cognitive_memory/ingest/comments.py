"""Comments of source code, in the languages of `languages.toml`: what they say, and of what."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from io import StringIO
from textwrap import dedent

from cognitive_memory.ingest.blocks import Block, Path
from cognitive_memory.ingest.code_items import Item, Places, item_above, item_at
from cognitive_memory.ingest.comment_marks import said_in, without_hidden_lines
from cognitive_memory.ingest.languages import comment_pattern
from cognitive_memory.ingest.splitting import BOUND, HEADING_ROOM, estimate_tokens

_WORDS_WORTH_KEEPING = 6
_WORD = re.compile(r"[^\W\d_]{2,}")
_LICENCE = re.compile(r"copyright|licen[cs]e|SPDX-", re.IGNORECASE)
_HEADER_LINES = 5
"""Where a comment about the licence is the file's header, the same in each file."""


@dataclass(slots=True)
class _Run:
    """Comments without a line of anything else between them.

    Attributes:
        first, last: their lines, from 1.
        alone: whether they have their lines for themselves.
        said: for each of these lines what it says, without marks.
        words: all of it as it is written.
        end: where the last one ends.
    """

    first: int
    last: int
    alone: bool
    end: int
    said: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)


def is_worth_keeping(comment: str) -> bool:
    """Whether a comment has six words at least: fewer name a section or switch a linter off."""
    return len(_WORD.findall(comment)) >= _WORDS_WORTH_KEEPING


def comments(
    text: str, language: str, place_of: Callable[[int], Path] | None = None
) -> Iterator[Block]:
    """The comments of a file that say something: at least six words, and not its licence.

    Args:
        text: with a line feed at its line ends.
        language: as `language_of` names it.
        place_of: what the comment of a line is in; default: what it is indented below.

    Yields:
        For comments that follow one another what they are about (the first lines of the code below them), and what they say,
        without their marks: as one block, or of a long one a block for each part of it, read as Markdown. A comment behind
        code: its line.
    """
    lines = list(StringIO(text))
    place_of = place_of or Places(lines).at
    for run in _runs(text, language, lines):
        words = " ".join(run.words)
        if run.first <= _HEADER_LINES and _LICENCE.search(words):
            continue
        if is_worth_keeping(words):
            yield from _blocks(run, text, language, lines, place_of(run.first))


def _blocks(
    run: _Run, text: str, language: str, lines: Sequence[str], path: Path
) -> Iterator[Block]:
    if not run.alone:
        yield Block(dedent("".join(lines[run.first - 1 : run.last])), run.first, path, title="")
        return
    item = _about(run, text, language, lines)
    head = f"{item.text}\n" if item else ""
    written = [number for number, line in enumerate(run.said) if line.strip()]
    if not written:
        return  # all the words are in the mark, as behind "=begin"
    numbered = list(enumerate(run.said, start=run.first))[written[0] : written[-1] + 1]
    if language == "rust":
        numbered = without_hidden_lines(numbered)
    said = "".join(f"{line}\n" for _, line in numbered) + "\n"
    title = item.title if item else ""
    if title and path and title.startswith(path[-1]):
        path = path[:-1]  # a docstring is indented below what it is about
    if estimate_tokens(head + said) <= BOUND - HEADING_ROOM:
        yield Block(head + said, run.first, path, title=title)
        return
    from cognitive_memory.ingest.markdown import read_markdown

    if head:
        yield Block(head, run.first, path, title=title)
    inside = (*path, title) if title else path
    for number, block in enumerate(read_markdown(said)[0]):
        begins = number == 0 and not head
        yield replace(
            block,
            line=numbered[block.line - 1][0],
            path=(*inside, *block.path),
            title=block.title if block.title is not None or not begins else "",
        )


def _about(run: _Run, text: str, language: str, lines: Sequence[str]) -> Item | None:
    """What comments are about: the code behind or below them; above them, if they are the docstring of what is indented."""
    behind = text[run.end : text.find("\n", run.end) + 1 or len(text)]
    if behind.strip():
        return item_at([behind, *lines[run.last :]])
    if language == "cython" and run.words[0].lstrip(" \trRuU")[:3] in {'"""', "'''"}:
        return item_above(lines, run.first)
    return item_at(lines[run.last : run.last + 20])


def _runs(text: str, language: str, lines: Sequence[str]) -> Iterator[_Run]:
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    run: _Run | None = None
    for match in comment_pattern(language).finditer(text):
        comment = match["comment"]
        if comment is None:
            continue
        begin = bisect_right(starts, match.start())
        end = bisect_right(starts, match.start() + len(comment.rstrip()) - 1)
        before = run.last if run else 0
        # Only before a line's first comment is it looked: there may be thousands in one line.
        own_line = begin != before and not text[starts[begin - 1] : match.start()].strip()
        # A comment behind code is about that line alone: only those with lines of their own make a
        # paragraph.
        if run is None or not (begin == before or (own_line and run.alone and begin <= before + 1)):
            if run is not None:
                yield run
            run = _Run(begin, end, own_line, match.end())
        said = said_in(comment.rstrip(), language)
        if run.said and begin == before:
            run.said[-1] += f" {said.pop(0)}"
        run.said += said
        run.words.append(comment)
        run.last, run.end = end, match.end()
    if run is not None:
        yield run

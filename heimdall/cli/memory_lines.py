"""The lines that people read of a memory: pure, for a terminal of any width and for a pipe.

The first tells where it comes from, when, and which one it is; below it the text's lines stand behind ">", so that none
looks like one of ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from heimdall.cli.output import faint, strong
from heimdall.cli.wrapping import OMISSION, cut, cut_before, width, wrapped
from heimdall.models.text import printable

if TYPE_CHECKING:
    from cognitive_memory.core.memory import Memory

Line: TypeAlias = Sequence[str]
"""The parts of a line, some of them `output.Styled`."""

LINES, FEWEST_LINES = 3, 2
"""How many lines of a text are shown where it is one of several; the second where the screen is low."""

_MARK = "   > "
_INDENT = "     "
_GAP = "  "
_NARROWEST = 8
"""Columns of a text or a name, however narrow the terminal is."""
_CONTEXT, _SHORTEST_CONTEXT = 100, 16
"""Characters of a context that are shown at most, and columns for which its beginning is worth it."""
_IN_A_PIPE = 230
"""Characters of an excerpt where there are no columns: what three lines of a terminal have."""
_OF_ITS_OWN = re.compile(r"[#>|@]|```|[-*+•] |\d+[.)] |[\w-]+: ")
"""How a line begins that does not go on with the one before."""
_RULE = re.compile(r"([-=~`^*+#_.:])\1{2,}")
_STEM, _ENDING = 5, 3
"""A word is marked if it begins as one of the question's does, whose last letters may differ."""


class Layout(NamedTuple):
    """How memories are shown.

    Attributes:
        columns: of the terminal; None: in a pipe, where nothing is wrapped.
        lines: at most so many of each text, around what was asked; None: all.
        question: what was asked, in the words that tell something.
    """

    columns: int | None = None
    lines: int | None = LINES
    question: str = ""

    @property
    def room(self) -> int | None:
        """The columns of a text."""
        return max(_NARROWEST, self.columns - len(_MARK)) if self.columns else None


def memory_lines(
    memory: Memory,
    layout: Layout,
    *,
    before: str = "",
    weak: bool = False,
    notes: Sequence[str] = (),
) -> Iterator[Line]:
    """The lines of one memory.

    Args:
        memory: which.
        layout: how.
        before: what stands before the first line, as "1. " does.
        weak: say that it is unlikely to answer.
        notes: sentences of ours, below.
    """
    yield _head(memory, layout.columns, before, weak=weak)
    for line in _text(memory.text, layout):
        yield [faint(_MARK), *_marked(line, layout.question)] if line else [faint(_MARK.rstrip())]
    for note in notes:
        for line in _fitting([note], layout.room):
            yield [_INDENT, faint(line)]


def about(memory: Memory) -> str:
    """What is known of a memory besides its text, on one line: its source and date, then its id and the rest."""
    return "".join(_head(memory, None, ""))


def visible(text: str) -> str:
    """A text as answers have it; what looks like a blank, but is none to a terminal, is one, too."""
    from heimdall.quoting import clean

    return clean(text).replace("\u2800", " ")


def lines_of(text: str) -> list[str]:
    """The lines of a text, as a terminal may show them; at least one."""
    return [printable(line) for line in visible(text).strip("\n").split("\n")]


def _head(memory: Memory, columns: int | None, before: str, *, weak: bool = False) -> Line:
    from cognitive_memory.core.local_time import local_time
    from cognitive_memory.storage.short_ids import short_id

    when = local_time(memory.created_at)[:10]
    known = _GAP.join([when, *(["weak"] if weak else []), short_id(memory.id)])
    source = as_name(memory.source) if memory.source else ""
    room = None if columns is None else columns - width(before)
    if source and room is not None:
        # What was put into quotes keeps both of them: it could pass for something else.
        quote = '"' if source.startswith('"') else ""
        longest = max(_NARROWEST, room - len(known) - len(_GAP)) - len(quote)
        source = quote + cut_before(source.removeprefix(quote), longest)
    source += _GAP if source else ""
    for detail in _details(memory):
        longer = f"{known}{_GAP}{detail}"
        if room is None or width(source + longer) <= room:
            known = longer
    if context := _context(memory):
        left = None if room is None else room - width(source + known + _GAP)
        if left is None or left >= _SHORTEST_CONTEXT:
            known += _GAP + (context if left is None else cut(context, left))
    return [before, strong(source), faint(known)]


def _details(memory: Memory) -> Iterator[str]:
    if memory.scope != "project":
        yield f"scope: {memory.scope}"
    yield str(memory.origin)
    yield str(memory.type)
    if memory.pinned:
        yield "pinned"
    if memory.tags:
        yield " ".join(f"#{as_name(tag)}" for tag in memory.tags)


def _context(memory: Memory) -> str:
    from heimdall.quoting import quoted

    # What is loaded begins its context with its source, which is shown already.
    context = memory.context.removeprefix(memory.source or "").removeprefix(" > ")
    context = " > ".join(context.split("\n"))[:_CONTEXT]
    return quoted(visible(context)) if context else ""


def as_name(name: str) -> str:
    """A tag or a source; in quotes if it is not one visible word."""
    from heimdall.quoting import quoted

    in_quotes = quoted(visible(name))
    return in_quotes if " " in in_quotes or in_quotes[1:-1] != name else name


def _text(text: str, layout: Layout) -> Sequence[str]:
    lines = lines_of(text)
    room, most = layout.room, layout.lines
    if most is None:
        return list(_fitting(lines, room))
    characters = most * room if room else _IN_A_PIPE
    if sum(map(len, lines)) <= characters:
        shown = list(_fitting(lines, room))
        if len(shown) <= most:
            return shown
    from cognitive_memory.core.excerpt import excerpt

    text = ("\n" if room else " ").join(_paragraphs(lines))
    part = excerpt(text, layout.question, characters).text
    shown = list(_fitting(part.split("\n"), room))
    return shown if room is None or len(shown) <= most else _best(shown, most, room, layout)


def _best(lines: Sequence[str], most: int, room: int, layout: Layout) -> Sequence[str]:
    """So many neighbouring lines as have most of the question's words, with a mark where others are left out."""
    pattern = _words(layout.question)

    def words(at: int) -> int:
        part = "\n".join(lines[at : at + most])
        return len({found[0].casefold() for found in pattern.finditer(part)}) if pattern else 0

    first = max(range(len(lines) - most + 1), key=words)
    shown = [*lines[first : first + most]]
    if first and not shown[0].startswith(OMISSION):
        begin = shown[0] if width(shown[0]) + 2 <= room else shown[0].partition(" ")[2]
        shown[0] = f"{OMISSION} {begin}" if begin else shown[0]
    if first + most < len(lines):
        shown[-1] = f"{next(_fitting([shown[-1]], room - 2), '')} {OMISSION}"
    return shown


def _paragraphs(lines: Sequence[str]) -> Iterator[str]:
    """The lines without those breaks that only kept them short; a heading, an item, a row or a field stays by itself."""
    paragraph: list[str] = []
    for line in lines:
        words = " ".join(line.split())
        rule = _RULE.fullmatch(words)  # as it stands below a heading
        alone = not words or rule or _OF_ITS_OWN.match(words)
        if paragraph and (alone or paragraph[0].startswith("#")):
            yield " ".join(paragraph)
            paragraph = []
        if words and not rule:
            paragraph.append(words)
    if paragraph:
        yield " ".join(paragraph)


def _fitting(lines: Sequence[str], room: int | None) -> Iterator[str]:
    for line in lines:
        yield from wrapped(line, room, fold=True) if room else [line]


def _marked(line: str, question: str) -> Iterator[str]:
    """The parts of a line; the question's words stand out."""
    pattern = _words(question)
    end = 0
    for found in pattern.finditer(line) if pattern else ():
        yield line[end : found.start()]
        yield strong(found[0])
        end = found.end()
    yield line[end:]


@cache
def _words(question: str) -> re.Pattern[str] | None:
    from cognitive_memory.core.search_words import character_pairs, without_runs

    words = re.findall(r"[^\W_]+", without_runs(question))
    stems = [
        rf"(?<![^\W_]){re.escape(word[: max(_STEM, len(word) - _ENDING)])}[^\W_]*" for word in words
    ]
    parts = [*stems, *map(re.escape, character_pairs(question))]
    return re.compile("|".join(parts), re.IGNORECASE) if parts else None

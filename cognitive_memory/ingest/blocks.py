"""From a document's blocks to pieces of a size that the model was made for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from textwrap import dedent
from typing import TypeVar

from cognitive_memory.ingest.splitting import (
    BOUND,
    HEADING_ROOM,
    LINES,
    PROSE,
    SMALL,
    SOLID_BOUND,
    estimate_tokens,
    split,
)

_BLANK_LINES = re.compile(r"\A(?:[^\S\n]*\n)+")
_INDENTED_LINES = re.compile(r"(?:(?:[ \t][^\n]*)?\n|[ \t][^\n]*\Z)+")

_Node = TypeVar("_Node")
Path = tuple[str, ...]
"""Titles of the headings above a place, outermost first."""


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, list, code block, table or heading, with its line ends and the blank lines after it.

    Attributes:
        text: its lines as they are in the document.
        line: its first line's number, from 1.
        path: the headings above it; a heading's own title is not among them.
        title: what a heading that begins a section says; None: this is no heading.
        solid: whether it loses its sense when cut: code and tables.
    """

    text: str
    line: int
    path: Path = ()
    title: str | None = None
    solid: bool = False


def spans(
    placed: Sequence[tuple[_Node, int]], first: int, last: int
) -> Iterator[tuple[_Node, int, int]]:
    """Nodes of a parser's with their lines: from each one's own first to the next one's, or to `last`.

    The first node's begin at `first`. What makes no node, as blank lines, comments and definitions
    of links, so belongs to the node before it.
    """
    for index, (node, start) in enumerate(placed):
        end = placed[index + 1][1] if index + 1 < len(placed) else last
        yield node, start if index else first, end


class Headings:
    """The headings above the place that a reader has come to."""

    def __init__(self) -> None:
        self._open: list[tuple[int, str]] = []

    @property
    def path(self) -> Path:
        """Their titles."""
        return tuple(title for _, title in self._open)

    def enter(self, level: int, title: str) -> Path:
        """Come to a heading, which ends those of its level and below; the path of the heading itself."""
        self._open = [heading for heading in self._open if heading[0] < level]
        path = self.path
        self._open.append((level, title))
        return path


@dataclass(frozen=True, slots=True)
class Piece:
    """What becomes one memory.

    Attributes:
        text: lines of the document, without blank lines around them.
        path: the headings above its first line.
        titles: the headings in it, in their order; the first one is at its beginning.
        first_line, last_line: from 1, both included.
    """

    text: str
    path: Path
    titles: tuple[str, ...]
    first_line: int
    last_line: int


@dataclass(slots=True)
class _Group:
    blocks: list[Block]
    size: int


def pack(blocks: Iterable[Block]) -> list[Piece]:
    """Cut blocks that are too long, and put together what belongs together.

    A section that fits is one piece; one that does not is cut between blocks, evenly; a small one joins the section before
    it where both stand below the same heading.

    Returns:
        Pieces in the document's order. Together they have every character that is not blank, once; none is blank; none
        has more than `BOUND` estimated tokens, or `SOLID_BOUND` with a code block or table in it.
    """
    groups: list[_Group] = []
    for section in _sections(blocks):
        for group in _pack_section(section):
            if groups and _joins(groups[-1], group):
                groups[-1].blocks += group.blocks
                groups[-1].size += group.size
            else:
                groups.append(group)
    return [piece for group in groups if (piece := _piece(group.blocks)) is not None]


def _sections(blocks: Iterable[Block]) -> Iterator[list[Block]]:
    section: list[Block] = []
    for block in blocks:
        if block.title is not None and section:
            yield section
            section = []
        section.append(block)
    if section:
        yield section


def _pack_section(section: Sequence[Block]) -> Iterator[_Group]:
    parts = [part for block in section for part in _fitting(block)]
    sizes = [estimate_tokens(part.text) for part in parts]
    total = sum(sizes)
    # As many pieces as are needed, of like size: filled up one by one, the last would be a scrap.
    goal = total / -(-total // BOUND) if total else 0
    current = _Group([], 0)
    for part, size in zip(parts, sizes, strict=True):
        if current.blocks and not _belongs(current, part, size, goal):
            yield current
            current = _Group([], 0)
        current.blocks.append(part)
        current.size += size
    yield current


def _fitting(block: Block) -> Iterator[Block]:
    bound, places = (SOLID_BOUND, LINES) if block.solid else (BOUND, PROSE)
    if estimate_tokens(block.text) <= bound - HEADING_ROOM:
        yield block
        return
    part = block
    for text in split(block.text, bound - HEADING_ROOM, places):
        part = replace(part, text=text)
        yield part
        # Only the first part begins the section; the others are below it, so that they name it, too.
        path = part.path if part.title is None else (*part.path, part.title)
        part = replace(part, line=part.line + text.count("\n"), path=path, title=None)


def _belongs(group: _Group, part: Block, size: int, goal: float) -> bool:
    if group.blocks[-1].title is not None and group.size <= HEADING_ROOM:
        return True  # a heading stays with what it announces
    if part.solid and group.size <= HEADING_ROOM and not any(block.solid for block in group.blocks):
        return True  # and so does the line that introduces a code block
    return group.size < goal and group.size + size <= BOUND


def _joins(before: _Group, group: _Group) -> bool:
    if min(before.size, group.size) >= SMALL:
        return False  # each says enough alone
    first = group.blocks[0]
    same_section = first.title is None
    bound = SOLID_BOUND if same_section and any(block.solid for block in before.blocks) else BOUND
    above = before.blocks[0].path
    related = same_section or first.path[: len(above)] == above
    return related and before.size + group.size <= bound


def _piece(blocks: Sequence[Block]) -> Piece | None:
    if not any(block.text.strip() for block in blocks):
        return None
    # Lines are told without the blank ones around, so that an editor jumps to what was said.
    written = [block for block in blocks if block.text.strip()]
    first, last = written[0], written[-1]
    before = len(first.text) - len(first.text.lstrip())
    return Piece(
        text=_unindented("".join(block.text for block in blocks)).rstrip(),
        path=blocks[0].path,
        titles=tuple(block.title for block in blocks if block.title is not None),
        first_line=first.line + first.text.count("\n", 0, before),
        last_line=last.line + last.text.rstrip().count("\n"),
    )


def _unindented(text: str) -> str:
    """A text that does not begin indented: its first lines may have stood in something, or be code."""
    text = _BLANK_LINES.sub("", text)
    inside = _INDENTED_LINES.match(text)
    if inside is None:
        return text
    return dedent(inside[0]).lstrip(" \t") + text[inside.end() :]

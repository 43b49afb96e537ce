"""reStructuredText to blocks: titles, and directives with what they describe."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from io import StringIO
from itertools import islice
from typing import TYPE_CHECKING, Any

from cognitive_memory.ingest.blocks import Block, Path, spans
from cognitive_memory.ingest.doctree import NAME_LENGTH, parsed
from cognitive_memory.ingest.front_matter import FrontMatter
from cognitive_memory.ingest.splitting import BOUND, HEADING_ROOM, estimate_tokens

if TYPE_CHECKING:
    from docutils import nodes

_SOLID = {"literal_block", "doctest_block", "table", "line_block", "substitution_definition"}
_CONTAINERS = {
    *("bullet_list", "enumerated_list", "definition_list", "field_list", "option_list"),
    *("list_item", "definition_list_item", "definition", "field", "field_body", "block_quote"),
}
_LINE_ENDS = dict.fromkeys(map(ord, "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"), " ")
"""What docutils takes for the end of a line, and an editor does not."""


def read_restructuredtext(text: str) -> tuple[list[Block], FrontMatter]:
    """Read a reStructuredText document.

    What a directive describes (`.. py:data:: SECRET_KEY`) and the terms of a list of definitions are headings of what is said
    about them.

    Args:
        text: with a line feed at its line ends.

    Returns:
        Its blocks, whose lines together are the file, and what the fields at its head say, as those of a PEP.
    """
    document = parsed(text.translate(_LINE_ENDS))
    blocks = list(_Reader(list(StringIO(text))).blocks(document))
    return blocks or [Block(text, 1)], FrontMatter(_title_field(document))


class _Reader:
    """Gives each node its lines: those from its own first to the next node's first."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines

    def blocks(self, document: nodes.document) -> Iterator[Block]:
        yield from self._inside(document, 1, len(self._lines) + 1, ())

    def _inside(self, parent: nodes.Element, start: int, end: int, path: Path) -> Iterator[Block]:
        """The blocks of a node's children; `start` and `end` are numbers of lines, the second excluded."""
        for node, first, last in spans(list(self._placed(parent, start, end)), start, end):
            yield from self._node(node, first, last, path)

    def _placed(self, parent: nodes.Element, start: int, end: int) -> Iterator[tuple[Any, int]]:
        before = start - 1
        for node in parent.children:
            line = self._first_line(node)
            # A parser's line is a hint: none is given twice, whatever it says.
            if line is not None and before < line < end:
                yield node, line
                before = line

    def _first_line(self, node: nodes.Node) -> int | None:
        from docutils import nodes

        if isinstance(node, nodes.section):
            title = next(iter(node.children), None)
            if not isinstance(title, nodes.title) or not title.line:
                return None
            # That of the title, or of the line below it; above it may be another one.
            line = title.line
            while line > max(1, title.line - 2) and self._lines[line - 2].strip():
                line -= 1
            return line
        if isinstance(node, nodes.system_message):
            return None
        return next((each.line for each in node.findall() if each.line), None)

    def _node(self, node: Any, start: int, end: int, path: Path) -> Iterator[Block]:
        name = type(node).__name__
        text = self._text(start, end)
        if name == "section":
            title = " ".join(node.children[0].astext().split())
            yield from self._titled(node, title, (start, end), path)
        elif name == "container" and node["describes"] and node.children:
            yield from self._titled(node, node["describes"], (start, end), path)
        elif self._is_divisible(node) and _is_long(text):
            told = node.get("remark") or _term(node)
            inside = self._inside(node, start, end, path)
            if told:
                # The first part says it itself.
                yield from islice(inside, 1)
                inside = (
                    replace(block, path=(*path, told, *block.path[len(path) :])) for block in inside
                )
            yield from inside
        else:
            solid = name in _SOLID or bool(name == "container" and node["verbatim"])
            yield Block(text, start, path, solid=solid)

    def _titled(self, node: Any, title: str, span: tuple[int, int], path: Path) -> Iterator[Block]:
        start, end = span
        following = next((line for _, line in self._placed(node, start + 1, end)), end)
        yield Block(self._text(start, following), start, path, title=title)
        if following < end:
            yield from self._inside(node, following, end, (*path, title))

    def _is_divisible(self, node: Any) -> bool:
        name = type(node).__name__
        return bool(node.children) and (
            name in _CONTAINERS or (name == "container" and not node["verbatim"])
        )

    def _text(self, start: int, end: int) -> str:
        return "".join(self._lines[start - 1 : end - 1])


def _is_long(text: str) -> bool:
    most = BOUND - HEADING_ROOM
    return len(text) > most and estimate_tokens(text) > most  # a token has a character at least


def _term(node: Any) -> str:
    """The term that an item of a list defines, or the name of a field."""
    if type(node).__name__ not in {"definition_list_item", "field"}:
        return ""
    return " ".join(node.children[0].astext().split())[:NAME_LENGTH]


def _title_field(document: nodes.document) -> str | None:
    from docutils import nodes

    head = next(iter(document.children), None)
    if not isinstance(head, nodes.field_list):
        return None
    said = {
        field.children[0].astext().lower(): field.children[-1].astext() for field in head.children
    }
    return " ".join(said.get("title", "").split()) or None

"""reStructuredText to blocks, by docutils: titles, and directives with what they describe.

Only the layout is read: no role, substitution or directive does anything, known to docutils or not. So nothing that a
document says opens a file or runs code.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from io import StringIO
from itertools import islice
from typing import TYPE_CHECKING, Any

from cognitive_memory.ingest.blocks import Block, Path
from cognitive_memory.ingest.front_matter import FrontMatter
from cognitive_memory.ingest.splitting import BOUND, HEADING_ROOM, estimate_tokens

if TYPE_CHECKING:
    from docutils import nodes
    from docutils.parsers.rst import Directive
    from docutils.parsers.rst.states import Inliner

_SOLID = {"literal_block", "doctest_block", "table", "line_block", "substitution_definition"}
_CONTAINERS = {
    *("bullet_list", "enumerated_list", "definition_list", "field_list", "option_list"),
    *("list_item", "definition_list_item", "definition", "field", "field_body", "block_quote"),
}
_VERBATIM = frozenset(
    [
        "code",
        "code-block",
        "sourcecode",
        "parsed-literal",
        "literalinclude",
        "raw",
        "math",
        "csv-table",
        "highlight",
        "prompt",
        "ipython",
        "doctest",
        "testcode",
        "testsetup",
        "testoutput",
        "productionlist",
        "graphviz",
        "digraph",
        "graph",
        "mermaid",
        "plantuml",
        "uml",
        "plot",
        "toctree",
        "autosummary",
    ]
)
"""Directives whose content is no reStructuredText."""
_REMARKS = frozenset(
    [
        "attention",
        "caution",
        "danger",
        "error",
        "hint",
        "important",
        "note",
        "tip",
        "warning",
        "seealso",
        "todo",
        "versionadded",
        "versionchanged",
        "versionremoved",
        "deprecated",
        "deprecated-removed",
        "image",
        "figure",
        "include",
        "only",
        "container",
        "class",
        "meta",
        "default-role",
        "role",
        "module",
        "py:module",
        "currentmodule",
        "py:currentmodule",
        "highlight",
        "tabularcolumns",
        "index",
        "contents",
        "sectnum",
        "replace",
        "unicode",
        "date",
    ]
)
"""Directives whose first line describes nothing that what follows is about."""
_LINE_ENDS = dict.fromkeys(map(ord, "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"), " ")
"""What docutils takes for the end of a line, and an editor does not."""
_NAME_LENGTH = 200
_one_at_a_time = threading.RLock()


def read_restructuredtext(text: str) -> tuple[list[Block], FrontMatter]:
    """Read a reStructuredText document.

    What a directive describes (`.. py:data:: SECRET_KEY`) and the terms of a list of definitions are headings of what is said
    about them.

    Args:
        text: with a line feed at its line ends.

    Returns:
        Its blocks, whose lines together are the file, and what the fields at its head say, as those of a PEP.
    """
    document = _parsed(text.translate(_LINE_ENDS))
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
        placed = list(self._placed(parent, start, end))
        for index, (node, first) in enumerate(placed):
            # Blank lines, comments and the like belong to the node before them.
            last = placed[index + 1][1] if index + 1 < len(placed) else end
            yield from self._node(node, first if index else start, last, path)

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
        elif estimate_tokens(text) > BOUND - HEADING_ROOM and self._is_divisible(node):
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


def _term(node: Any) -> str:
    """The term that an item of a list defines, or the name of a field."""
    if type(node).__name__ not in {"definition_list_item", "field"}:
        return ""
    return " ".join(node.children[0].astext().split())[:_NAME_LENGTH]


def _title_field(document: nodes.document) -> str | None:
    from docutils import nodes

    head = next(iter(document.children), None)
    if not isinstance(head, nodes.field_list):
        return None
    said = {
        field.children[0].astext().lower(): field.children[-1].astext() for field in head.children
    }
    return " ".join(said.get("title", "").split()) or None


def _parsed(text: str) -> nodes.document:
    from docutils.frontend import get_default_settings
    from docutils.parsers.rst import Parser
    from docutils.utils import new_document

    settings = get_default_settings(Parser)
    settings.file_insertion_enabled = settings.raw_enabled = False
    settings.line_length_limit = len(text)
    settings.report_level, settings.halt_level = 5, 6  # no mistake is told, and none ends it
    document = new_document("", settings)
    with _every_directive_kept():
        Parser(rfc2822=True, inliner=_inliner()).parse(text, document)
    return document


@contextmanager
def _every_directive_kept() -> Iterator[None]:
    """For docutils a directive is a class that it looks up by name; no other way leads past those that it knows."""
    from docutils.parsers.rst import directives

    kept = _kept_directive()
    with _one_at_a_time:
        before = directives.directive
        directives.directive = lambda *_: (kept, [])
        try:
            yield
        finally:
            directives.directive = before


@cache
def _kept_directive() -> type[Directive]:
    from docutils import nodes
    from docutils.parsers.rst import Directive

    class Kept(Directive):
        """Any directive, with what is in it."""

        has_content = True
        optional_arguments = 1
        final_argument_whitespace = True

        def run(self) -> list[nodes.Node]:
            """Leave a node that says what the directive is called and describes."""
            name, told = (
                self.name.lower(),
                " ".join(" ".join(self.arguments).split())[:_NAME_LENGTH],
            )
            verbatim, remark = name in _VERBATIM, name in _REMARKS
            node = nodes.container(
                verbatim=verbatim,
                describes="" if verbatim or remark else told,
                remark=f"{name} {told}".strip() if remark else "",
            )
            node.line = self.lineno
            if not verbatim:
                self.state.nested_parse(self.content, self.content_offset, node)
            return [node]

    return Kept


@cache
def _inliner() -> Inliner:
    from docutils import nodes
    from docutils.parsers.rst.states import Inliner as Original

    class Literal(Original):
        """Leaves what stands inside a paragraph as it is."""

        def init_customizations(self, settings: Any) -> None:
            """Prepare nothing."""

        def parse(self, text: str, *_: Any) -> tuple[list[nodes.Node], list[nodes.system_message]]:
            return [nodes.Text(text)], []

        def adjust_uri(self, uri: str) -> str:
            return uri

    return Literal()

"""Markdown to blocks, by markdown-it-py: CommonMark with tables and front matter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from io import StringIO
from typing import TYPE_CHECKING

from cognitive_memory.ingest.blocks import Block, Headings, Path, spans
from cognitive_memory.ingest.front_matter import FrontMatter, read_front_matter
from cognitive_memory.ingest.splitting import BOUND, HEADING_ROOM, estimate_tokens

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token
    from markdown_it.tree import SyntaxTreeNode

_SOLID = {"fence", "code_block", "table", "html_block", "front_matter"}
_CONTAINERS = {"bullet_list", "ordered_list", "list_item", "blockquote"}
_TITLE_READ = 400
"""Characters of a heading, with its markup."""


def read_markdown(text: str) -> tuple[Iterator[Block], FrontMatter]:
    """Read a Markdown document.

    Args:
        text: with a line feed at its line ends.

    Returns:
        Its blocks, whose lines together are the file, and what the YAML block at its head says. Every text is Markdown: there
        is nothing to refuse.
    """
    from markdown_it.tree import SyntaxTreeNode

    root = SyntaxTreeNode(_block_parser().parse(text))
    lines = list(StringIO(text))
    front = next((node.content for node in root.children if node.type == "front_matter"), "")
    return _blocks(root.children, lines), read_front_matter(front)


def _blocks(nodes: Sequence[SyntaxTreeNode], lines: Sequence[str]) -> Iterator[Block]:
    headings = Headings()
    if lines and not nodes:  # nothing but blank lines and definitions of links
        yield Block("".join(lines), 1)
    for node, start, end in _spans(nodes, 0, len(lines)):
        if node.type == "heading":
            title = _plain(node.children[0].content)
            path = headings.enter(int(node.tag[1:]), title)
            yield Block("".join(lines[start:end]), start + 1, path, title=title)
        else:
            yield from _parts(node, start, end, lines, headings.path)


def _parts(
    node: SyntaxTreeNode, start: int, end: int, lines: Sequence[str], path: Path
) -> Iterator[Block]:
    """The block of a node; a list or quotation that is too long for a piece gives a block for each of its items."""
    text = "".join(lines[start:end])
    if node.type in _CONTAINERS and node.children and estimate_tokens(text) > BOUND - HEADING_ROOM:
        for child, child_start, child_end in _spans(node.children, start, end):
            yield from _parts(child, child_start, child_end, lines, path)
    else:
        yield Block(text, start + 1, path, solid=node.type in _SOLID)


def _spans(
    nodes: Sequence[SyntaxTreeNode], first: int, last: int
) -> Iterator[tuple[SyntaxTreeNode, int, int]]:
    return spans([(node, node.map[0]) for node in nodes if node.map is not None], first, last)


@cache
def _block_parser() -> MarkdownIt:
    from markdown_it import MarkdownIt
    from mdit_py_plugins.front_matter import front_matter_plugin

    parser = MarkdownIt("commonmark").enable("table").use(front_matter_plugin)
    # what stands inside a paragraph stays as it is
    parser.core.ruler.enableOnly(["normalize", "block"])
    return parser


@cache
def _inline_parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark")


def _plain(heading: str) -> str:
    """A heading's text without its markup."""
    # The parser's time is quadratic in brackets, and of a title only its beginning is shown.
    (inline,) = _inline_parser().parseInline(heading[:_TITLE_READ])
    return " ".join("".join(_words(child) for child in inline.children or ()).split())


def _words(token: Token) -> str:
    if token.type in {"softbreak", "hardbreak"}:
        return " "
    return "" if token.type == "html_inline" else token.content

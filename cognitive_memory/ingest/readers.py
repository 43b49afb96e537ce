"""Which reader makes blocks of a text; each is loaded when it is needed."""

from __future__ import annotations

from collections.abc import Iterable

from cognitive_memory.ingest.blocks import Block
from cognitive_memory.ingest.front_matter import FrontMatter
from cognitive_memory.ingest.languages import Kind, language_of


def read(kind: Kind, source: str, text: str) -> tuple[Iterable[Block], FrontMatter]:
    """Read a text.

    Args:
        kind: how.
        source: the file's path: it tells the language of source code.
        text: with a line feed at its line ends.

    Returns:
        Its blocks, and what its head says about it.
    """
    match kind:
        case Kind.MARKDOWN | Kind.DOCX:
            from cognitive_memory.ingest import markdown

            return markdown.read_markdown(text)
        case Kind.RESTRUCTUREDTEXT:
            from cognitive_memory.ingest import restructuredtext

            return restructuredtext.read_restructuredtext(text)
        case Kind.ASCIIDOC | Kind.ORG:
            from cognitive_memory.ingest import outlines

            return outlines.read_outline(text, outlines.FORMS[kind])
        case Kind.HTML:
            from cognitive_memory.ingest import html_text

            return html_text.read_html(text)
        case Kind.NOTEBOOK:
            from cognitive_memory.ingest import notebooks

            return notebooks.read_notebook(text)
        case Kind.PYTHON:
            from cognitive_memory.ingest import python_code

            return python_code.read_python(text), FrontMatter()
        case Kind.CODE if language := language_of(source):
            from cognitive_memory.ingest import comments

            return comments.comments(text, language), FrontMatter()
        case _:
            from cognitive_memory.ingest import plain_text

            return plain_text.read_text(text), FrontMatter()

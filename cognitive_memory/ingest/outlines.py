"""AsciiDoc and Org to blocks: paragraphs and delimited blocks, below headings that a mark at their line's beginning makes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import StringIO

from cognitive_memory.ingest.blocks import Block, Headings
from cognitive_memory.ingest.front_matter import FrontMatter
from cognitive_memory.ingest.languages import Kind


@dataclass(frozen=True, slots=True)
class Form:
    """How a language marks its lines.

    Attributes:
        heading: groups `level`, as many characters as the level is deep, and `title`.
        begin: what begins a block that is kept whole; its group `end`, in lower case, ends it.
        end: what is put before that group.
        title: a line that says the document's title; None: the first heading does.
    """

    heading: re.Pattern[str]
    begin: re.Pattern[str]
    end: str = ""
    title: re.Pattern[str] | None = None


FORMS: Mapping[Kind, Form] = {
    Kind.ASCIIDOC: Form(
        heading=re.compile(r"(?P<level>={1,6}|#{1,6})[ \t]+(?P<title>\S.*)"),
        begin=re.compile(r"(?P<end>-{4,}|\.{4,}|\+{4,}|/{4,}|\|={3,}|```)"),
    ),
    Kind.ORG: Form(
        heading=re.compile(r"(?P<level>\*+)[ \t]+(?P<title>\S.*)"),
        begin=re.compile(r"[ \t]*#\+begin_(?P<end>\w+)", re.IGNORECASE),
        end="#+end_",
        title=re.compile(r"#\+title:[ \t]*(?P<title>.*)", re.IGNORECASE),
    ),
}


def read_outline(text: str, form: Form) -> tuple[list[Block], FrontMatter]:
    """Read a document with marked headings.

    Args:
        text: with a line feed at its line ends.
        form: its language's.

    Returns:
        Its blocks, whose lines together are the text, and its title.
    """
    title = form.title and next(filter(None, map(form.title.match, StringIO(text))), None)
    return list(_blocks(text, form)), FrontMatter(title["title"].strip() or None if title else None)


def _blocks(text: str, form: Form) -> Iterator[Block]:
    headings = Headings()
    lines: list[str] = []
    first, ending, solid = 1, "", False
    for number, line in enumerate(StringIO(text), start=1):
        if ending:
            lines.append(line)
            if line.strip().lower() == ending:
                ending = ""
            continue
        heading, begin = form.heading.match(line), form.begin.match(line)
        was_blank = bool(lines) and not lines[-1].strip() and any(map(str.strip, lines[:1]))
        if lines and (heading or begin or solid or (was_blank and line.strip())) and line.strip():
            yield Block("".join(lines), first, headings.path, solid=solid)
            lines, solid = [], False
        if not lines:
            first = number
        if heading:
            title = heading["title"].strip()
            path = headings.enter(len(heading["level"]), title)
            yield Block("".join([*lines, line]), first, path, title=title)
            lines = []
            continue
        lines.append(line)
        if begin:
            ending, solid = form.end + begin["end"].lower(), True
    if lines:
        yield Block("".join(lines), first, headings.path, solid=solid)

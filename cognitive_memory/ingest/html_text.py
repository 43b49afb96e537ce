"""HTML, and components of Vue and Svelte, to blocks: the text that is seen, and comments."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from cognitive_memory.ingest.blocks import Block, Headings
from cognitive_memory.ingest.comments import comments, is_worth_keeping
from cognitive_memory.ingest.front_matter import FrontMatter

_HEADING = re.compile(r"h[1-6]")
_INLINE = {
    *("a", "abbr", "b", "bdi", "bdo", "br", "cite", "code", "data", "del", "dfn", "em", "i"),
    *("ins", "kbd", "label", "mark", "q", "s", "samp", "small", "span", "strong", "sub", "sup"),
    *("time", "tt", "u", "var", "wbr", "font", "nobr"),
}
_UNSEEN = frozenset("script style template-data svg math noscript".split())  # noqa: SIM905
_BLANKS = re.compile(r"\s+")


def read_html(text: str) -> tuple[list[Block], FrontMatter]:
    """Read HTML.

    Args:
        text: with a line feed at its line ends.

    Returns:
        Its headings and paragraphs, each in one line, preformatted text as it is, comments of six words or more, and those of
        its scripts; and its title.
    """
    reader = _Reader()
    reader.feed(text)
    reader.close()
    reader.flush()
    return reader.blocks, FrontMatter(" ".join("".join(reader.title).split()) or None)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks: list[Block] = []
        self.title: list[str] = []
        self._headings = Headings()
        self._within = ""  # the title, a heading, script or the like, or preformatted text
        self._said: list[str] = []
        self._line = 1

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        if tag in _INLINE:
            return
        self.flush()
        if tag in _UNSEEN or tag in {"title", "pre"} or _HEADING.fullmatch(tag):
            self._within = tag

    def handle_endtag(self, tag: str) -> None:
        if tag not in _INLINE:
            self.flush()
            if tag == self._within:
                self._within = ""

    def handle_data(self, data: str) -> None:
        if self._within == "title":
            self.title.append(data)
        elif self._within == "script":
            line = self.getpos()[0] - 1
            self.blocks += (
                Block(block.text, block.line + line, block.path, block.title, block.solid)
                for block in comments(data, "javascript")
            )
        elif self._within not in _UNSEEN:
            if not self._said:
                blank = len(data) - len(data.lstrip())
                self._line = self.getpos()[0] + data.count("\n", 0, blank)
                data = data if self._within == "pre" else data[blank:]
            self._said.append(data)

    def handle_comment(self, data: str) -> None:
        if is_worth_keeping(data):
            self.flush()
            line, path = self.getpos()[0], self._headings.path
            self.blocks.append(Block(f"{' '.join(data.split())}\n\n", line, path))

    def flush(self) -> None:
        """What was said until now is one block."""
        said, self._said = "".join(self._said), []
        if self._within == "pre":
            if said.strip():
                self.blocks.append(
                    Block(f"{said.strip(chr(10))}\n\n", self._line, self._headings.path, solid=True)
                )
            return
        said = _BLANKS.sub(" ", said).strip()
        if not said:
            return
        path, title = self._headings.path, None
        if _HEADING.fullmatch(self._within):
            path, title = self._headings.enter(int(self._within[1]), said), said
        self.blocks.append(Block(f"{said}\n\n", self._line, path, title=title))

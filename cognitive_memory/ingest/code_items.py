"""What a comment is about, and what it stands in: told from the code's layout, whatever its language."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from cognitive_memory.ingest.blocks import Path

_ATTRIBUTE = re.compile(
    r"\s*(?:#!?\[|@\w|\[\w|template\s*<[^\n]*>\s*\Z|__attribute__|#\s*(?:if|ifdef|ifndef|elif|else|endif|pragma)\b)"
)
_MOST_ATTRIBUTES = 8
_MOST_LINES = 8
_MOST_CHARACTERS = 500
_LETTER = re.compile(r"[^\W\d_]")
_BEGIN = re.compile(r"[ \t]*[\w\"'<.$@-]")
_NO_PLACE = re.compile(
    r"\W*(?:if|elif|elsif|else|for|foreach|while|until|unless|do|try|catch|except|finally|switch|case|match|when|with|"
    r"return|let|const|var|val|where|begin|loop|async|await|yield|throw|raise|defer|go|select|use|using|import|"
    r"assert\w*|expect)\b"
)
_GOES_ON = re.compile(r"\s*(?:where|extends|implements|throws|noexcept|->)\b")
"""A line that belongs to the one above it, although it is not indented."""
_DEPTH = 2
"""Outermost lines that tell where something is: a type and its method."""
_LOOKED_AT = 8
_PLACE_LENGTH = 60
_LINE_LOOKED_AT = 200


@dataclass(frozen=True, slots=True)
class Item:
    """What a comment is about.

    Attributes:
        text: the first lines of the code, as far as its brackets are open, without indentation.
        title: the same in one line.
    """

    text: str
    title: str


def item_at(lines: Sequence[str]) -> Item | None:
    """What the code at the beginning of some lines is, behind its attributes; None: nothing that has a name."""
    begin = 0
    while begin < min(len(lines), _MOST_ATTRIBUTES) and _is_attribute(lines[begin]):
        begin += 1
    taken: list[str] = []
    open_brackets = 0
    for line in lines[begin : begin + _MOST_LINES]:
        if not line.strip():
            break
        taken.append(line.strip()[:_MOST_CHARACTERS])
        open_brackets += line.count("(") - line.count(")")
        if open_brackets <= 0:
            break
    text = "\n".join(taken)
    if not _LETTER.search(text):
        return None
    return Item(text.rstrip(" {"), " ".join(text.split()).rstrip(" {:;=,"))


def item_above(lines: Sequence[str], number: int) -> Item | None:
    """What ends above a line, if it is the head of something that is indented below it: `def` in a language like Python."""
    taken: list[str] = []
    for line in reversed(lines[max(0, number - 1 - _MOST_LINES) : number - 1]):
        if not line.strip() or (not taken and not line.rstrip().endswith(":")):
            break
        taken.insert(0, line)
        if re.match(r"\s*(?:c?p?def|class|async)\b", line):
            return item_at(taken)
    return None


def _is_attribute(line: str) -> bool:
    return _ATTRIBUTE.match(line) is not None and line.count("(") <= line.count(")")


class Places:
    """What the lines of a file stand in, told from their indentation; asked for one line after another."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self._read = 0
        self._open: list[tuple[int, str]] = []

    def at(self, number: int) -> Path:
        """What a line is indented below: at most two lines, the outermost."""
        for line in self._lines[self._read : number - 1]:
            if _BEGIN.match(line) and not _GOES_ON.match(line):
                self._leave(_indentation(line))
                self._open.append((_indentation(line), line[:_LINE_LOOKED_AT].strip()))
        self._read = max(self._read, number - 1)
        self._leave(_indentation(self._lines[number - 1]))
        around = [text for _, text in self._open[:_LOOKED_AT] if not _NO_PLACE.match(text)]
        return tuple(text[:_PLACE_LENGTH].rstrip(" {:(=,") for text in around[:_DEPTH])

    def _leave(self, indentation: int) -> None:
        while self._open and self._open[-1][0] >= indentation:
            self._open.pop()


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip())

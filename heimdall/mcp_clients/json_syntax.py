"""Reads JSON with comments (`//`, `/* */`) and trailing commas, and remembers where everything stands.

No library does this in reasonable time: json-five keeps places and comments, but takes ten seconds per megabyte, and such
files have several.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from heimdall.mcp_clients.errors import FormatError

TOKEN = re.compile(
    r"""(?P<blank>[ \t\r\n]+)
    | (?P<comment>//[^\r\n]*|/\*.*?\*/)
    | (?P<string>"(?:[^"\\\x00-\x1f]|\\.)*")
    | (?P<mark>[{}\[\]:,])
    | (?P<plain>[-+.\w]+)""",
    re.VERBOSE | re.DOTALL,
)
"""A piece of a document; which kind it is, is the name of the group."""
_MAX_DEPTH = 200


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the text that has a meaning: neither blank nor comment."""

    kind: str
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Value:
    """A value and where it stands in the text.

    Attributes:
        content: what Python's json would read; for an object, its members' contents.
        members: an object's members, in their order; None for all else.
        trailing_comma: where the comma after an object's last member stands, if there is one.
    """

    start: int
    end: int
    content: Any
    members: list[Member] | None = None
    trailing_comma: int | None = None

    def member(self, key: str) -> Member | None:
        """The member of that key; the last one if there are several, as every JSON reader does."""
        return next((member for member in reversed(self.members or []) if member.key == key), None)


@dataclass(frozen=True, slots=True)
class Member:
    """A key of an object, where it starts, and its value."""

    key: str
    start: int
    value: Value


def parse(text: str) -> Value:
    """Read a document.

    Raises:
        FormatError: it is not JSON with comments; the message has line and column.
    """
    reader = _Reader(text)
    value = reader.value(0)
    extra = reader.peek()
    if extra is not None:
        raise reader.problem("the end", extra)
    return value


@dataclass(slots=True)
class _Reader:
    text: str
    position: int = 0
    _ahead: Token | None = field(default=None, init=False)

    def peek(self) -> Token | None:
        """The next token, or None at the end."""
        while self._ahead is None and self.position < len(self.text):
            found = TOKEN.match(self.text, self.position)
            if found is None:
                raise FormatError(
                    f"{self._place(self.position)}: {self.text[self.position]!r} is not expected"
                )
            self.position = found.end()
            if found.lastgroup not in {"blank", "comment"}:
                self._ahead = Token(str(found.lastgroup), found.group(), found.start(), found.end())
        return self._ahead

    def take(self, expected: str) -> Token:
        token = self.peek()
        if token is None:
            raise self.problem(expected, None)
        self._ahead = None
        return token

    def value(self, depth: int) -> Value:
        token = self.take("a value")
        if depth > _MAX_DEPTH:
            raise FormatError(f"{self._place(token.start)}: nested more than {_MAX_DEPTH} deep")
        if token.text == "{":
            return self._object(token, depth)
        if token.text == "[":
            return self._array(token, depth)
        if token.kind == "mark":
            raise self.problem("a value", token)
        return Value(token.start, token.end, self._scalar(token))

    def _object(self, opening: Token, depth: int) -> Value:
        members: list[Member] = []
        trailing_comma = None
        while True:
            key = self.take("a key or '}'")
            if key.text == "}":
                content = {member.key: member.value.content for member in members}
                return Value(opening.start, key.end, content, members, trailing_comma)
            if key.kind != "string":
                raise self.problem("a key or '}'", key)
            colon = self.take("':'")
            if colon.text != ":":
                raise self.problem("':'", colon)
            members.append(Member(self._scalar(key), key.start, self.value(depth + 1)))
            trailing_comma = None
            ahead = self.peek()
            if ahead is None or ahead.text not in {",", "}"}:
                raise self.problem("',' or '}'", ahead)
            if ahead.text == ",":
                trailing_comma = self.take("','").start

    def _array(self, opening: Token, depth: int) -> Value:
        items: list[Any] = []
        while True:
            ahead = self.peek()
            if ahead is not None and ahead.text == "]":
                return Value(opening.start, self.take("']'").end, items)
            items.append(self.value(depth + 1).content)
            mark = self.take("',' or ']'")
            if mark.text == "]":
                return Value(opening.start, mark.end, items)
            if mark.text != ",":
                raise self.problem("',' or ']'", mark)

    def _scalar(self, token: Token) -> Any:
        try:
            return json.loads(token.text, parse_constant=_refuse)
        except ValueError:
            raise self.problem("a value", token) from None

    def problem(self, expected: str, token: Token | None) -> FormatError:
        if token is None:
            return FormatError(f"the text ends where {expected} is expected")
        shown = token.text if len(token.text) <= 40 else token.text[:40] + "…"
        return FormatError(f"{self._place(token.start)}: expected {expected}, found {shown}")

    def _place(self, position: int) -> str:
        line = self.text.count("\n", 0, position) + 1
        column = position - self.text.rfind("\n", 0, position)
        return f"line {line}, column {column}"


def _refuse(name: str) -> object:
    raise ValueError(name)

"""Reads JSON with comments (`//`, `/* */`) and trailing commas, and remembers where everything stands.

No library does this in reasonable time: json-five keeps places and comments, but takes ten seconds per megabyte, and such
files have several.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
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
    # Strict JSON is read here too, although json would do: only this reader knows where things stand.
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
    _ahead: re.Match[str] | None = None

    def peek(self) -> re.Match[str] | None:
        """The next token that has a meaning, neither blank nor comment; None at the end."""
        while self._ahead is None and self.position < len(self.text):
            token = TOKEN.match(self.text, self.position)
            if token is None:
                raise FormatError(
                    f"{self._place(self.position)}: {self.text[self.position]!r} is not expected"
                )
            self.position = token.end()
            if token.lastgroup not in {"blank", "comment"}:
                self._ahead = token
        return self._ahead

    def take(self, expected: str) -> re.Match[str]:
        token = self.peek()
        if token is None:
            raise self.problem(expected, None)
        self._ahead = None
        return token

    def value(self, depth: int) -> Value:
        token = self.take("a value")
        # Python's own limit would end in a RecursionError, which names no place in the file.
        if depth > _MAX_DEPTH:
            raise FormatError(f"{self._place(token.start())}: nested more than {_MAX_DEPTH} deep")
        if token[0] == "{":
            return self._object(token, depth)
        if token[0] == "[":
            return self._array(token, depth)
        if token.lastgroup == "mark":
            raise self.problem("a value", token)
        return Value(token.start(), token.end(), self._scalar(token))

    def _object(self, opening: re.Match[str], depth: int) -> Value:
        members: list[Member] = []
        trailing_comma = None
        while True:
            key = self.take("a key or '}'")
            if key[0] == "}":
                content = {member.key: member.value.content for member in members}
                return Value(opening.start(), key.end(), content, members, trailing_comma)
            if key.lastgroup != "string":
                raise self.problem("a key or '}'", key)
            colon = self.take("':'")
            if colon[0] != ":":
                raise self.problem("':'", colon)
            members.append(Member(self._scalar(key), key.start(), self.value(depth + 1)))
            trailing_comma = None
            ahead = self.peek()
            if ahead is None or ahead[0] not in {",", "}"}:
                raise self.problem("',' or '}'", ahead)
            if ahead[0] == ",":
                trailing_comma = self.take("','").start()

    def _array(self, opening: re.Match[str], depth: int) -> Value:
        items: list[Any] = []
        while True:
            ahead = self.peek()
            if ahead is not None and ahead[0] == "]":
                return Value(opening.start(), self.take("']'").end(), items)
            items.append(self.value(depth + 1).content)
            mark = self.take("',' or ']'")
            if mark[0] == "]":
                return Value(opening.start(), mark.end(), items)
            if mark[0] != ",":
                raise self.problem("',' or ']'", mark)

    def _scalar(self, token: re.Match[str]) -> Any:
        try:
            return json.loads(token[0], parse_constant=_refuse)
        except ValueError:
            raise self.problem("a value", token) from None

    def problem(self, expected: str, token: re.Match[str] | None) -> FormatError:
        if token is None:
            return FormatError(f"the text ends where {expected} is expected")
        shown = token[0] if len(token[0]) <= 40 else token[0][:40] + "…"
        return FormatError(f"{self._place(token.start())}: expected {expected}, found {shown}")

    def _place(self, position: int) -> str:
        line = self.text.count("\n", 0, position) + 1
        column = position - self.text.rfind("\n", 0, position)
        return f"line {line}, column {column}"


def _refuse(name: str) -> object:
    raise ValueError(name)

"""Changes one member of a JSON document and leaves every other byte: comments, order, indentation, trailing commas.

Of JSON as VS Code and Zed write their settings, with comments and trailing commas. The editor is
our own, since the libraries that keep comments rewrite the whole text in their own form or take ten
seconds per megabyte, and this is somebody else's file. The reader is Python's json: it is given the
text with blanks in place of comments and trailing commas, so that whatever it reads stands at the
same position in the text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from heimdall.mcp_clients.errors import FormatError
from heimdall.mcp_clients.formats.texts import nested, newline_of

_STRING = r'"(?:[^"\\]|\\.)*"'
_BLANKS = re.compile(r"[ \t\r\n]*")
# The first group is what is blanked. A string goes first, since it may hold what looks like a
# comment.
_COMMENTS = re.compile(rf"{_STRING}|(//[^\r\n]*|/\*.*?\*/)", re.DOTALL)
# A comma that follows no value is none of these: json refuses it.
_TRAILING_COMMAS = re.compile(rf"{_STRING}|[\[{{:,][ \t\r\n]*,|(,)(?=[ \t\r\n]*[\]}}])", re.DOTALL)
_COMMENTS_ON_LINE = re.compile(r"(?:[ \t]*(?://[^\r\n]*|/\*[^\r\n]*?\*/))+")


@dataclass(frozen=True, slots=True)
class _Member:
    """A member of an object, and where it stands in the text. The whole document counts as one without a key.

    Attributes:
        start: of the key.
        value: where the value starts.
        end: of the value.
        after: of the comma that follows; `end` where none does.
        content: the value as json reads it.
    """

    key: str
    start: int
    value: int
    end: int
    after: int
    content: Any


class _Document:
    """A document that was read.

    Raises:
        FormatError: it is not JSON with comments; the message has line and column.
    """

    def __init__(self, text: str) -> None:
        self._commas = _blanked(text, _COMMENTS)
        self._strict = _blanked(self._commas, _TRAILING_COMMAS)
        self._decoder = json.JSONDecoder(parse_constant=_refuse)
        try:
            content = self._decoder.decode(self._strict)
        except (ValueError, RecursionError) as error:
            raise FormatError(str(error)) from None
        start, end = self._skip_blanks(0), len(self._strict.rstrip())
        self.root = _Member("", start, start, end, end, content)

    def members(self, holder: _Member) -> list[_Member]:
        """The members of an object, in their order; none of what is no object."""
        members: list[_Member] = []
        if not isinstance(holder.content, dict):
            return members
        start = self._skip_blanks(holder.value + 1)
        while self._commas[start] != "}":
            key, end = self._decoder.raw_decode(self._strict, start)
            value = self._skip_blanks(self._skip_blanks(end) + 1)  # behind the colon
            content, end = self._decoder.raw_decode(self._strict, value)
            comma = self._skip_blanks(end)
            after = comma + 1 if self._commas[comma] == "," else end
            members.append(_Member(key, start, value, end, after, content))
            start = self._skip_blanks(after)
        return members

    def path(self, keys: Sequence[str]) -> list[_Member]:
        """The document, and the members at a path of keys as far as there are some."""
        path = [self.root]
        for key in keys:
            named = [member for member in self.members(path[-1]) if member.key == key]
            if not named:
                break
            path.append(named[-1])  # the last of several, as every JSON reader does
        return path

    def _skip_blanks(self, position: int) -> int:
        blanks = _BLANKS.match(self._commas, position)
        return blanks.end() if blanks else position


def read(text: str) -> Any:
    """The content of a document.

    Raises:
        FormatError: it is not JSON with comments; the message has line and column.
    """
    return _Document(text).root.content


def put(text: str, keys: Sequence[str], content: object) -> str:
    """Set the value at a path of keys; objects on the way are made where they are missing.

    Args:
        text: a document whose top is an object; a blank one counts as an empty object.
        keys: at least one.
        content: what JSON can carry.

    Returns:
        The new text; the same one if the value is equal already.

    Raises:
        FormatError: the text is not JSON, or something on the way is not an object.

    >>> print(put('{"servers": {"a": 1}} // kept', ["servers", "a"], 2))
    {"servers": {"a": 2}} // kept
    """
    if not text.strip():
        text = "{}\n"
    document = _Document(text)
    *on_the_way, last = document.path(keys)
    depth = len(on_the_way)
    if depth == len(keys):
        if last.content == content and type(last.content) is type(content):
            return text
        rendered = _render(content, text, _indent_before(text, last.start))
        return text[: last.value] + rendered + text[last.end :]
    if not isinstance(last.content, dict):
        name = ".".join(keys[:depth]) or "the document"
        raise FormatError(f"{name} is no object")
    content = nested(keys[depth + 1 :], content)
    return _insert(text, last, document.members(last), keys[depth], content)


def remove(text: str, keys: Sequence[str]) -> str:
    """Remove the member at a path of keys, and the objects on the way that become empty by that.

    Returns:
        The new text; the same one if there is no such member.

    Raises:
        FormatError: the text is not JSON.

    >>> print(remove('{"a": 1, "servers": {"b": 2}} // kept', ["servers", "b"]))
    {"a": 1} // kept
    """
    document = _Document(text)
    path = document.path(keys)
    if len(path) <= len(keys):
        return text
    holder, member = path[-2:]
    # An object that holds nothing else goes as a whole, unless somebody's comment stands in it.
    while holder is not document.root and not (
        text[holder.value + 1 : member.start] + text[member.end : holder.end - 1]
    ).strip(" \t\r\n,"):
        path.pop()
        holder, member = path[-2:]
    return _cut(text, holder, document.members(holder), member)


def _insert(
    text: str, holder: _Member, members: Sequence[_Member], key: str, content: object
) -> str:
    newline = newline_of(text)
    if not members:
        outer = _indent_before(text, holder.value)
        inner = outer + _unit(text)
        kept = text[holder.value + 1 : holder.end - 1].rstrip()
        member = f"{json.dumps(key)}: {_render(content, text, inner)}"
        body = f"{{{kept}{newline}{inner}{member}{newline}{outer}}}"
        return text[: holder.value] + body + text[holder.end :]
    before = members[-1]
    point = _end_on_line(text, before)
    if _starts_line(text, before.start) or "//" in text[before.end : point]:
        indent = _indent_before(text, before.start)
        lead = newline + indent
    else:
        indent, lead = _indent_before(text, holder.value), " "
    member = f"{lead}{json.dumps(key)}: {_render(content, text, indent)}"
    # The new member ends with a comma if the last one did.
    comma, trailing = (",", "") if before.after == before.end else ("", ",")
    kept = comma + text[before.end : point]
    return text[: before.end] + kept + member + trailing + text[point:]


def _cut(text: str, holder: _Member, members: Sequence[_Member], member: _Member) -> str:
    end = _end_on_line(text, member)
    if member != members[-1]:
        # What follows takes over the place, and with it the indentation.
        return text[: member.start] + text[end:].lstrip(" \t\r\n")
    if len(members) == 1:
        before, kept = holder.value + 1, text[holder.value + 1 : member.start].rstrip()
        kept += text[end : holder.end - 1].rstrip()
        end = holder.end - 1
    else:
        previous = members[-2]
        before = previous.end
        comma = "," if member.after > member.end else ""  # the one that is last now ends as it did
        kept = text[before : previous.after - 1] + comma + text[previous.after : member.start]
        kept = kept.rstrip()
    # A comment of a line must not swallow what follows.
    swallows = "//" in kept and not text[end:].lstrip(" \t").startswith(("\n", "\r"))
    return text[:before] + kept + ("\n" if swallows else "") + text[end:]


def _end_on_line(text: str, member: _Member) -> int:
    """Where a member ends, with its comma and the comments on its line."""
    comment = _COMMENTS_ON_LINE.match(text, member.after)
    return comment.end() if comment else member.after


def _starts_line(text: str, position: int) -> bool:
    line = text[text.rfind("\n", 0, position) + 1 : position]
    return not line.strip() and "\n" in text[:position]


def _indent_before(text: str, position: int) -> str:
    line = text[text.rfind("\n", 0, position) + 1 : position]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _unit(text: str) -> str:
    """The indentation of one level: that of the first indented line, else two blanks."""
    indented = re.search(r"\n([ \t]+)[\"/]", text)
    return indented[1] if indented else "  "


def _render(content: object, text: str, indent: str) -> str:
    rendered = json.dumps(content, indent=_unit(text), ensure_ascii=False)
    return rendered.replace("\n", newline_of(text) + indent)


def _blanked(text: str, pattern: re.Pattern[str]) -> str:
    """The text with blanks in place of what the pattern's group matches; line ends stay."""

    def blank(match: re.Match[str]) -> str:
        return match[0] if match[1] is None else re.sub(r"[^\r\n]", " ", match[1])

    return pattern.sub(blank, text)


def _refuse(constant: str) -> object:
    raise FormatError(f"{constant} is not allowed in JSON")

"""Changes one member of a JSON document and leaves every other byte: comments, order, indentation, trailing commas.

Of JSON as VS Code and Zed write their settings, with comments and trailing commas. Our own, since the libraries that
keep comments either rewrite the whole text in their own form or take ten seconds per megabyte (see `json_syntax`), and
this is somebody else's file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from heimdall.mcp_clients.errors import FormatError
from heimdall.mcp_clients.json_syntax import TOKEN, Member, Value, parse

_COMMENT_ON_LINE = re.compile(r"[ \t]*(?://[^\r\n]*|/\*[^\r\n]*?\*/)")


def set_member(text: str, keys: Sequence[str], content: object) -> str:
    """Set the value at a path of keys; objects on the way are made where they are missing.

    Args:
        text: a document whose top is an object; a blank one counts as an empty object.
        keys: at least one.
        content: what JSON can carry.

    Returns:
        The new text; the same one if the value is equal already.

    Raises:
        FormatError: the text is not JSON, or something on the way is not an object.

    >>> print(set_member('{"servers": {"a": 1}} // kept', ["servers", "a"], 2))
    {"servers": {"a": 2}} // kept
    """
    if not text.strip():
        text = "{}\n"
    value = parse(text)
    start = value.start
    for depth, key in enumerate(keys):
        if value.members is None:
            name = ".".join(keys[:depth]) or "the document"
            raise FormatError(f"{name} is {type(value.content).__name__}, expected an object")
        member = value.member(key)
        if member is None:
            for missing in reversed(keys[depth + 1 :]):
                content = {missing: content}
            return _insert(text, value, key, content)
        start, value = member.start, member.value
    if value.content == content and type(value.content) is type(content):
        return text
    return (
        text[: value.start]
        + _render(content, text, _indent_before(text, start))
        + text[value.end :]
    )


def remove_member(text: str, keys: Sequence[str]) -> str:
    """Remove the member at a path of keys, and the objects on the way that become empty by that.

    Returns:
        The new text; the same one if there is no such member.

    Raises:
        FormatError: the text is not JSON.

    >>> print(remove_member('{"a": 1, "servers": {"b": 2}} // kept', ["servers", "b"]))
    {"a": 1} // kept
    """
    holders = [parse(text)]
    members: list[Member] = []
    for key in keys:
        member = holders[-1].member(key)
        if member is None:
            return text
        members.append(member)
        holders.append(member.value)
    # An object that holds nothing else goes as a whole, unless somebody's comment stands in it.
    last = len(keys) - 1
    while last > 0 and _is_alone(text, holders[last], members[last]):
        last -= 1
    return _cut(text, holders[last], members[last])


def _is_alone(text: str, holder: Value, member: Member) -> bool:
    inside = text[holder.start + 1 : member.start] + text[member.value.end : holder.end - 1]
    return holder.members is not None and len(holder.members) == 1 and not inside.strip(" \t\r\n,")


def _insert(text: str, holder: Value, key: str, content: object) -> str:
    newline = "\r\n" if "\r\n" in text else "\n"
    if not holder.members:
        outer = _indent_before(text, holder.start)
        inner = outer + _unit(text)
        kept = text[holder.start + 1 : holder.end - 1].rstrip()
        member = f"{json.dumps(key)}: {_render(content, text, inner)}"
        body = f"{{{kept}{newline}{inner}{member}{newline}{outer}}}"
        return text[: holder.start] + body + text[holder.end :]
    before = holder.members[-1]
    after = before.value.end
    comma = holder.trailing_comma is not None
    point = _end_of_member(text, holder, before)
    if _starts_line(text, before.start) or "//" in text[after:point]:
        indent = _indent_before(text, before.start)
        lead = newline + indent
    else:
        indent, lead = _indent_before(text, holder.start), " "
    member = f"{lead}{json.dumps(key)}: {_render(content, text, indent)}"
    glue = text[after:point] if comma else "," + text[after:point]
    return text[:after] + glue + member + ("," if comma else "") + text[point:]


def _cut(text: str, holder: Value, member: Member) -> str:
    members = holder.members or []
    index = members.index(member)
    end = _end_of_member(text, holder, member)
    if index + 1 < len(members):
        # What follows takes over the place, and with it the indentation.
        return text[: member.start] + text[end:].lstrip(" \t\r\n")
    if index == 0:
        comments = (
            text[holder.start + 1 : member.start].rstrip() + text[end : holder.end - 1].rstrip()
        )
        return text[: holder.start + 1] + _closed(comments, text[holder.end - 1 :])
    before = members[index - 1].value.end
    comments = text[before : member.start].rstrip()
    if holder.trailing_comma is None:
        comma = _comma_after(text, before) - before
        comments = comments[: comma - 1] + comments[comma:]
    return text[:before] + _closed(comments, text[end:])


def _closed(comments: str, rest: str) -> str:
    """Comments and what follows, so that a comment of a line does not swallow it."""
    if "//" in comments and not rest.lstrip(" \t").startswith(("\n", "\r")):
        return comments + "\n" + rest
    return comments + rest


def _end_of_member(text: str, holder: Value, member: Member) -> int:
    """Where a member ends, with its comma and the comment on its line."""
    end = member.value.end
    if member is not (holder.members or [])[-1] or holder.trailing_comma is not None:
        end = _comma_after(text, end)
    comment = _COMMENT_ON_LINE.match(text, end)
    return comment.end() if comment else end


def _comma_after(text: str, position: int) -> int:
    while True:
        token = TOKEN.match(text, position)
        if token is None:  # pragma: no cover: the parser saw a comma here
            raise AssertionError(position)
        position = token.end()
        if token.group() == ",":
            return position


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
    newline = "\r\n" if "\r\n" in text else "\n"
    return json.dumps(content, indent=_unit(text), ensure_ascii=False).replace(
        "\n", newline + indent
    )

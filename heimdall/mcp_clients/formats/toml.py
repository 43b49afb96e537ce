"""Changes what stands at one path of keys of a TOML document, and leaves every other character.

The text is cut into statements (headers and pairs, each with the path that it sets), and tomllib
says what their keys mean. A library that builds a tree of the document and writes it anew moved
neighbours of dotted keys into other tables.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from heimdall.mcp_clients.errors import FormatError
from heimdall.mcp_clients.formats.texts import newline_of, with_lines

_STRINGS = r'"""(?:\\.|[^\\])*?"{3,5}' r"|'''.*?'{3,5}" r'|"(?:\\.|[^"\\\n])*"' r"|'[^'\n]*'"
_TOKENS = re.compile(rf"{_STRINGS}|#[^\n]*|[\[\]{{}},\n]", re.DOTALL)
_KEY = re.compile(r"""(?:"(?:\\.|[^"\\\n])*"|'[^'\n]*'|[^"'=\n])+""")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Statement:
    """A header or a pair, and where it stands.

    Attributes:
        path: what it sets, from the root.
        table: the path of the header above it, or its own.
        start: of its line.
        end: of its line, with the line's end.
        is_pair: whether it is a pair; else it is a header.
        value: where a pair's value begins.
        value_end: where it ends.
    """

    path: Path
    table: Path
    start: int
    end: int
    is_pair: bool = False
    value: int = 0
    value_end: int = 0

    def is_of(self, path: Path) -> bool:
        """Whether it sets something at or below a path."""
        return self.path[: len(path)] == path


def read(text: str) -> dict[str, Any]:
    """The content of a document.

    Raises:
        FormatError: it is not TOML; the message has line and column.
    """
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise FormatError(str(error)) from None


def put(text: str, keys: Sequence[str], content: object) -> str:
    """Set the value at a path of keys.

    A mapping at a path of two keys becomes a table with a header, others stand in a line.

    Raises:
        FormatError: the text is not TOML, or something on the way is not a table.

    >>> print(put('a.b = 1 # kept', ["a", "b"], 2))
    a.b = 2 # kept
    """
    path, parent = tuple(keys), tuple(keys[:-1])
    _require_tables(read(text), parent)
    statements = list(_statements(text))
    for one in statements:
        if one.is_pair and one.path == path:
            return text[: one.value] + _render(content) + text[one.value_end :]
        if one.is_pair and one.path == path[: len(one.path)]:
            return _put_inline(text, one, path[len(one.path) :], content)
    if any(one.is_of(path) for one in statements):
        return put(remove(text, keys), keys, content)
    # Beside what is there already, in its form: below its header, or as dotted keys.
    beside = [one for one in statements if one.table == parent]
    beside = beside or [one for one in statements if one.is_pair and one.is_of(parent)]
    newline = newline_of(text)
    if beside and not (len(path) == 2 and isinstance(content, Mapping)):
        last = beside[-1]
        line = f"{_key(path[len(last.table) :])} = {_render(content)}{newline}"
        return with_lines(text, last.end, line)
    header: Path
    if isinstance(content, Mapping) and len(path) == 2:
        header, lines = path, dict(content)
    else:
        header, lines = parent, {path[-1]: content}
    block = [f"[{_key(header)}]", *(f"{_key((k,))} = {_render(v)}" for k, v in lines.items())]
    below = next((one.start for one in statements if one.is_of(header)), None)
    if below is not None:
        return text[:below] + newline.join([*block, "", ""]) + text[below:]
    gap = newline if text.strip() else ""
    return with_lines(text, len(text), gap + newline.join([*block, ""]))


def remove(text: str, keys: Sequence[str]) -> str:
    r"""Remove what stands at a path of keys. Comments above it stay.

    Raises:
        FormatError: the text is not TOML.

    >>> print(remove('[s.a]\nx = 1\n\n[s.b] # kept\nx = 2\n', ["s", "a"]), end="")
    [s.b] # kept
    x = 2
    """
    path = tuple(keys)
    read(text)
    statements = list(_statements(text))
    for one in reversed(statements):
        if one.is_pair and one.path != path and one.path == path[: len(one.path)]:
            text = _cut_inline(text, one, path[len(one.path) :])
        elif one.is_of(path):
            # Where a table begins or ends, the blank line goes with it; a comment stays.
            start = one.start
            if not one.is_pair and _is_gap(text[one.end :]):
                above = re.search(r"\n[ \t]*\r?\n$", text[:start])
                start = above.start() + 1 if above else start
            end = one.end
            if not one.is_pair and not text[:start].strip():
                blank = re.match(r"[ \t]*\r?\n", text[end:])
                end += blank.end() if blank else 0
            text = text[:start] + text[end:]
    return text


def _is_gap(rest: str) -> bool:
    return not rest.strip() or bool(re.match(r"[ \t]*\r?\n", rest))


def _require_tables(content: Any, path: Path) -> None:
    for depth, key in enumerate(path):
        content = content.get(key, {})
        if not isinstance(content, dict):
            name = _key(path[: depth + 1])
            raise FormatError(f"{name} is no table")


def _statements(text: str) -> Iterator[_Statement]:
    """The headers and pairs of a valid document, in their order."""
    table: Path = ()
    start = depth = 0
    comment = None
    for token in _TOKENS.finditer(text + "\n"):
        mark = token[0]
        if mark in {"[", "{"}:
            depth += 1
        elif mark in {"]", "}"}:
            depth -= 1
        elif mark.startswith("#") and depth == 0:
            comment = token.start()
        elif mark == "\n" and depth == 0:
            end = min(token.end(), len(text))
            body = text[start : end if comment is None else comment].rstrip()
            if body.lstrip().startswith("["):
                table = _path_of(body, {})
                yield _Statement(table, table, start, end)
            elif body and (key := _KEY.match(body)):
                path = table + _path_of(f"{key[0]} = {{}}", {})
                value = body[key.end() + 1 :]
                begin = start + key.end() + 1 + len(value) - len(value.lstrip())
                yield _Statement(path, table, start, end, True, begin, start + len(body))
            start, comment = end, None


def _path_of(statement: str, end: object) -> Path:
    """The keys that a header, or a pair whose value is `end`, sets."""
    content: Any = tomllib.loads(statement)
    path: list[str] = []
    while content != end:
        ((key, content),) = content.items()
        path.append(key)
        content = content[0] if isinstance(content, list) else content
    return tuple(path)


def _members(text: str, one: _Statement) -> list[tuple[int, int, Path]]:
    """Where the members of an inline table stand, between its commas, and the keys of each."""
    inside, end, depth = one.value + 1, one.value_end - 1, 0
    start, members = inside, []
    for token in [*_TOKENS.finditer(text, inside, end), None]:
        mark = "," if token is None else token[0]
        if mark in {"[", "{"}:
            depth += 1
        elif mark in {"]", "}"}:
            depth -= 1
        elif mark == "," and depth == 0:
            stop = end if token is None else token.start()
            if key := _KEY.match(text[start:stop].lstrip()):
                members.append((start, stop, _path_of(f"{key[0].strip()} = {{}}", {})))
            start = stop + 1
    return [member for member in members if text[member[0] : member[1]].strip()]


def _put_inline(text: str, one: _Statement, below: Path, content: object) -> str:
    """Set a value within an inline table; the member that it is of is written anew, no other."""
    name, *inner = below
    value: Any = content
    if inner:
        value = {**read(text[one.value : one.value_end].join(("x = ", "")))["x"].get(name, {})}
        holder = value
        for key in inner[:-1]:
            holder[key] = {**holder.get(key, {})}
            holder = holder[key]
        holder[inner[-1]] = content
    member = f"{_key((name,))} = {_render(value)}"
    mine = [(start, stop) for start, stop, path in _members(text, one) if path[0] == name]
    if len(mine) == 1:
        start, stop = mine[0]
        old = text[start:stop]
        lead, trail = old[: len(old) - len(old.lstrip())], old[len(old.rstrip()) :]
        return text[:start] + lead + member + trail + text[stop:]
    if mine:
        return put(remove(text, [*one.path, name]), [*one.path, name], value)
    before = text[: one.value_end - 1].rstrip()
    lead = "" if before.endswith("{") else ", "
    return before + lead + member + text[len(before) :]


def _cut_inline(text: str, one: _Statement, below: Path) -> str:
    """Remove the members of an inline table that are at or below a path, with a comma each."""
    for start, stop, path in reversed(_members(text, one)):
        if path[: len(below)] == below:
            if text[stop] == ",":
                text = text[:start] + text[stop + 1 :]
            else:
                begin = start - 1 if text[start - 1] == "," else start
                text = text[:begin] + text[start + len(text[start:stop].rstrip()) :]
        elif below[: len(path)] == path:
            raise FormatError(f"{_key(one.path + path)} is written in a form that can't be edited")
    return text


def _key(path: Sequence[str]) -> str:
    return ".".join(key if _BARE.fullmatch(key) else _render(key) for key in path)


def _render(content: Any) -> str:
    if isinstance(content, str):
        return json.dumps(content, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(content, Mapping):
        inside = ", ".join(f"{_key((key,))} = {_render(value)}" for key, value in content.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(content, list | tuple):
        return f"[{', '.join(map(_render, content))}]"
    if isinstance(content, bool):
        return str(content).lower()
    return content.isoformat() if hasattr(content, "isoformat") else repr(content)

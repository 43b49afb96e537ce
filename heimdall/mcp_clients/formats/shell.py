"""Changes the line `mcp add NAME …` of a shell script that configures Crush, and leaves every other one.

What is read of a script is `{"mcp": {NAME: {"command": …, "args": […], "env": {…}}}}`, of lines that
begin with these words, and under the key "" all other lines.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from typing import Any

from heimdall.mcp_clients.errors import FormatError
from heimdall.mcp_clients.formats.texts import nested, newline_of

_COMMAND = re.compile(r"mcp[ \t]+add[ \t](?:[^\n]*\\\r?\n)*[^\n]*\n?")
_MORE_THAN_WORDS = re.compile(r"[$`;&|<>()]")
_START = re.compile(r"(?:#![^\n]*\n)?")


def read(text: str) -> dict[str, Any]:
    """The servers of a script, and its other lines.

    Raises:
        FormatError: a line that adds a server can't be understood.
    """
    servers: dict[str, Any] = {}
    rest = text
    for start, end, name, server in reversed(list(_servers(text))):
        servers.setdefault(name, server)  # the last one counts
        rest = rest[:start] + rest[end:]
    return {"mcp": servers} | ({"": rest.splitlines()} if rest.strip() else {})


def put(text: str, keys: Sequence[str], content: Any) -> str:
    """Set the value at `["mcp", NAME]` or below.

    A new line comes first: further down it might stand in a branch, a quotation, or behind an
    `exit`.

    >>> print(put("option debug true", ["mcp", "h"], {"command": "x y", "args": ["-v"]}))
    mcp add h --command 'x y' --args -v
    option debug true
    """
    name, *inner = keys[1:]
    here = _lines_of(text, name)
    if inner and here:
        holder = server = here[-1][3]
        for key in inner[:-1]:
            holder = holder.setdefault(key, {})
        holder[inner[-1]] = content
    else:
        server = nested(inner, content)
    line = _line(name, server) + newline_of(text)
    if here:
        start, end = here[-1][:2]
    else:
        first = _START.match(text)
        start = end = first.end() if first else 0
    return text[:start] + line + text[end:]


def remove(text: str, keys: Sequence[str]) -> str:
    """Remove the lines that add the server `keys[1]`."""
    for start, end, _, _ in reversed(_lines_of(text, keys[1])):
        text = text[:start] + text[end:]
    return text


def _lines_of(text: str, name: str) -> list[tuple[int, int, str, dict[str, Any]]]:
    found = [one for one in _servers(text) if one[2] == name]
    for start, end, _, _ in found:
        if _MORE_THAN_WORDS.search(text, start, end):
            line = text.count("\n", 0, start) + 1
            raise FormatError(f"line {line} is more than a plain command, edit it by hand")
    return found


def _servers(text: str) -> Iterator[tuple[int, int, str, dict[str, Any]]]:
    """The lines that add a server: where each begins and ends, the server's name, what it says."""
    for found in _COMMAND.finditer(text):
        if found.start() and text[found.start() - 1] != "\n":
            continue
        try:
            words = shlex.split(re.sub(r"\\\r?\n", "", found[0]), comments=True)[2:]
        except ValueError as error:
            line = text.count("\n", 0, found.start()) + 1
            raise FormatError(f"{error}: line {line}") from None
        if words:
            yield found.start(), found.end(), words[0], _server(words[1:])


def _server(words: list[str]) -> dict[str, Any]:
    server: dict[str, Any] = {}
    rest = iter(words)
    for word in rest:
        name, _, value = word.partition("=")
        name = name.removeprefix("--")
        value = value if "=" in word else next(rest, "")
        if name == "args":
            server.setdefault("args", []).append(value)
        elif name in {"env", "header"}:
            server.setdefault(name, {})[value] = next(rest, "")
        elif name.endswith("-tools"):
            server.setdefault(name, []).append(value)
        else:
            server[name] = value
    return server


def _line(name: str, server: dict[str, Any]) -> str:
    words = ["mcp", "add", name]
    for key, value in server.items():
        option = f"--{key}"
        if isinstance(value, dict):
            words += [word for pair in value.items() for word in (option, *pair)]
        elif isinstance(value, list):
            words += [word for one in value for word in (option, one)]
        else:
            words += [option, str(value)]
    return shlex.join(words)

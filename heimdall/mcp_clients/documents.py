"""Reading and changing the entry of a server in the text of a configuration, whatever its format.

Pure: text in, text out. No edit is believed: the old and the new text are read and compared, and
one that changed anything besides the entry is refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Protocol

from heimdall.mcp_clients.clients import Client
from heimdall.mcp_clients.errors import FormatError
from heimdall.mcp_clients.formats import jsonc, shell, toml, yaml


class _Format(Protocol):
    def read(self, text: str) -> Any: ...
    def put(self, text: str, keys: Sequence[str], content: object) -> str: ...
    def remove(self, text: str, keys: Sequence[str]) -> str: ...


_FORMATS: Mapping[str, _Format] = {
    "json": jsonc,
    "jsonc": jsonc,
    "toml": toml,
    "yaml": yaml,
    "shell": shell,
}


def find_entry(text: str, client: Client, name: str) -> Any:
    """The entry of the server `name`, or None.

    Raises:
        FormatError: the text is not what the client can read.
    """
    return _servers(_content(text, client), client).get(name)


def put_entry(text: str, client: Client, name: str, fields: Mapping[str, Any]) -> str:
    """Set the fields of a server's entry. What else the entry holds, a user's own settings, stays.

    Args:
        text: the configuration; a blank one is filled.
        client: whose it is.
        name: the server's.
        fields: what to set; a variable of an environment is set beside the others, and the name of
            one beside those that are passed on already.

    Returns:
        The new text; the same one if nothing is to change.

    Raises:
        FormatError: the text is not what the client can read, or the place is taken by something
            else, or the text is written in a form in which the entry can't be changed alone.
    """
    entry, put = find_entry(text, client, name), _FORMATS[client.format].put
    path = [client.key, name]
    if not isinstance(entry, dict):
        changed = put(text, path, {key: value for key, value in fields.items() if value != {}})
        return _only_the_entry_differs(text, changed, client, name)
    changed = text
    for key, value in fields.items():
        present = entry.get(key)
        if isinstance(value, dict) and isinstance(present, dict):
            for inner, one in value.items():
                if present.get(inner) != one:
                    changed = put(changed, [*path, key, inner], one)
            continue
        wanted = value
        if key == client.names_key and isinstance(present, list):
            wanted = [*present, *(one for one in value if one not in present)]
        # What the user has switched off or narrowed stays so.
        own = key in entry and key in client.fields and not isinstance(value, str)
        # No arguments may be an empty list or none at all; what means the same stays as it is.
        if present != wanted and not own and not (wanted in ([], {}) and key not in entry):
            changed = put(changed, [*path, key], wanted)
    return _only_the_entry_differs(text, changed, client, name)


def drop_entry(text: str, client: Client, name: str) -> str:
    """Remove a server's entry.

    Returns:
        The new text; the same one if there is no such entry, and an empty one if nothing else was
        in it.

    Raises:
        FormatError: as `put_entry`.
    """
    if find_entry(text, client, name) is None:
        return text
    changed = _FORMATS[client.format].remove(text, [client.key, name])
    _only_the_entry_differs(text, changed, client, name)
    return "" if "".join(changed.split()) in {"", "{}"} else changed


@lru_cache(maxsize=2)  # the old text and the new one are read again and again
def _content(text: str, client: Client) -> dict[str, Any]:
    content = _FORMATS[client.format].read(text) if text.strip() else None
    if client.format == "json" and content is not None:
        try:
            json.loads(text)
        except ValueError as error:
            raise FormatError(
                f"{error}; {client.title} reads neither comments nor trailing commas"
            ) from None
    if content is not None and not isinstance(content, dict):
        raise FormatError("holds no object at the top")
    return content or {}


def _servers(content: Mapping[str, Any], client: Client) -> dict[str, Any]:
    servers = content.get(client.key)
    if servers is not None and not isinstance(servers, dict):
        raise FormatError(f"{client.key} does not hold the servers by their names")
    return servers or {}


def _only_the_entry_differs(old: str, new: str, client: Client, name: str) -> str:
    """The new text, if nothing else was changed: values, their order, and every character besides.

    Raises:
        FormatError: something else would be lost.
    """

    def others(text: str) -> str:
        content = _content(text, client)
        servers = {key: one for key, one in _servers(content, client).items() if key != name}
        # An object of no servers is as good as none.
        rest = {key: value for key, value in content.items() if key != client.key}
        # Texts tell 1 from True, and the order; NaN is none to itself.
        return f"{list(rest)} {rest!r} {servers!r}"

    try:
        same = others(old) == others(new)
        came_or_went = any(
            name not in _servers(_content(one, client), client) for one in (old, new)
        )
    except FormatError:
        same = came_or_went = False
    # A null in the place of the servers is written over.
    if same and came_or_went and _content(old, client).get(client.key, {}) is not None:
        short, long = sorted(("".join(old.split()), "".join(new.split())), key=len)
        rest = iter(long)
        same = all(character in rest for character in short)
    if not same:
        raise FormatError("it is written in a form in which the entry can't be changed alone")
    return new

"""Reading and changing the entry of a server in the text of a configuration, whatever its format.

Pure: text in, text out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from heimdall.mcp_clients import jsonc
from heimdall.mcp_clients.clients import Client
from heimdall.mcp_clients.errors import FormatError


def find_entry(text: str, client: Client, name: str) -> Any:
    """The entry of the server `name`, or None.

    Raises:
        FormatError: the text is not what the client can read.
    """
    servers = _content(text, client).get(client.key)
    return servers.get(name) if isinstance(servers, dict) else None


def put_entry(text: str, client: Client, name: str, fields: Mapping[str, object]) -> str:
    """Set the fields of a server's entry. What else the entry holds, a user's own settings, stays.

    Args:
        text: the configuration; a blank one is filled.
        client: whose it is.
        name: the server's.
        fields: what to set; a variable of `env` is set beside the others.

    Returns:
        The new text; the same one if nothing is to change.

    Raises:
        FormatError: the text is not what the client can read, or the place is taken by something
            else.
    """
    entry = find_entry(text, client, name)
    if not isinstance(entry, dict):
        return _set(text, client, [name], dict(fields))
    for key, value in fields.items():
        if isinstance(value, dict) and isinstance(entry.get(key), dict):
            for inner, one in value.items():
                text = _set(text, client, [name, key, inner], one)
        # No arguments may be an empty list or none at all; what means the same stays as the user
        # wrote it.
        elif entry.get(key) != value and not (value == [] and key not in entry):
            text = _set(text, client, [name, key], value)
    return text


def drop_entry(text: str, client: Client, name: str) -> str:
    """Remove a server's entry.

    Returns:
        The new text; the same one if there is no such entry, and an empty one if nothing else was
        in it.

    Raises:
        FormatError: the text is not what the client can read.
    """
    if find_entry(text, client, name) is None:
        return text
    if client.format == "toml":

        def remove(document: Any) -> None:
            del document[client.key][name]
            if not document[client.key]:
                del document[client.key]

        return _edit_toml(text, remove)
    text = jsonc.remove_member(text, [client.key, name])
    return "" if "".join(text.split()) == "{}" else text


def _content(text: str, client: Client) -> dict[str, Any]:
    if not text.strip():
        return {}
    if client.format == "toml":
        import tomllib

        try:
            return tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise FormatError(str(error)) from None
    content = jsonc.read(text)
    if client.format == "json":
        try:
            json.loads(text)
        except ValueError as error:
            raise FormatError(
                f"{error}; {client.title} reads neither comments nor trailing commas"
            ) from None
    if not isinstance(content, dict):
        raise FormatError(f"holds a {type(content).__name__} at the top, expected an object")
    return content


def _set(text: str, client: Client, keys: list[str], value: object) -> str:
    if client.format != "toml":
        return jsonc.set_member(text, [client.key, *keys], value)
    import tomlkit

    def assign(document: Any) -> None:
        holder = document
        for key in [client.key, *keys[:-1]]:
            if key not in holder:
                holder[key] = tomlkit.table(is_super_table=holder is document)
            holder = holder[key]
            if not hasattr(holder, "items"):
                raise FormatError(f"{key} is not a table")
        item: Any = tomlkit.item(value)
        if isinstance(value, dict):
            item.add(tomlkit.nl())  # what follows is parted from it
        holder[keys[-1]] = item

    return _edit_toml(text, assign)


def _edit_toml(text: str, edit: Callable[[Any], None]) -> str:
    import tomlkit

    # tomlkit writes newlines alone: a text whose lines all end as on Windows is translated there
    # and back.
    windows = 0 < text.count("\n") == text.count("\r\n")
    document = tomlkit.parse(text.replace("\r\n", "\n") if windows else text)
    edit(document)
    made = tomlkit.dumps(document).rstrip("\n")
    made = f"{made}\n" if made else ""
    return made.replace("\n", "\r\n") if windows else made

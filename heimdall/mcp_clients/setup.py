"""Putting the server into clients' configurations, taking it out, and telling where it is."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from heimdall.cognitive_system.data_dirs import get_heimdall_data_dir
from heimdall.mcp_clients import documents
from heimdall.mcp_clients.clients import CLIENTS, PROJECT, USER, Client
from heimdall.mcp_clients.config_file import ConfigFile
from heimdall.mcp_clients.entry import server_entry
from heimdall.mcp_clients.errors import ClientConfigError, FormatError
from heimdall.mcp_clients.places import SERVER_NAME, Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What was done, or would be, to a configuration file.

    Attributes:
        place: which one.
        action: "added", "updated", "removed" or "unchanged".
        backup: the copy of what was there before; None if nothing was changed or there was nothing.
        text: what the file holds now.
    """

    place: Place
    action: str
    backup: Path | None
    text: str


class State(StrEnum):
    """How a server stands in a configuration."""

    ABSENT = "absent"
    INSTALLED = "installed"
    WRONG = "wrong"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What stands in a configuration.

    Attributes:
        place: which one.
        state: how the server stands there.
        problem: what is wrong and what to do; empty if nothing is.
        command: the program that the client starts; None if there is no entry.
    """

    place: Place
    state: State
    problem: str = ""
    command: str | None = None


def install(
    place: Place, *, command: str | None = None, project: Path | None = None, dry_run: bool = False
) -> Change:
    """Put the server into a configuration, or bring its entry up to date.

    Args:
        place: which one.
        command: the program; default: where it is installed.
        project: the project that the entry fixes; default: none, but for a client that can't tell
            its project.
        dry_run: change nothing.

    Raises:
        ClientConfigError: the file can't be read, understood or changed; it is as it was.
        ServerNotFoundError, CommandError, ScopeError: as their texts say.
    """
    fields = server_entry(place, command=command, project=project)
    return _change(place, fields, dry_run=dry_run)


def remove(place: Place, *, dry_run: bool = False) -> Change:
    """Take the server out of a configuration. A file that holds nothing else is removed.

    Raises:
        ClientConfigError, ScopeError: as `install`.
    """
    return _change(place, None, dry_run=dry_run)


def standing(place: Place) -> Standing:
    """How the server stands in a configuration; a file that can't be read is a finding, not an error.

    Raises:
        ScopeError: the client has no configuration of that scope.
    """
    try:
        with _naming(place.path):
            entry = documents.find_entry(ConfigFile.read(place.path).text, place.client, place.name)
    except ClientConfigError as error:
        return Standing(place=place, state=State.UNREADABLE, problem=error.problem)
    if entry is None:
        return Standing(place=place, state=State.ABSENT)
    command = entry.get("command") if isinstance(entry, dict) else None
    if not isinstance(command, str):
        problem, command = f"its entry names no command; {_remedy(place)}", None
    elif shutil.which(command) is None:
        where = "is not on the PATH" if place.scope == PROJECT else "does not exist"
        remedy = _remedy(place) if place.scope == USER else "install heimdall-mcp"
        problem = f"the program {command} {where}; {remedy}"
    else:
        return Standing(place=place, state=State.INSTALLED, command=command)
    return Standing(place=place, state=State.WRONG, problem=problem, command=command)


def places(root: Path, *, name: str = SERVER_NAME) -> Iterator[Place]:
    """All places where a server can stand: each client's, of each scope."""
    for client in CLIENTS.values():
        for scope in client.scopes:
            yield Place(client=client, scope=scope, root=root, name=name)


def is_here(client: Client) -> bool:
    """Whether the client seems to be installed: its program is on the PATH, or the folder of its settings exists."""
    if any(shutil.which(program) for program in client.programs):
        return True
    # a user's file is the same whatever the project
    path = Place(client=client, scope=USER, root=Path()).path
    # A file directly in the home directory says nothing by its folder, which everybody has.
    return path.exists() or (path.parent != Path.home() and path.parent.is_dir())


def snippet(place: Place, *, command: str | None = None, project: Path | None = None) -> str:
    """What a person would paste into a configuration that is empty.

    Args:
        place: which configuration.
        command: the program; default: where it is installed.
        project: the project that the entry fixes; default: as `install` has it.

    Raises:
        ServerNotFoundError, CommandError: as `install`.
    """
    fields = server_entry(place, command=command, project=project)
    return documents.put_entry("", place.client, place.name, fields)


def _change(place: Place, fields: dict[str, object] | None, *, dry_run: bool) -> Change:
    """Set the fields of the server's entry; None: remove it."""
    client, name = place.client, place.name
    file = ConfigFile.read(place.path)
    with _naming(place.path):
        if fields is None:
            action, text = "removed", documents.drop_entry(file.text, client, name)
        else:
            known = documents.find_entry(file.text, client, name) is not None
            action = "updated" if known else "added"
            text = documents.put_entry(file.text, client, name, fields)
    if text == file.text:
        return Change(place=place, action="unchanged", backup=None, text=text)
    backup = None if dry_run else file.replace(text, get_heimdall_data_dir() / "backups")
    return Change(place=place, action=action, backup=backup, text=text)


def _remedy(place: Place) -> str:
    return f"'heimdall mcp install {place.client.name} --scope {place.scope}' puts it right"


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Give problems of a text the name of its file."""
    try:
        yield
    except FormatError as error:
        raise ClientConfigError(path, f"can't be understood: {error}") from error

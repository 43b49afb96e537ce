"""Putting the server into clients' configurations, taking it out, and telling where it is."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any

from heimdall.mcp_clients import documents
from heimdall.mcp_clients.changing import Change, change_file, naming
from heimdall.mcp_clients.clients import CLIENTS, PROJECT, USER, Client
from heimdall.mcp_clients.config_file import ConfigFile
from heimdall.mcp_clients.entry import PROGRAM, Server, server_entry, server_of
from heimdall.mcp_clients.errors import ClientConfigError, ScopeError
from heimdall.mcp_clients.places import SERVER_NAME, Place, home
from heimdall.mcp_clients.probe import TIMEOUT, environment, probe


class State(StrEnum):
    """How a server stands in a configuration."""

    ABSENT = "absent"
    INSTALLED = "installed"
    WRONG = "wrong"
    UNREADABLE = "unreadable"
    UNTRIED = "untried"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What stands in a configuration.

    Attributes:
        place: which one.
        state: how the server stands there.
        problem: what is wrong and what to do; empty if nothing is.
        command: the program that the client starts; None if there is no entry.
        version: the version of the server that answered; empty if none did.
        tools: the names of its tools.
    """

    place: Place
    state: State
    problem: str = ""
    command: str | None = None
    version: str = ""
    tools: Sequence[str] = ()


def install(
    place: Place,
    *,
    command: str | None = None,
    project: Path | None = None,
    variables: Iterable[str] = (),
    dry_run: bool = False,
) -> Change:
    """Put the server into a configuration, or bring its entry up to date.

    Args:
        place: which one.
        command: the program; default: where it is installed.
        project: the project that the entry fixes; default: none, but for a client that can't tell
            its project.
        variables: as `entry.server_entry` takes them.
        dry_run: change nothing.

    Raises:
        ClientConfigError: the file can't be read, understood or changed; it is as it was.
        ServerNotFoundError, CommandError, ScopeError, VariableError: as their texts say.
    """
    fields = server_entry(place, command=command, project=project, variables=variables)
    return _change(place, fields, dry_run=dry_run)


def remove(place: Place, *, dry_run: bool = False) -> Change:
    """Take the server out of a configuration. A file that holds nothing else is removed.

    Raises:
        ClientConfigError, ScopeError: as `install`.
    """
    return _change(place, None, dry_run=dry_run)


def standing(place: Place, *, seconds: float = TIMEOUT) -> Standing:
    """How the server stands in a configuration: an entry is started as the client would start it.

    A file that can't be read is a finding, not an error. Of a project's file, which may be
    anybody's, only what an install writes is started.

    Args:
        place: which one.
        seconds: how long a server may take for its answers.

    Raises:
        ScopeError: the client has no configuration of that scope.
    """
    client = place.client
    try:
        with naming(place.path):
            entry = documents.find_entry(ConfigFile.read(place.path).text, client, place.name)
    except ClientConfigError as error:
        return Standing(place=place, state=State.UNREADABLE, problem=error.problem)
    if entry is None:
        return Standing(place=place, state=State.ABSENT)
    server = server_of(client, entry)
    if server is None:
        problem = f"its entry names no command; {_remedy(place)}"
        return Standing(place=place, state=State.WRONG, problem=problem)
    ours = Server(command=PROGRAM, env=server.env)
    if place.scope == PROJECT and (
        (server.command, server.args) != (ours.command, ours.args)
        or not server.env.keys() <= {"HEIMDALL_PROJECT"}
    ):
        problem = (
            "it was not started, since a project's file may be anybody's: it says "
            f"{shlex.join([server.command, *server.args])}{' with variables' if server.env else ''}"
        )
        return Standing(place=place, state=State.UNTRIED, problem=problem, command=server.command)
    # Not in the project's folder, where a Python would find the project's modules first.
    answer = probe(server, environment(client, server), home(), seconds=seconds)
    problem = answer.problem
    if problem:
        installs = place.scope == USER or server.command != PROGRAM
        problem += f"; {_remedy(place) if installs else 'install heimdall-mcp on this machine'}"
    return Standing(
        place=place,
        state=State.WRONG if problem else State.INSTALLED,
        problem=problem,
        command=server.command,
        version=answer.version,
        tools=answer.tools,
    )


def places(root: Path, *, name: str = SERVER_NAME) -> Iterator[Place]:
    """All places where a server can stand: each client's, of each scope."""
    for client in CLIENTS.values():
        for scope in client.scopes:
            yield Place(client=client, scope=scope, root=root, name=name)


def is_here(client: Client) -> bool:
    """Whether the client seems to be installed: its program is on the PATH, or the folder of its settings exists."""
    if any(shutil.which(program) for program in client.programs):
        return True
    if USER not in client.scopes:
        return False
    try:  # a user's file is the same whatever the project
        path = Place(client=client, scope=USER, root=Path()).path
    except ScopeError:
        return False
    # A file directly in the home directory says nothing by its folder, which everybody has.
    return path.exists() or (path.parent != home() and path.parent.is_dir())


def snippet(
    place: Place,
    *,
    command: str | None = None,
    project: Path | None = None,
    variables: Iterable[str] = (),
) -> str:
    """What a person would paste into a configuration that is empty.

    Args:
        place: which configuration.
        command: the program; default: where it is installed.
        project: the project that the entry fixes; default: as `install` has it.
        variables: as `install` takes them.

    Raises:
        ServerNotFoundError, CommandError, VariableError: as `install`.
    """
    fields = server_entry(place, command=command, project=project, variables=variables)
    return documents.put_entry("", place.client, place.name, fields)


def _change(place: Place, fields: dict[str, Any] | None, *, dry_run: bool) -> Change:
    """Set the fields of the server's entry; None: remove it."""
    client, name = place.client, place.name
    if fields is None:
        edit, remedy = partial(documents.drop_entry, client=client, name=name), ""
    else:
        edit = partial(documents.put_entry, client=client, name=name, fields=fields)
        remedy = _to_paste(place, fields)

    def has_entry(text: str) -> bool:
        return documents.find_entry(text, client, name) is not None

    return change_file(place.path, edit, has_entry, remedy=remedy, dry_run=dry_run)


def _to_paste(place: Place, fields: dict[str, Any]) -> str:
    return "To enter it by hand:\n" + documents.put_entry("", place.client, place.name, fields)


def _remedy(place: Place) -> str:
    return f"'heimdall mcp install {place.client.name} --scope {place.scope}' puts it right"

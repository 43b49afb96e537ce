"""The entry of our server: what a client has to start, in the client's own words."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from heimdall.errors import HeimdallError
from heimdall.mcp_clients.clients import PROJECT, USER, Client
from heimdall.mcp_clients.places import Place
from heimdall.mcp_clients.program import find_program
from heimdall.mcp_clients.variables import PASSED_ON, unseen

PROGRAM = "heimdall-mcp"

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class ServerNotFoundError(HeimdallError):
    """The server's program is neither beside this Python nor on the PATH."""


class CommandError(HeimdallError, ValueError):
    """A command line can't be split into a program and its arguments; the text says why."""


class VariableError(HeimdallError, ValueError):
    """A variable can't be passed on to a server; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """What a client starts.

    Attributes:
        command: the program.
        args: its arguments.
        env: the variables that it gets besides those of the client.
        names: variables that the client passes on from its own.
    """

    command: str
    args: list[str] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)


def server_entry(
    place: Place,
    *,
    command: str | None = None,
    project: Path | None = None,
    variables: Iterable[str] = (),
) -> dict[str, Any]:
    """The members of our server's entry, as a client writes them.

    Args:
        place: the configuration that it is for. In a user's stands the program's full path, since
            programs started from a desktop have another PATH than a shell; in a project's its bare
            name, since the file is shared with people who have it elsewhere.
        command: what to start instead: a program, and its arguments as a shell would take them.
        project: the project to fix with `HEIMDALL_PROJECT`; default: none, but for a client that
            can't tell its project.
        variables: `NAME=VALUE` to set one, `NAME` to have the client pass on its own, or where it
            can't, to write down the value that it has now. In a user's configuration stands what
            `unseen` tells of, too.

    Raises:
        ServerNotFoundError: there is no such program.
        CommandError: `command` is no command line.
        VariableError: a variable has no such name, or no value.
    """
    client = place.client
    program, *args = (
        [PROGRAM if place.scope == PROJECT else _program()] if command is None else _split(command)
    )
    # Such a client would always get the memory of its own working directory, whatever it is used
    # for.
    if project is None and not client.tells_project:
        project = place.root
    # What passes names on is started from a terminal.
    shells = place.scope == USER and not client.names_key
    env = unseen(os.environ)[0] if shells else {}
    if project:
        env["HEIMDALL_PROJECT"] = str(project)
    names = list(PASSED_ON) if client.names_key else []
    withheld = () if place.scope == PROJECT else client.withheld
    for variable in [*(name for name in withheld if name in os.environ), *variables]:
        name, given, value = variable.partition("=")
        if not _NAME.fullmatch(name):
            raise VariableError(f"--env {variable!r}: expected NAME or NAME=VALUE")
        if given:
            env[name] = value
        elif client.names_key:
            names.append(name)
        else:
            env[name] = _passed_on(name, place)
    fields = {
        key: value.replace("{name}", place.name) if isinstance(value, str) else value
        for key, value in client.fields.items()
    }
    started: dict[str, Any] = (
        {client.command_key: program, client.args_key: args}
        if client.args_key
        else {client.command_key: [program, *args]}
    )
    passed = {client.names_key: list(dict.fromkeys(names))} if client.names_key else {}
    return {**fields, **started, **passed, **({client.env_key: env} if env else {})}


def server_of(client: Client, entry: object) -> Server | None:
    """What an entry starts; None if it names no program."""
    if not isinstance(entry, Mapping):
        return None
    command: Any = entry.get(client.command_key)
    args: Any = []
    if client.args_key:
        args = entry.get(client.args_key) or []
    elif isinstance(command, list):
        command, args = (command[0] if command else None), command[1:]
    env, names = entry.get(client.env_key) or {}, entry.get(client.names_key or "", [])
    if not (isinstance(command, str) and isinstance(args, list) and isinstance(env, Mapping)):
        return None
    return Server(
        command=command,
        args=[str(one) for one in args],
        env={str(name): str(value) for name, value in env.items()},
        names=[one for one in names if isinstance(one, str)],
    )


def _passed_on(name: str, place: Place) -> str:
    """What an entry says of a variable of the user's."""
    if place.client.reference:
        return place.client.reference.replace("NAME", name)
    if place.scope == PROJECT:
        raise VariableError(
            f"--env {name}: {place.client.title} passes on no variable by its name, and the value "
            f"of yours would be shared with the project: say --env {name}=VALUE, or --scope user"
        )
    if name not in os.environ:
        raise VariableError(f"--env {name}: it is not set here; say --env {name}=VALUE")
    return os.environ[name]


def _split(command: str, *, windows: bool = sys.platform == "win32") -> list[str]:
    try:
        # POSIX rules would take the backslashes out of a path of Windows; those of others leave the quotes.
        parts, problem = shlex.split(command, posix=not windows), "it is blank"
        if windows:
            parts = [part.strip("\"'") for part in parts]
    except ValueError as error:
        parts, problem = [], str(error)
    if not parts:
        raise CommandError(f"--command {command!r} can't be understood: {problem}")
    return parts


def _program() -> str:
    program = find_program(PROGRAM)
    if program is None:
        raise ServerNotFoundError(
            f"there is no {PROGRAM} beside {sys.executable} nor on the PATH: install heimdall-mcp there, "
            "or name the program with --command"
        )
    return program

"""The entry of our server: what a client has to start."""

from __future__ import annotations

import shlex
import shutil
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from heimdall.errors import HeimdallError
from heimdall.mcp_clients.clients import PROJECT, Client

SERVER_NAME = "heimdall"
PROGRAM = "heimdall-mcp"


class ServerNotFoundError(HeimdallError):
    """The server's program is neither beside this Python nor on the PATH."""

    def __str__(self) -> str:
        return (
            f"there is no {PROGRAM} beside {sys.executable} nor on the PATH: install heimdall-mcp there, "
            "or name the program with --command"
        )


class CommandError(HeimdallError, ValueError):
    """A command line can't be split into a program and its arguments.

    Attributes:
        command: the command line.
        problem: why not.
    """

    def __init__(self, command: str, problem: str) -> None:
        super().__init__(command, problem)
        self.command = command
        self.problem = problem

    def __str__(self) -> str:
        return f"--command {self.command!r} can't be understood: {self.problem}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerEntry:
    """What a client has to start.

    Attributes:
        command: the program.
        args: its arguments.
        env: variables to set besides those of the client.
    """

    command: str
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)

    def fields(self, client: Client) -> dict[str, object]:
        """The members of the entry as `client` writes them."""
        members: dict[str, object] = {
            **client.fields,
            "command": self.command,
            "args": list(self.args),
        }
        if self.env:
            members["env"] = dict(self.env)
        return members


def server_entry(
    scope: str, *, command: str | None = None, project: Path | None = None
) -> ServerEntry:
    """The entry for a configuration.

    Args:
        scope: "user": the program's full path, since programs started from a desktop have another PATH than a shell;
            "project": its bare name, since the file is shared with people who have it elsewhere.
        command: what to start instead: a program, and its arguments as a shell would take them.
        project: the project to fix with `HEIMDALL_PROJECT`.

    Raises:
        ServerNotFoundError: there is no such program.
        CommandError: `command` is no command line.
    """
    program, *args = _split(command) if command else [PROGRAM if scope == PROJECT else _program()]
    env = {"HEIMDALL_PROJECT": str(project)} if project else {}
    return ServerEntry(command=program, args=tuple(args), env=env)


def _split(command: str) -> list[str]:
    try:
        parts = shlex.split(command, posix=sys.platform != "win32")
    except ValueError as error:
        raise CommandError(command, str(error)) from None
    if not parts:
        raise CommandError(command, "it is blank")
    return parts


def _program() -> str:
    scripts = Path(sysconfig.get_path("scripts"))
    found = shutil.which(PROGRAM, path=str(scripts)) or shutil.which(PROGRAM)
    if found is None:
        raise ServerNotFoundError
    return str(Path(found).absolute())

"""The entry of our server: what a client has to start."""

from __future__ import annotations

import shlex
import shutil
import sys
import sysconfig
from pathlib import Path

from heimdall.errors import HeimdallError
from heimdall.mcp_clients.clients import PROJECT
from heimdall.mcp_clients.places import Place

PROGRAM = "heimdall-mcp"


class ServerNotFoundError(HeimdallError):
    """The server's program is neither beside this Python nor on the PATH."""


class CommandError(HeimdallError, ValueError):
    """A command line can't be split into a program and its arguments; the text says why."""


def server_entry(
    place: Place, *, command: str | None = None, project: Path | None = None
) -> dict[str, object]:
    """The members of our server's entry, as a client writes them.

    Args:
        place: the configuration that it is for. In a user's stands the program's full path, since
            programs started from a desktop have another PATH than a shell; in a project's its bare
            name, since the file is shared with people who have it elsewhere.
        command: what to start instead: a program, and its arguments as a shell would take them.
        project: the project to fix with `HEIMDALL_PROJECT`; default: none, but for a client that
            can't tell its project.

    Raises:
        ServerNotFoundError: there is no such program.
        CommandError: `command` is no command line.
    """
    program, *args = (
        _split(command) if command else [PROGRAM if place.scope == PROJECT else _program()]
    )
    # Such a client would always get the memory of its own working directory, whatever it is used
    # for.
    if project is None and not place.client.tells_project:
        project = place.root
    env = {"env": {"HEIMDALL_PROJECT": str(project)}} if project else {}
    return {**place.client.fields, "command": program, "args": args, **env}


def _split(command: str) -> list[str]:
    try:
        # POSIX rules would take the backslashes out of a path of Windows.
        parts, problem = shlex.split(command, posix=sys.platform != "win32"), "it is blank"
    except ValueError as error:
        parts, problem = [], str(error)
    if not parts:
        raise CommandError(f"--command {command!r} can't be understood: {problem}")
    return parts


def _program() -> str:
    # Beside this Python first: another version of heimdall may come first on the PATH.
    program = shutil.which(PROGRAM, path=sysconfig.get_path("scripts")) or shutil.which(PROGRAM)
    if program is None:
        raise ServerNotFoundError(
            f"there is no {PROGRAM} beside {sys.executable} nor on the PATH: install heimdall-mcp there, "
            "or name the program with --command"
        )
    return str(Path(program).absolute())

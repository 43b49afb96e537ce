"""How a hook names our program: a command line that stays the same from version to version, in any host's shell."""

from __future__ import annotations

import os
import shlex

from heimdall.hooks.hosts import Event
from heimdall.mcp_clients.program import find_program

NAME = "heimdall"


def program() -> str:
    """Where our program is; its bare name where it is nowhere to be found."""
    return find_program(NAME) or NAME


def arguments(event: Event, client: str = "") -> list[str]:
    """What our program is called with."""
    return ["hook", str(event), *(["--client", client] if client else [])]


def command_line(program: str, event: Event, client: str = "") -> str:
    """A line for a host's shell: sh, and on Windows Git Bash, PowerShell or cmd, which agree on little.

    Args:
        program: its path or its name.
        event: the moment.
        client: whose file the line is for; empty: it is told by its payload.
    """
    if os.name == "nt":
        # A path without blanks and backslashes is the same in all three; else the PATH has to do.
        program = program.replace("\\", "/")
        first = NAME if " " in program else program
    else:
        first = shlex.quote(program)
    return " ".join([first, *arguments(event, client)])


def is_ours(command: object, args: object = None) -> bool:
    """Whether a host would call our program, wherever it is."""
    if not isinstance(command, str):
        return False
    if isinstance(args, list):
        words = [command, *map(str, args)]
    else:
        try:
            words = shlex.split(command)
        except ValueError:
            return False
    stem = words[0].replace("\\", "/").rpartition("/")[2].removesuffix(".exe") if words else ""
    return stem == NAME and words[1:2] == ["hook"]

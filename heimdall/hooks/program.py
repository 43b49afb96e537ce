"""How a hook names our program: a command line that stays the same from version to version, in any host's shell."""

from __future__ import annotations

import os
import re
import shlex
import shutil

from heimdall.hooks.hosts import Event
from heimdall.mcp_clients.program import find_program

NAME = "heimdall"
_PLAIN = re.compile(r"[A-Za-z]:/[\w./~-]+")
"""A path that cmd.exe, PowerShell and Git Bash take as it is: no blank, and nothing that one of them would act upon."""


def program() -> str:
    """Where our program is; its bare name where it is nowhere to be found."""
    found = find_program(NAME)
    if found and os.name == "nt" and not shutil.which(NAME):
        from heimdall.models import windows

        found = windows.short_path(found)  # which has no blank, where the drive keeps such names
    return found or NAME


def arguments(event: Event, client: str = "") -> list[str]:
    """What our program is called with."""
    return ["hook", str(event), *(["--client", client] if client else [])]


def command_line(
    program: str, event: Event, client: str = "", *, windows: bool = os.name == "nt"
) -> str:
    """A line for a host's shell: sh, and on Windows Git Bash, PowerShell or cmd.exe, which agree on little.

    Args:
        program: its path or its name.
        event: the moment.
        client: whose file the line is for; empty: it is told by its payload.
        windows: whether it is for the shells of Windows.
    """
    if windows:
        # Each of the three quotes in its own way: a path that needs no quotes is the same in all; else the PATH has to do.
        forward = program.replace("\\", "/")
        first = forward if _PLAIN.fullmatch(forward) else NAME
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
            # A backslash of Windows' paths is none of sh's; our own lines have none.
            words = shlex.split(command.replace("\\", "/"))
        except ValueError:
            return False
    name = words[0].replace("\\", "/").rpartition("/")[2] if words else ""
    # Windows' own search writes the ending in upper case.
    return name in {NAME, *(f"{NAME}{ending}" for ending in (".exe", ".EXE"))} and words[1:2] == [
        "hook"
    ]

"""The files that hold our hooks and nothing else: a module, a table, or a script for each event."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import resources

from heimdall.hooks.hook_files import seconds
from heimdall.hooks.hosts import HOSTS, Event
from heimdall.hooks.program import command_line
from heimdall.mcp_clients.errors import FormatError

_MADE_BY = "heimdall: memory that comes by itself. Made by 'heimdall mcp install'; 'heimdall mcp remove' takes it away."
_OURS = re.compile(r'^(//|#) heimdall: |"name": "heimdall: ', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class OwnFile:
    """A file that is ours alone.

    Attributes:
        user_file: the user's, as in the table of clients.
        project_file: a project's, relative to its root; empty if the host loads none.
        text: what it holds, made of where our program is.
        executable: whether the host runs the file itself.
    """

    user_file: str
    project_file: str
    text: Callable[[str], str]
    executable: bool = False


def put(text: str, file: OwnFile, program: str) -> str:
    """The file's new text.

    Raises:
        FormatError: somebody else's stands there.
    """
    if text.strip() and not _OURS.search(text):
        raise FormatError("it is somebody else's")
    return file.text(program)


def drop(text: str) -> str:
    """Nothing in the place of what is ours; somebody else's stays."""
    return "" if _OURS.search(text) else text


def _module(name: str, client: str, program: str) -> str:
    """A module of JavaScript: what all have, then what is the host's own."""
    folder = resources.files(__package__)
    text, own = (folder.joinpath(one).read_text("utf-8") for one in ("module.js", name))
    text = text.replace('const PROGRAM = "heimdall"', f"const PROGRAM = {json.dumps(program)}", 1)
    text = text.replace('const CLIENT = ""', f"const CLIENT = {json.dumps(client)}", 1)
    return f"// {_MADE_BY}\n{text}\n{own}"


def _kiro(program: str) -> str:
    names = HOSTS["claude-code"].events
    hooks = [
        {
            "name": f"heimdall: {event}",
            "trigger": names[event],
            "action": {"type": "command", "command": command_line(program, event, "kiro")},
            "timeout": seconds(event),
            "enabled": True,
        }
        for event in HOSTS["kiro"].events
    ]
    return json.dumps({"version": "v1", "hooks": hooks}, indent=2) + "\n"


def _script(event: Event, program: str) -> str:
    # Whatever fails, the task goes on.
    line = f"{command_line(program, event, 'cline-vscode')} || true"
    return f"#!/bin/sh\n# {_MADE_BY}\n{line}\n"


def _cline() -> tuple[OwnFile, ...]:
    if os.name == "nt":  # it runs no scripts of a shell there
        return ()
    return tuple(
        OwnFile(
            f"~/Documents/Cline/Hooks/{name}",
            f".clinerules/hooks/{name}",
            partial(_script, event),
            executable=True,
        )
        for event, name in HOSTS["cline-vscode"].events.items()
    )


OWN_FILES: Mapping[str, tuple[OwnFile, ...]] = {
    "opencode": (
        OwnFile(
            "$XDG_CONFIG_HOME/opencode/plugin/heimdall.js",
            "",
            partial(_module, "opencode.js", "opencode"),
        ),
    ),
    "kilo": (
        OwnFile(
            "$XDG_CONFIG_HOME/kilo/plugin/heimdall.js", "", partial(_module, "opencode.js", "kilo")
        ),
    ),
    "amp": (
        OwnFile(
            "~/.config/amp/plugins/heimdall.ts",
            ".amp/plugins/heimdall.ts",
            partial(_module, "amp.js", "amp"),
        ),
    ),
    "kiro": (OwnFile("~/.kiro/hooks/heimdall.json", ".kiro/hooks/heimdall.json", _kiro),),
    "cline-vscode": _cline(),
}
"""The files of each host that takes such."""

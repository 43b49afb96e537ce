"""Putting our hooks into a host's configuration, and taking them out."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from heimdall.hooks import plugin_module
from heimdall.hooks.hook_files import HOOK_FILES, drop_hooks, put_hooks
from heimdall.hooks.program import NAME, program
from heimdall.mcp_clients.errors import FormatError
from heimdall.mcp_clients.setup import change_file

_DEFAULTS = {
    "CLAUDE_CONFIG_DIR": "~/.claude",
    "CODEX_HOME": "~/.codex",
    "XDG_CONFIG_HOME": "~/.config",
}
_MODULES = {
    "opencode": "$XDG_CONFIG_HOME/opencode/plugin/heimdall.js",
    "kilo": "$XDG_CONFIG_HOME/kilo/plugin/heimdall.js",
}
"""The hosts that load a module, and where from."""

HOSTS_WITH_HOOKS = (*HOOK_FILES, *_MODULES)
"""The clients that we put hooks into."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HookChange:
    """What was done, or would be, to a file of hooks.

    Attributes:
        client: whose.
        path: the file.
        action: "added", "updated", "removed" or "unchanged".
        backup: the copy of what was there before; None if nothing was changed or there was nothing.
        text: what the file holds now; empty if it is removed.
        asks: what the user has to do before a hook runs.
    """

    client: str
    path: Path
    action: str
    backup: Path | None
    text: str
    asks: str


def has_hooks(client: str, scope: str) -> bool:
    """Whether a client has hooks of a scope that we put ours into."""
    return client in HOOK_FILES or (client in _MODULES and scope == "user")


def install(client: str, *, scope: str, root: Path, dry_run: bool = False) -> HookChange:
    """Put our hooks into a client's file, or bring them up to date.

    Args:
        client: one that `has_hooks`.
        scope: "user" or "project".
        root: the project.
        dry_run: change nothing.

    Raises:
        ClientConfigError: the file can't be read, understood or changed; it is as it was.
    """
    # A project's file is shared with people who have the program elsewhere.
    where = program() if scope == "user" else NAME
    if file := HOOK_FILES.get(client):
        edit: Callable[[str], str] = partial(put_hooks, file=file, program=where)
    else:
        edit = partial(_put_module, client=client, program=where)
    return _change(client, scope, root, edit, dry_run=dry_run)


def remove(client: str, *, scope: str, root: Path, dry_run: bool = False) -> HookChange:
    """Take our hooks out of a client's file. One that holds nothing else is removed.

    Raises:
        ClientConfigError: as `install`.
    """
    if file := HOOK_FILES.get(client):
        edit: Callable[[str], str] = partial(drop_hooks, file=file)
    else:
        edit = _drop_module
    return _change(client, scope, root, edit, dry_run=dry_run)


def path_of(client: str, scope: str, root: Path) -> Path:
    """The file of a client's hooks, whether it exists or not."""
    file = HOOK_FILES.get(client)
    if file and scope == "project":
        return root / file.project_file
    pattern = file.user_file if file else _MODULES[client]

    def value(variable: re.Match[str]) -> str:
        return os.environ.get(variable[1]) or _DEFAULTS[variable[1]]

    return Path(re.sub(r"\$([A-Z_]+)", value, pattern)).expanduser()


def _change(
    client: str, scope: str, root: Path, edit: Callable[[str], str], *, dry_run: bool
) -> HookChange:
    path = path_of(client, scope, root)
    made = change_file(path, edit, dry_run=dry_run)
    if made.text == made.old:
        action = "unchanged"
    elif edit is _drop_module or getattr(edit, "func", None) is drop_hooks:
        action = "removed"
    else:
        action = "updated" if made.old else "added"
    asks = HOOK_FILES[client].asks if client in HOOK_FILES else f"restart {client}"
    return HookChange(
        client=client, path=path, action=action, backup=made.backup, text=made.text, asks=asks
    )


def _put_module(text: str, *, client: str, program: str) -> str:
    if text.strip() and not plugin_module.is_ours(text):
        raise FormatError("it is a module of somebody else's")
    return plugin_module.plugin_module(client, program)


def _drop_module(text: str) -> str:
    return "" if plugin_module.is_ours(text) else text

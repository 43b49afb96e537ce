"""Where a client's configuration file is on this machine."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath

from heimdall.mcp_clients.clients import USER, Client
from heimdall.mcp_clients.errors import ScopeError

SERVER_NAME = "heimdall"
DEFAULTS = {
    "APPDATA": "~/AppData/Roaming",
    "CLAUDE_CONFIG_DIR": "~",
    "CODEX_HOME": "~/.codex",
    "GROK_HOME": "~/.grok",
    "KIMI_CODE_HOME": "~/.kimi-code",
    "XDG_CONFIG_HOME": "~/.config",
}
"""What the variables in the table of clients mean where they are not set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A client's configuration of one scope, and the name of the server in it.

    Attributes:
        client: a row of the table.
        scope: "user" or "project".
        root: the project's root folder.
        name: the server's name.
    """

    client: Client
    scope: str
    root: Path
    name: str = SERVER_NAME

    @property
    def path(self) -> Path:
        """The configuration file, whether it exists or not.

        Raises:
            ScopeError: the client has none of that scope, or the user no home.
        """
        client = self.client
        if self.scope == USER:
            names = user_files(client, sys.platform, home(), os.environ)
            paths = [Path(name) for name in names]
        else:
            paths = [self.root / name for name in _several(client.project_file)]
        if not paths:
            other = " or ".join(f"--scope {scope}" for scope in client.scopes)
            remedy = f"use {other}" if other else "it does not run on this platform"
            raise ScopeError(
                f"{client.name} has no configuration of scope {self.scope!r}: {remedy}"
            )
        return next((path for path in paths if path.exists()), paths[0])


def home() -> Path:
    """The user's home directory.

    Raises:
        ScopeError: there is none.
    """
    path = Path(os.path.expanduser("~"))  # noqa: PTH111 (without a home it stays as it is)
    if not path.is_absolute():
        raise ScopeError("there is no home directory, where assistants are configured: set HOME")
    return path


def user_files(
    client: Client, platform: str, home: PurePath | str, variables: Mapping[str, str]
) -> list[PurePath]:
    """The user's files of a client, as `platform` writes paths: the first that exists counts, else the first.

    Args:
        client: a row of the table.
        platform: what `sys.platform` is there.
        home: the home directory.
        variables: the environment; an empty variable counts as unset, as does a relative
            `XDG_CONFIG_HOME`, which its specification says to ignore.
    """
    form = PureWindowsPath if platform == "win32" else PurePosixPath
    here = client.user_file.get(platform, client.user_file.get("other"))
    return [filled(pattern, form(home), variables) for pattern in _several(here)]


def filled(
    pattern: str,
    home: PurePath,
    variables: Mapping[str, str],
    defaults: Mapping[str, str] = DEFAULTS,
) -> PurePath:
    """A path of the table with its variables' values, of the kind that `home` is.

    Args:
        pattern: as the table has it.
        home, variables: as `user_files` takes them.
        defaults: what the variables mean where they are not set.
    """
    form = type(home)

    def value(variable: re.Match[str]) -> str:
        name = variable[1]
        given = variables.get(name, "")
        if name == "XDG_CONFIG_HOME" and not form(given).is_absolute():
            given = ""
        return given or defaults[name]

    path = re.sub(r"\$([A-Z_]+)", value, pattern)
    return home / path[2:] if path == "~" or path.startswith("~/") else form(path)


def _several(names: str | Sequence[str] | None) -> list[str]:
    return [names] if isinstance(names, str) else list(names or ())

"""The clients of `clients.toml`: where each keeps its servers, and in what form."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib import resources
from typing import Any

from heimdall.errors import HeimdallError

USER = "user"
PROJECT = "project"
SCOPES = (USER, PROJECT)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Client:
    """An AI coding assistant that starts MCP servers.

    Attributes:
        name: what it is called on our command line.
        title: what its makers call it.
        source: the page or package that the row was taken from.
        user_file: its user's configuration file on each platform ("linux", "darwin", "win32";
            "other": on all others; none: it does not run there), or several: the first that exists,
            else the first. A leading `~` is the home directory; `$NAME` a variable, with its
            default in `places.DEFAULTS`.
        project_file: the same of one project, relative to its root; None if it has none.
        format: "json" (strict), "jsonc" (comments, trailing commas), "toml", "yaml" or "shell".
        key: the table of servers in it; most clients took over the first one's name.
        command_key, args_key, env_key: what it calls the parts of an entry. With an empty `args_key`
            the command is a list that holds the arguments.
        names_key: the list of variables that it passes on; it passes no others. None if it passes
            all.
        reference: how a value names a variable, `NAME` standing for the name; None if it can't.
        withheld: variables that it keeps from servers unless an entry names them.
        fields: what an entry holds besides; `{name}` is the server's name.
        tells_project: whether it starts a server in the project's folder or tells it its roots. One
            that does neither has to give `HEIMDALL_PROJECT`.
        programs: commands that show that it is installed.
        after: what makes it see a change.
        asks: what it asks of its user before a server of a project's file may start; empty if
            nothing.
        hooks: its file of hooks, as `heimdall.hooks.hook_files.HookFile` takes it; empty if it has
            none that others' hooks stand in.
    """

    name: str
    title: str
    source: str
    user_file: Mapping[str, str | Sequence[str]]
    project_file: str | Sequence[str] | None = None
    format: str
    key: str = "mcpServers"
    command_key: str = "command"
    args_key: str = "args"
    env_key: str = "env"
    names_key: str | None = None
    reference: str | None = None
    withheld: Sequence[str] = ()
    fields: Mapping[str, Any] = field(default_factory=dict)
    tells_project: bool = True
    programs: Sequence[str] = ()
    after: str
    asks: str = ""
    hooks: Mapping[str, Any] = field(default_factory=dict)

    @property
    def scopes(self) -> tuple[str, ...]:
        """The scopes that it has on this platform."""
        has_user = sys.platform in self.user_file or "other" in self.user_file
        return tuple(
            scope for scope in SCOPES if (has_user if scope == USER else bool(self.project_file))
        )


class UnknownClientError(HeimdallError):
    """There is no client of that name in the table."""


def _read() -> dict[str, Client]:
    table = resources.files(__package__).joinpath("clients.toml").read_text("utf-8")
    return {name: Client(name=name, **row) for name, row in tomllib.loads(table).items()}


CLIENTS = _read()
"""The clients by name, in the order of the table."""


def client_named(name: str) -> Client:
    """The client of that name.

    Raises:
        UnknownClientError: there is none; the message names those that may be meant.
    """
    if name in CLIENTS:
        return CLIENTS[name]
    near = " or ".join(_nearest(name))
    meant = (
        f"; did you mean {near}?" if near else ": 'heimdall mcp list' shows those that are known"
    )
    raise UnknownClientError(f"no client is called {name!r}{meant}")


def _nearest(name: str) -> list[str]:
    """Up to three names that may be meant: by what else a client is called, by a part, by likeness."""

    def plain(word: str) -> str:
        return "".join(filter(str.isalnum, word.lower()))

    asked = plain(name)
    if same := [own for own in CLIENTS if plain(own) == asked]:
        return same
    called = {
        plain(word): client.name
        for client in CLIENTS.values()
        for word in (*client.programs, client.title, client.name)
    }
    first = [called[asked]] if asked in called else []
    parts = [own for word, own in called.items() if len(asked) > 2 and asked in word]
    parts += [own for word, own in called.items() if len(word) > 4 and word in asked]
    like = [called[word] for word in get_close_matches(asked, called, n=1)]
    return list(dict.fromkeys([*first, *parts] or like))[:3]

"""The clients of `clients.toml`: where each keeps its servers, and in what form."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib import resources

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
        user_file: its user's configuration file on each platform ("linux", "darwin", "win32";
            "other": on all others). A leading `~` is the home directory; `$NAME` a variable, with
            its default in `places.DEFAULTS`.
        project_file: the same of one project, relative to its root; None if it has none.
        format: "json" (strict), "jsonc" (comments, trailing commas) or "toml".
        key: the table of servers in it; most clients took over the first one's name.
        fields: what an entry holds besides command, args and env.
        tells_project: whether it starts a server in the project's folder or tells it its roots. One
            that does neither has to give `HEIMDALL_PROJECT`.
        programs: commands that show that it is installed.
        after: what makes it see a change.
    """

    name: str
    title: str
    user_file: Mapping[str, str]
    project_file: str | None = None
    format: str
    key: str = "mcpServers"
    fields: Mapping[str, str] = field(default_factory=dict)
    tells_project: bool = True
    programs: Sequence[str] = ()
    after: str

    @property
    def scopes(self) -> tuple[str, ...]:
        """The scopes that it has."""
        return SCOPES if self.project_file else (USER,)


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
        UnknownClientError: there is none; the message names the nearest.
    """
    if name in CLIENTS:
        return CLIENTS[name]
    near = get_close_matches(name, CLIENTS, n=1)
    meant = f"; did you mean {near[0]}?" if near else ""
    raise UnknownClientError(f"no client is called {name!r}; known are {', '.join(CLIENTS)}{meant}")

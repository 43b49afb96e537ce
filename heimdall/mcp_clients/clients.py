"""The table of clients: where each keeps its servers, and in what form. One more client is one more row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

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
        user_file: its user's configuration file on each platform ("linux", "darwin", "win32"; "*": on all others). A
            leading `~` is the home directory; `$NAME` a variable, with its default in `places.DEFAULTS`.
        project_file: the same of one project, relative to its root; None if it has none.
        format: "json" (strict), "jsonc" (comments, trailing commas) or "toml".
        key: the table of servers in it; most clients took over the first one's name.
        fields: what an entry holds besides command, args and env.
        tells_project: whether it starts a server in the project's folder or tells it its roots. One that does neither
            has to give `HEIMDALL_PROJECT`.
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
    programs: tuple[str, ...] = ()
    after: str

    @property
    def scopes(self) -> tuple[str, ...]:
        """The scopes that it has."""
        return SCOPES if self.project_file else (USER,)


class UnknownClientError(HeimdallError):
    """There is no client of that name in the table.

    Attributes:
        name: what was asked for.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        from difflib import get_close_matches

        near = get_close_matches(self.name, CLIENTS, n=1)
        meant = f"; did you mean {near[0]}?" if near else ""
        return f"no client is called {self.name!r}; known are {', '.join(CLIENTS)}{meant}"


_STDIO = {"type": "stdio"}

# Above each row, the documentation that it was taken from.
CLIENTS = {
    client.name: client
    for client in (
        # https://code.claude.com/docs/en/mcp
        Client(
            name="claude-code",
            title="Claude Code",
            user_file={"*": "$CLAUDE_CONFIG_DIR/.claude.json"},
            project_file=".mcp.json",
            format="json",
            fields=_STDIO,
            programs=("claude",),
            after="start a new session",
        ),
        # https://modelcontextprotocol.io/docs/develop/connect-local-servers
        Client(
            name="claude-desktop",
            title="Claude Desktop",
            user_file={
                "*": "$XDG_CONFIG_HOME/Claude/claude_desktop_config.json",
                "darwin": "~/Library/Application Support/Claude/claude_desktop_config.json",
                "win32": "$APPDATA/Claude/claude_desktop_config.json",
            },
            format="json",
            tells_project=False,
            after="quit it and start it again",
        ),
        # https://cursor.com/docs/context/mcp
        Client(
            name="cursor",
            title="Cursor",
            user_file={"*": "~/.cursor/mcp.json"},
            project_file=".cursor/mcp.json",
            format="jsonc",
            fields=_STDIO,
            programs=("cursor",),
            after="switch the server on under Settings, Tools & MCP",
        ),
        # https://code.visualstudio.com/docs/copilot/reference/mcp-configuration
        Client(
            name="vscode",
            title="Visual Studio Code",
            user_file={
                "*": "$XDG_CONFIG_HOME/Code/User/mcp.json",
                "darwin": "~/Library/Application Support/Code/User/mcp.json",
                "win32": "$APPDATA/Code/User/mcp.json",
            },
            project_file=".vscode/mcp.json",
            format="jsonc",
            key="servers",
            fields=_STDIO,
            programs=("code",),
            after="start the server from the list of 'MCP: List Servers'",
        ),
        # https://developers.openai.com/codex/mcp
        Client(
            name="codex",
            title="Codex CLI",
            user_file={"*": "$CODEX_HOME/config.toml"},
            project_file=".codex/config.toml",
            format="toml",
            key="mcp_servers",
            programs=("codex",),
            after="start a new session; a project's own file counts once the project is trusted",
        ),
        # https://geminicli.com/docs/tools/mcp-server
        Client(
            name="gemini",
            title="Gemini CLI",
            user_file={"*": "~/.gemini/settings.json"},
            project_file=".gemini/settings.json",
            format="jsonc",
            programs=("gemini",),
            after="start a new session",
        ),
        # https://docs.windsurf.com/windsurf/cascade/mcp
        Client(
            name="windsurf",
            title="Windsurf",
            user_file={"*": "~/.codeium/windsurf/mcp_config.json"},
            format="json",
            programs=("windsurf",),
            after="press refresh in the list of MCP servers",
        ),
        # https://zed.dev/docs/ai/mcp
        Client(
            name="zed",
            title="Zed",
            user_file={
                "*": "$XDG_CONFIG_HOME/zed/settings.json",
                "darwin": "~/.config/zed/settings.json",
                "win32": "$APPDATA/Zed/settings.json",
            },
            project_file=".zed/settings.json",
            format="jsonc",
            key="context_servers",
            fields={"source": "custom"},
            programs=("zed", "zeditor"),
            after="nothing is left to do: it reads the file at once",
        ),
    )
}


def client_named(name: str) -> Client:
    """The client of that name.

    Raises:
        UnknownClientError: there is none; the message names the nearest.
    """
    try:
        return CLIENTS[name]
    except KeyError:
        raise UnknownClientError(name) from None

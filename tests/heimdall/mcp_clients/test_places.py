from __future__ import annotations

from pathlib import Path

import pytest

from heimdall.mcp_clients.clients import CLIENTS, UnknownClientError, client_named
from heimdall.mcp_clients.errors import ScopeError
from heimdall.mcp_clients.places import DEFAULTS, Place, user_file

LINUX, MAC, WINDOWS = ("linux", "/home/ann"), ("darwin", "/Users/ann"), ("win32", r"C:\Users\ann")


@pytest.mark.parametrize(
    ("name", "linux", "mac", "windows"),
    [
        ("claude-code", ".claude.json", ".claude.json", ".claude.json"),
        (
            "claude-desktop",
            ".config/Claude/claude_desktop_config.json",
            "Library/Application Support/Claude/claude_desktop_config.json",
            r"AppData\Roaming\Claude\claude_desktop_config.json",
        ),
        ("cursor", ".cursor/mcp.json", ".cursor/mcp.json", r".cursor\mcp.json"),
        (
            "vscode",
            ".config/Code/User/mcp.json",
            "Library/Application Support/Code/User/mcp.json",
            r"AppData\Roaming\Code\User\mcp.json",
        ),
        ("codex", ".codex/config.toml", ".codex/config.toml", r".codex\config.toml"),
        ("gemini", ".gemini/settings.json", ".gemini/settings.json", r".gemini\settings.json"),
        (
            "windsurf",
            ".codeium/windsurf/mcp_config.json",
            ".codeium/windsurf/mcp_config.json",
            r".codeium\windsurf\mcp_config.json",
        ),
        (
            "zed",
            ".config/zed/settings.json",
            ".config/zed/settings.json",
            r"AppData\Roaming\Zed\settings.json",
        ),
    ],
)
def test_each_client_has_its_file_on_each_platform(
    name: str, linux: str, mac: str, windows: str
) -> None:
    client = client_named(name)
    for (platform, home), expected in zip(
        (LINUX, MAC, WINDOWS), (linux, mac, windows), strict=True
    ):
        separator = "\\" if platform == "win32" else "/"
        assert str(user_file(client, platform, home, {})) == f"{home}{separator}{expected}"


@pytest.mark.parametrize(
    ("name", "variable", "value", "expected"),
    [
        ("claude-code", "CLAUDE_CONFIG_DIR", "/etc/claude", "/etc/claude/.claude.json"),
        ("codex", "CODEX_HOME", "/srv/codex", "/srv/codex/config.toml"),
        ("codex", "CODEX_HOME", "", "/home/ann/.codex/config.toml"),
        ("zed", "XDG_CONFIG_HOME", "/cfg", "/cfg/zed/settings.json"),
        ("zed", "XDG_CONFIG_HOME", "relative", "/home/ann/.config/zed/settings.json"),
    ],
)
def test_variables_lead_elsewhere(name: str, variable: str, value: str, expected: str) -> None:
    assert str(user_file(client_named(name), *LINUX, {variable: value})) == expected


def test_every_variable_in_the_table_has_a_default() -> None:
    for client in CLIENTS.values():
        for pattern in client.user_file.values():
            for part in pattern.split("/"):
                assert not part.startswith("$") or part[1:] in DEFAULTS


def test_a_project_has_its_own_file_or_none(tmp_path: Path) -> None:
    assert (
        Place(client=client_named("vscode"), scope="project", root=tmp_path).path
        == tmp_path / ".vscode" / "mcp.json"
    )
    with pytest.raises(
        ScopeError, match="windsurf has no configuration of scope 'project': use --scope user"
    ):
        _ = Place(client=client_named("windsurf"), scope="project", root=tmp_path).path


def test_the_nearest_name_is_suggested() -> None:
    with pytest.raises(UnknownClientError, match="did you mean cursor"):
        client_named("curser")

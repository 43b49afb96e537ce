from __future__ import annotations

import sys
from pathlib import Path

import pytest

from heimdall.mcp_clients.clients import CLIENTS, UnknownClientError, client_named
from heimdall.mcp_clients.errors import ScopeError
from heimdall.mcp_clients.places import DEFAULTS, Place, user_files
from heimdall.mcp_clients.setup import is_here

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
        (
            "goose",
            ".config/goose/config.yaml",
            ".config/goose/config.yaml",
            r"AppData\Roaming\Block\goose\config\config.yaml",
        ),
        (
            "opencode",
            ".config/opencode/opencode.json",
            ".config/opencode/opencode.json",
            r".config\opencode\opencode.json",
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
        first = user_files(client, platform, home, {})[0]
        assert str(first) == f"{home}{separator}{expected}"


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
    assert str(user_files(client_named(name), *LINUX, {variable: value})[0]) == expected


def test_every_variable_in_the_table_has_a_default() -> None:
    for client in CLIENTS.values():
        for platform in ("linux", "darwin", "win32"):
            for path in user_files(client, platform, "/home/ann", {}):
                assert "$" not in str(path)
    assert "KIMI_CODE_HOME" in DEFAULTS


def test_the_file_that_exists_counts(home: Path, tmp_path: Path) -> None:
    place = Place(client=client_named("opencode"), scope="user", root=tmp_path)
    folder = home / ".config" / "opencode"
    assert place.path == folder / "opencode.json"
    folder.mkdir(parents=True)
    (folder / "opencode.jsonc").touch()
    assert place.path == folder / "opencode.jsonc"
    (folder / "opencode.json").touch()
    assert place.path == folder / "opencode.json"


def test_without_a_home_there_is_no_users_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.path.expanduser", lambda path: path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ScopeError, match=r"no home directory.*set HOME"):
        _ = Place(client=client_named("zed"), scope="user", root=tmp_path).path
    assert not any(map(is_here, CLIENTS.values()))


def test_a_project_has_its_own_file_or_none(tmp_path: Path) -> None:
    assert (
        Place(client=client_named("vscode"), scope="project", root=tmp_path).path
        == tmp_path / ".vscode" / "mcp.json"
    )
    with pytest.raises(
        ScopeError, match="windsurf has no configuration of scope 'project': use --scope user"
    ):
        _ = Place(client=client_named("windsurf"), scope="project", root=tmp_path).path


def test_a_client_of_another_platform_has_no_file_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_named("visual-studio")
    monkeypatch.setattr(sys, "platform", "linux")
    assert list(client.scopes) == ["project"]
    with pytest.raises(ScopeError, match="use --scope project"):
        _ = Place(client=client, scope="user", root=tmp_path).path
    monkeypatch.setattr(sys, "platform", "win32")
    assert list(client.scopes) == ["user", "project"]


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("curser", "cursor"),
        ("qwen-cod", "qwen-code"),
        ("qwen", "qwen-code"),
        ("gemini-cli", "gemini"),
        ("Claude", "claude-code or claude-desktop"),
        ("claude_code", "claude-code"),
        ("vs-code", "vscode"),
        ("copilot", "copilot-cli"),
        ("open-code", "opencode"),
        ("visualstudio", "visual-studio"),
        ("Cline", "cline-cli or cline-vscode"),
        ("kimi", "kimi-code"),
        ("grok-cli", "grok"),
        ("lmstudio", "lm-studio"),
    ],
)
def test_the_nearest_name_is_suggested(asked: str, meant: str) -> None:
    with pytest.raises(UnknownClientError, match=rf"did you mean {meant}\?"):
        client_named(asked)


def test_nothing_is_suggested_for_what_is_like_nothing() -> None:
    with pytest.raises(UnknownClientError, match="'heimdall mcp list' shows those"):
        client_named("emacs")

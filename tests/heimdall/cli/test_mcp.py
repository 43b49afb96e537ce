from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / ".git").mkdir(parents=True)
    return root


def mcp(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "heimdall", "mcp", *arguments]
    return subprocess.run(
        command, cwd=project, capture_output=True, text=True, check=False, timeout=60
    )


def test_the_life_of_a_connection(project: Path, home: Path) -> None:
    assert mcp(project, "status").returncode == 1
    (home / ".codex").mkdir()
    (home / ".codex" / "config.toml").write_text("# mine\n")
    done = mcp(project, "install", "--all", "--command", sys.executable)
    assert done.returncode == 0, done.stderr
    assert f"Codex CLI, user: added, {home}/.codex/config.toml" in done.stdout
    servers = tomllib.loads((home / ".codex" / "config.toml").read_text())["mcp_servers"]
    assert servers["heimdall"]["command"] == sys.executable
    status = mcp(project, "status")
    assert (status.returncode, status.stdout.count("\n")) == (0, 1)
    assert mcp(project, "remove", "codex").returncode == 0
    assert (home / ".codex" / "config.toml").read_text() == "# mine\n"
    assert len(list((home / ".local/share/heimdall/backups").iterdir())) == 2


def test_a_projects_file_is_at_its_root(project: Path) -> None:
    below = project / "src"
    below.mkdir()
    done = mcp(below, "install", "vscode", "cursor", "--scope", "project", "--json")
    assert done.returncode == 0, done.stderr
    changes = json.loads(done.stdout)["changes"]
    assert [change["file"] for change in changes] == [
        str(project / ".vscode/mcp.json"),
        str(project / ".cursor/mcp.json"),
    ]
    assert (
        json.loads((project / ".vscode/mcp.json").read_text())["servers"]["heimdall"]["command"]
        == "heimdall-mcp"
    )


def test_what_would_be_done_is_shown(project: Path, home: Path) -> None:
    shown = mcp(project, "install", "zed", "--command", "h", "--project", str(project), "--dry-run")
    assert "would be added" in shown.stdout
    assert '"HEIMDALL_PROJECT"' in shown.stdout
    assert not (home / ".config").exists()
    generated = mcp(project, "generate", "vscode", "--scope", "project")
    assert json.loads(generated.stdout)["servers"]["heimdall"]["type"] == "stdio"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("install",), "Name an assistant, or say --all"),
        (("install", "curser"), "did you mean cursor?"),
        (("install", "windsurf", "--scope", "project"), "use --scope user"),
        (("install", "zed", "--command", "'"), "can't be understood"),
        (("remove",), "Missing argument"),
    ],
)
def test_mistakes_are_told_in_a_line(
    project: Path, arguments: tuple[str, ...], message: str
) -> None:
    done = mcp(project, *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_broken_configuration_is_found(project: Path, home: Path) -> None:
    (home / ".cursor").mkdir()
    (home / ".cursor" / "mcp.json").write_text("{")
    status = mcp(project, "status", "--json")
    assert status.returncode == 1
    (entry,) = json.loads(status.stdout)["entries"]
    assert (entry["client"], entry["state"]) == ("cursor", "unreadable")
    install = mcp(project, "install", "cursor", "zed", "--command", "h")
    assert install.returncode == 2
    assert "the file was left as it is" in install.stderr
    assert "Zed, user: added" in install.stdout, "one broken file keeps no other from being changed"


def test_all_clients_are_listed(project: Path) -> None:
    rows = json.loads(mcp(project, "list", "--json").stdout)["clients"]
    assert {row["client"] for row in rows} >= {"claude-code", "codex", "zed"}
    assert "claude-desktop" in mcp(project, "list").stdout

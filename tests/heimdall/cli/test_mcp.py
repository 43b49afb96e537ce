from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support.places import DATA

pytestmark = pytest.mark.slow


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / ".git").mkdir(parents=True)
    return root


def mcp(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "heimdall", "mcp", *arguments]
    return subprocess.run(
        command, cwd=project, capture_output=True, encoding="utf-8", check=False, timeout=900
    )


def test_the_life_of_a_connection(project: Path, home: Path) -> None:
    assert mcp(project, "status").returncode == 1
    (home / ".codex").mkdir()
    (home / ".codex" / "config.toml").write_text("# mine\n")
    command = f"{sys.executable} -m heimdall.mcp_server"
    done = mcp(project, "install", "--all", "--command", command)
    assert done.returncode == 0, done.stderr
    assert f"Codex CLI, user: added, {home / '.codex/config.toml'}" in done.stdout
    servers = tomllib.loads((home / ".codex" / "config.toml").read_text())["mcp_servers"]
    assert servers["heimdall"]["command"] == sys.executable
    status = mcp(project, "status")
    assert (status.returncode, status.stdout.count("\n")) == (0, 1), status.stdout
    assert re.search(r"Codex CLI, user: version [0-9.]+, \d+ tools, ", status.stdout)
    (entry,) = json.loads(mcp(project, "status", "--json").stdout)["entries"]
    assert "recall_memories" in entry["tools"]
    assert "Name an assistant, or say --all" in mcp(project, "remove").stderr
    assert mcp(project, "remove", "--all").returncode == 0
    assert (home / ".codex" / "config.toml").read_text() == "# mine\n"
    assert len(list((home / DATA / "backups").iterdir())) == 2


def test_hooks_are_among_what_is_told(project: Path) -> None:
    mcp(project, "install", "kiro", "--command", "/bin/true", "--hooks")
    (hooks,) = json.loads(mcp(project, "status", "--json").stdout)["hooks"]
    assert (hooks["client"], hooks["scope"], hooks["state"]) == ("kiro", "user", "installed")
    assert "Kiro, user, hooks: " in mcp(project, "status").stdout


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


def test_an_entry_that_starts_something_else_is_found(project: Path, home: Path) -> None:
    ends = f"{Path(sys.executable).as_posix()} -c pass"
    assert mcp(project, "install", "zed", "--command", ends).returncode == 0
    status = mcp(project, "status")
    assert status.returncode == 1
    assert "it ended with exit code 0 before it answered initialize" in status.stdout
    assert "'heimdall mcp install zed --scope user' puts it right" in status.stdout


def test_no_assistant_here_is_said(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    done = mcp(project, "install", "--all")
    assert done.returncode == 1
    assert "No assistant was found on this machine" in done.stdout
    assert json.loads(mcp(project, "install", "--all", "--json").stdout)["changes"] == []


def test_what_a_client_asks_of_its_user_is_said(project: Path) -> None:
    done = mcp(project, "install", "claude-code", "gemini", "--scope", "project")
    assert "Claude Code asks each user once" in done.stdout
    assert "trusted folders only (/permissions)" in done.stdout


def test_variables_are_handed_on(project: Path, home: Path) -> None:
    done = mcp(project, "install", "codex", "--command", "h", "--env", "A=1", "--env", "TOKEN")
    assert done.returncode == 0, done.stderr
    servers = tomllib.loads((home / ".codex" / "config.toml").read_text())["mcp_servers"]
    assert servers["heimdall"]["env"] == {"A": "1"}
    assert {"TOKEN", "SSL_CERT_FILE"} <= {*servers["heimdall"]["env_vars"]}


def test_a_place_that_is_taken_is_refused_with_what_to_paste(project: Path, home: Path) -> None:
    (home / ".cursor").mkdir()
    (home / ".cursor" / "mcp.json").write_text('{"mcpServers": [1]}')
    done = mcp(project, "install", "cursor", "--command", "h")
    assert done.returncode == 2
    assert "mcpServers does not hold the servers by their names" in done.stderr
    assert '"command": "h"' in done.stderr
    assert (home / ".cursor" / "mcp.json").read_text() == '{"mcpServers": [1]}'


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("install",), "Name an assistant, or say --all"),
        (("install", "curser"), "did you mean cursor?"),
        (("install", "windsurf", "--scope", "project"), "use --scope user"),
        (("install", "zed", "--command", "'"), "can't be understood"),
        (("install", "zed", "--env", "A B"), "expected NAME or NAME=VALUE"),
        (("install", "zed", "--name", "a.b"), "'a.b': assistants take letters, digits"),
        (("install", "qwen-cod"), "did you mean qwen-code?"),
        (("remove",), "Name an assistant, or say --all"),
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


def test_a_command_of_a_projects_file_is_shown_and_not_started(project: Path) -> None:
    done = mcp(project, "install", "zed", "--scope", "project", "--command", "touch started")
    assert done.returncode == 0, done.stderr
    status = mcp(project, "status")
    assert (status.returncode, (project / "started").exists()) == (0, False)
    assert "it says touch started" in status.stdout


def test_on_a_mac_it_is_said_what_stands_in_the_entry_and_what_does_not(
    project: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("fcntl")  # which a Mac has
    monkeypatch.setenv("HEIMDALL_OFFLINE", "1")
    monkeypatch.setenv("HEIMDALL_GITHUB_TOKEN", "a-secret-token")
    code = "import sys; from heimdall.cli import main; sys.platform = 'darwin'; sys.exit(main())"
    command = [sys.executable, "-c", code, "mcp", "install", "cursor", "--command", "h"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=True)
    assert re.search(r"The entry has .*HEIMDALL_OFFLINE", done.stdout)
    assert "HEIMDALL_GITHUB_TOKEN: set here, not written down unasked" in done.stdout
    entry = json.loads((home / ".cursor/mcp.json").read_text())["mcpServers"]["heimdall"]
    assert entry["env"]["HEIMDALL_OFFLINE"] == "1"
    assert "a-secret-token" not in str(entry) + done.stdout

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from heimdall.cognitive_system.data_dirs import get_heimdall_data_dir
from heimdall.mcp_clients import setup
from heimdall.mcp_clients.clients import client_named
from heimdall.mcp_clients.config_file import ConfigFile
from heimdall.mcp_clients.entry import CommandError, server_entry
from heimdall.mcp_clients.errors import ClientConfigError, FileChangedError
from heimdall.mcp_clients.places import Place


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return tmp_path / "project"


def place(name: str, project: Path, scope: str = "user") -> Place:
    return Place(client=client_named(name), scope=scope, root=project)


def test_install_twice_then_remove_leaves_the_file_as_it_was(project: Path, home: Path) -> None:
    path = home / ".claude.json"
    path.write_text('{\n  "numStartups": 3,\n  "projects": {}\n}\n')
    before = path.read_bytes()
    where = place("claude-code", project)
    first = setup.install(where)
    assert first.action == "added"
    assert first.backup is not None
    assert first.backup.read_bytes() == before
    assert setup.install(where).action == "unchanged"
    assert setup.remove(where).action == "removed"
    assert path.read_bytes() == before
    assert setup.remove(where).action == "unchanged"
    assert setup.standing(where).state is setup.State.ABSENT


def test_a_dry_run_writes_nothing(project: Path, home: Path) -> None:
    change = setup.install(place("zed", project), command="h", dry_run=True)
    assert json.loads(change.text)["context_servers"]["heimdall"]["command"] == "h"
    assert not change.path.exists()
    assert not (get_heimdall_data_dir() / "backups").exists()


def test_a_file_that_held_only_us_goes(project: Path) -> None:
    where = place("vscode", project, "project")
    setup.install(where)
    assert json.loads(where.path.read_text())["servers"]["heimdall"] == {
        "type": "stdio",
        "command": "heimdall-mcp",
        "args": [],
    }
    setup.remove(where)
    assert not where.path.exists()


def test_a_client_that_can_not_tell_its_project_gets_it_fixed(project: Path) -> None:
    change = setup.install(place("claude-desktop", project), command="h")
    assert json.loads(change.text)["mcpServers"]["heimdall"]["env"] == {
        "HEIMDALL_PROJECT": str(project)
    }


def test_a_broken_file_is_refused_unharmed_and_found(project: Path, home: Path) -> None:
    path = home / ".cursor" / "mcp.json"
    path.parent.mkdir()
    path.write_text('{"mcpServers": {')
    where = place("cursor", project)
    with pytest.raises(ClientConfigError, match="can't be understood: Expecting"):
        setup.install(where, command="h")
    with pytest.raises(ClientConfigError, match="can't be understood: Expecting"):
        setup.remove(where)
    assert path.read_text() == '{"mcpServers": {'
    assert not (get_heimdall_data_dir() / "backups").exists()
    assert setup.standing(where).state is setup.State.UNREADABLE


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        (
            {"command": "/gone/heimdall-mcp"},
            "the program /gone/heimdall-mcp does not exist or can't be started; 'heimdall mcp install",
        ),
        ({"url": "http://x"}, "its entry names no command"),
        ("text", "its entry names no command"),
    ],
)
def test_an_entry_that_can_not_start_is_found(
    project: Path, home: Path, entry: object, problem: str
) -> None:
    path = home / ".gemini" / "settings.json"
    path.parent.mkdir()
    path.write_text(json.dumps({"mcpServers": {"heimdall": entry}}))
    standing = setup.standing(place("gemini", project))
    assert standing.state is setup.State.WRONG
    assert standing.problem.startswith(problem)


def test_a_client_is_here_by_its_program_or_its_folder(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    codex, code = client_named("codex"), client_named("claude-code")
    monkeypatch.setenv("PATH", str(home / "bin"))
    assert not setup.is_here(codex)
    assert not setup.is_here(code), "the home directory alone says nothing"
    (home / ".codex").mkdir()
    assert setup.is_here(codex)
    program = home / "bin" / "claude"
    program.parent.mkdir()
    program.touch(mode=0o755)
    assert setup.is_here(code)


def test_the_command_is_split_as_a_shell_does(project: Path) -> None:
    codex = place("codex", project)
    entry = server_entry(codex, command="uvx --from 'heimdall-mcp' heimdall-mcp")
    assert entry["command"] == "uvx"
    assert entry["args"] == ["--from", "heimdall-mcp", "heimdall-mcp"]
    for bad in ("'open", "  ", ""):
        with pytest.raises(CommandError):
            server_entry(codex, command=bad)


def test_snippets_are_what_the_client_reads(project: Path) -> None:
    assert json.loads(setup.snippet(place("vscode", project, "project"))) == {
        "servers": {"heimdall": {"type": "stdio", "command": "heimdall-mcp", "args": []}}
    }
    assert setup.snippet(place("codex", project, "project")).startswith(
        '[mcp_servers.heimdall]\ncommand = "heimdall-mcp"\nargs = []\nenv_vars = ["HEIMDALL_PROJECT", '
    )
    assert setup.snippet(place("goose", project), command="h -v") == (
        "extensions:\n  heimdall:\n    name: heimdall\n    type: stdio\n    enabled: true\n"
        "    timeout: 300\n    cmd: h\n    args:\n    - -v\n"
    )
    assert setup.snippet(place("crush", project), command="h -v") == (
        "mcp add heimdall --command h --args -v\n"
    )
    assert json.loads(setup.snippet(place("opencode", project), command="h -v")) == {
        "mcp": {"heimdall": {"type": "local", "enabled": True, "command": ["h", "-v"]}}
    }
    assert json.loads(setup.snippet(place("amp", project), command="h")) == {
        "amp.mcpServers": {"heimdall": {"command": "h", "args": []}}
    }
    assert json.loads(setup.snippet(place("claude-desktop", project), command="h"))["mcpServers"][
        "heimdall"
    ]["env"]


def test_what_others_write_meanwhile_is_kept(
    project: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = place("claude-code", project)
    where.path.write_text('{"theirs": 0}')
    replace = ConfigFile.replace

    def late(file: ConfigFile, text: str, backups: Path) -> Path | None:
        number = json.loads(where.path.read_text())["theirs"]
        if number < changes:
            where.path.write_text(json.dumps({"theirs": number + 1}))
        return replace(file, text, backups)

    monkeypatch.setattr(ConfigFile, "replace", late)
    changes = 2
    setup.install(where, command="h")
    content = json.loads(where.path.read_text())
    assert content["theirs"] == 2
    assert "heimdall" in content["mcpServers"]
    changes = 9
    with pytest.raises(FileChangedError):
        setup.install(where, command="other")


@pytest.mark.slow
def test_five_at_once_lose_nothing(project: Path, home: Path) -> None:
    names = [f"server-{number}" for number in range(5)]
    code = "import sys; from heimdall.cli import main; main()"
    running = [
        subprocess.Popen(
            [sys.executable, "-c", code, "mcp", "install", "zed", "--command", "h", "--name", name],
            cwd=home,
            stdout=subprocess.DEVNULL,
        )
        for name in names
    ]
    assert [process.wait(timeout=900) for process in running] == [0] * len(names)
    content = json.loads(place("zed", project).path.read_text())
    assert {*content["context_servers"]} == {*names}


@pytest.mark.parametrize(
    "entry",
    [
        {"command": "./evil"},
        {"command": "heimdall-mcp", "args": ["--http"]},
        {"command": "heimdall-mcp", "env": {"LD_PRELOAD": "./evil.so"}},
        {"command": "sh", "args": ["-c", "touch started"]},
    ],
)
def test_what_a_projects_file_says_is_not_started(project: Path, entry: dict[str, object]) -> None:
    where = place("claude-code", project, "project")
    project.mkdir()
    evil = project / "evil"
    evil.write_text("#!/bin/sh\ntouch started\n")
    evil.chmod(0o755)
    where.path.write_text(json.dumps({"mcpServers": {"heimdall": entry}}))
    standing = setup.standing(where)
    assert standing.state is setup.State.UNTRIED
    assert standing.problem.startswith(
        "it was not started, since a project's file may be anybody's"
    )
    assert not list(project.parent.rglob("started"))


@pytest.mark.slow
def test_what_an_install_writes_into_a_project_is_started(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = place("claude-code", project, "project")
    setup.install(where)
    monkeypatch.setenv("PATH", sysconfig.get_path("scripts"), prepend=os.pathsep)
    assert setup.standing(where).state is setup.State.INSTALLED
    monkeypatch.setenv("PATH", "/nowhere")
    standing = setup.standing(where)
    assert standing.state is setup.State.WRONG
    assert standing.problem.endswith("install heimdall-mcp on this machine")

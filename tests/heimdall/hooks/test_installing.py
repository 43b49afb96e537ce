from __future__ import annotations

from pathlib import Path

import pytest

from heimdall.cli.run import run
from heimdall.hooks import installing
from heimdall.mcp_clients.changing import Change
from heimdall.mcp_clients.clients import CLIENTS
from heimdall.mcp_clients.errors import ClientConfigError
from tests.heimdall.hooks.conftest import HEIMDALL
from tests.support.terminal import on_a_terminal


def actions(changes: list[Change]) -> set[str]:
    return {change.action for change in changes}


def state(root: Path, client: str, scope: str) -> installing.HookStanding:
    return next(
        one for one in installing.standings(root) if (one.client, one.scope) == (client, scope)
    )


@pytest.mark.parametrize("client", installing.HOSTS_WITH_HOOKS)
@pytest.mark.parametrize("scope", ["user", "project"])
def test_what_is_installed_is_told_and_removed_without_a_trace(
    client: str, scope: str, tmp_path: Path
) -> None:
    assert client in CLIENTS
    if not installing.has_hooks(client, scope):
        return
    dry = installing.install(client, scope=scope, root=tmp_path, dry_run=True)
    assert not any(change.path.exists() for change in dry)
    done = installing.install(client, scope=scope, root=tmp_path)
    assert actions(done) == {"added"}
    assert [change.path.read_text("utf-8") for change in done] == [change.text for change in dry]
    base = tmp_path if scope == "project" else Path.home()
    assert all(change.path.is_relative_to(base) for change in done)
    assert installing.asked_of_user(client)
    assert state(tmp_path, client, scope).state == "installed"
    assert actions(installing.install(client, scope=scope, root=tmp_path)) == {"unchanged"}
    assert actions(installing.remove(client, scope=scope, root=tmp_path)) == {"removed"}
    assert not any(change.path.exists() for change in done)
    assert actions(installing.remove(client, scope=scope, root=tmp_path)) == {"unchanged"}
    assert state(tmp_path, client, scope).state == "absent"


def test_a_projects_file_names_no_place_on_this_machine(tmp_path: Path) -> None:
    (change,) = installing.install("claude-code", scope="project", root=tmp_path)
    assert '"command": "heimdall"' in change.text


def test_a_variable_moves_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CODEX_HOME", str(tmp_path / "codex"))
    assert installing.paths_of("codex", "user", tmp_path) == [tmp_path / "codex/hooks.json"]


@pytest.mark.parametrize(
    ("client", "text"),
    [("opencode", "export const Mine = 1\n"), ("cline-vscode", "#!/bin/sh\nheimdall hook stop\n")],
)
def test_a_file_of_somebody_elses_stays(client: str, text: str, tmp_path: Path) -> None:
    path = next(iter(installing.paths_of(client, "user", tmp_path)), None)
    if path is None:
        pytest.skip(f"there are no hooks of {client} here")
    path.parent.mkdir(parents=True)
    path.write_text(text)
    with pytest.raises(ClientConfigError):
        installing.install(client, scope="user", root=tmp_path)
    assert "removed" not in actions(installing.remove(client, scope="user", root=tmp_path))
    assert path.read_text() == text


def test_a_program_that_moved_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with monkeypatch.context() as before:
        before.setattr(installing, "program", lambda: "/old/bin/heimdall")
        installing.install("codex", scope="user", root=tmp_path)
    moved = state(tmp_path, "codex", "user")
    assert moved.state == "wrong"
    assert "heimdall mcp install codex --scope user --hooks" in moved.problem
    (change,) = installing.install("codex", scope="user", root=tmp_path)
    assert change.action == "updated"


def test_at_home_the_users_files_are_no_projects(tmp_path: Path) -> None:
    installing.install("claude-code", scope="user", root=tmp_path)
    there = [one for one in installing.standings(Path.home()) if one.state != "absent"]
    assert [(one.client, one.scope, one.state) for one in there] == [
        ("claude-code", "user", "installed")
    ]


def test_hooks_are_off_by_default_and_go_with_the_server(
    capsys: pytest.CaptureFixture[str],
) -> None:
    hooks = Path.home() / ".codex/hooks.json"
    assert run(["mcp", "install", "codex", "--command", "true"]) == 0
    assert not hooks.exists()
    assert run(["mcp", "install", "codex", "--command", "true", "--hooks"]) == 0
    assert hooks.exists()
    assert "/hooks" in capsys.readouterr().out
    assert run(["mcp", "remove", "codex"]) == 0
    assert not hooks.exists()


def test_a_client_without_hooks_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["mcp", "install", "zed", "--command", "true", "--hooks"]) == 2
    assert "Zed has no hooks" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize(("typed", "wanted"), [("y\n", True), ("\n", False)])
def test_on_a_terminal_it_is_asked_once(typed: str, wanted: bool) -> None:
    command = [str(HEIMDALL), "mcp", "install", "codex", "gemini", "zed", "--command", "true"]
    code, shown = on_a_terminal(command, typed=typed)
    assert code == 0
    assert shown.count("Shall") == 1
    assert (Path.home() / ".codex/hooks.json").exists() == wanted
    assert ("AfterAgent" in (Path.home() / ".gemini/settings.json").read_text()) == wanted

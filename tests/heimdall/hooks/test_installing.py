from __future__ import annotations

from pathlib import Path

import pytest

from heimdall.cli.run import run
from heimdall.hooks import installing
from heimdall.mcp_clients.clients import CLIENTS
from heimdall.mcp_clients.errors import ClientConfigError
from tests.heimdall.hooks.conftest import HEIMDALL
from tests.support.terminal import on_a_terminal


@pytest.mark.parametrize("client", installing.HOSTS_WITH_HOOKS)
@pytest.mark.parametrize("scope", ["user", "project"])
def test_what_is_installed_is_removed_without_a_trace(
    client: str, scope: str, tmp_path: Path
) -> None:
    assert client in CLIENTS
    if not installing.has_hooks(client, scope):
        return
    dry = installing.install(client, scope=scope, root=tmp_path, dry_run=True)
    assert not dry.path.exists()
    done = installing.install(client, scope=scope, root=tmp_path)
    assert (done.action, done.path.read_text("utf-8")) == ("added", dry.text)
    assert done.asks
    assert done.path.is_relative_to(tmp_path if scope == "project" else Path.home())
    again = installing.install(client, scope=scope, root=tmp_path)
    assert again.action == "unchanged"
    assert installing.remove(client, scope=scope, root=tmp_path).action == "removed"
    assert not done.path.exists()
    assert installing.remove(client, scope=scope, root=tmp_path).action == "unchanged"


def test_a_projects_file_names_no_place_on_this_machine(tmp_path: Path) -> None:
    text = installing.install("claude-code", scope="project", root=tmp_path).text
    assert '"command": "heimdall"' in text


def test_a_variable_moves_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CODEX_HOME", str(tmp_path / "codex"))
    assert installing.path_of("codex", "user", tmp_path) == tmp_path / "codex/hooks.json"


def test_a_module_of_somebody_elses_stays(tmp_path: Path) -> None:
    path = installing.path_of("opencode", "user", tmp_path)
    path.parent.mkdir(parents=True)
    path.write_text("export const Mine = 1\n")
    with pytest.raises(ClientConfigError):
        installing.install("opencode", scope="user", root=tmp_path)
    assert installing.remove("opencode", scope="user", root=tmp_path).action == "unchanged"
    assert path.read_text() == "export const Mine = 1\n"


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

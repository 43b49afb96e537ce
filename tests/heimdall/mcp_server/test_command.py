from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from heimdall.mcp_server import main
from tests.support.mcp_raw import RawServer

pytestmark = pytest.mark.slow


def run(*options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **variables}
    command = [sys.executable, "-m", "heimdall.mcp_server", *options]
    return subprocess.run(
        command,
        env=environment,
        input="",
        capture_output=True,
        encoding="utf-8",
        timeout=900,
        check=False,
    )


def test_help_and_version_are_for_people_and_on_stdout(project: Path) -> None:
    shown = run("--help")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "--http" in shown.stdout
    assert run("--version").stdout.startswith("heimdall-mcp, version ")


@pytest.mark.parametrize(
    ("options", "variables", "words"),
    [
        (("--htpp",), {}, "No such option '--htpp'"),
        (("extra",), {}, "unexpected extra argument"),
        (("--allow-remote",), {}, "belong to --http"),
        (("--http", "0.0.0.0:0"), {}, "--allow-remote"),
        (("--http", "nonsense:port"), {}, "expected HOST:PORT"),
        (("--http", "127.0.0.1:0"), {"HEIMDALL_MCP_TOKEN": "short"}, "at least 16 printable"),
        (("--http", "127.0.0.1:0"), {"HEIMDALL_PROJECT": "/not/there"}, "HEIMDALL_PROJECT"),
        (("--http", "127.0.0.1:0"), {"HEIMDALL_DATA_DIR": f"{__file__}/x"}, Path(__file__).name),
    ],
)
def test_mistakes_give_a_message_and_exit_code_2(
    project: Path,
    options: tuple[str, ...],
    variables: dict[str, str],
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["heimdall-mcp", *options])
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert main() == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert words in said.err


def test_a_client_that_leaves_at_once(project: Path) -> None:
    finished = run()
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, "", "")


def test_the_project_by_an_option(project: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with RawServer(
        command=(sys.executable, "-m", "heimdall.mcp_server", "--project", str(other))
    ) as server:
        server.initialize()
        status = server.call("memory_status")["structuredContent"]["project"]
        assert (status["root"], status["chosen_by"]) == (str(other), "HEIMDALL_PROJECT")
        assert server.end() == 0

"""Commands in this process, in a project without a memory and on a machine without a model."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from heimdall.cli.run import run as command_line

HEIMDALL = (sys.executable, "-m", "heimdall")
NOBODY = "00000000-0000-4000-8000-000000000000"


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Done]
Report = Callable[..., Any]


@pytest.fixture
def project_without_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project without a memory, and a machine without a model."""
    project = tmp_path / "project"
    (project / ".git").mkdir(parents=True)
    monkeypatch.chdir(project)
    monkeypatch.setenv("HEIMDALL_FETCH", "never")
    monkeypatch.setenv("HEIMDALL_OFFLINE", "1")


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command in this process."""

    def run(*arguments: str, text: str = "") -> Done:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        capfd.readouterr()
        code = command_line(arguments)
        return Done(code, *capfd.readouterr())

    return run


@pytest.fixture
def report(run: Run) -> Report:
    def report(*arguments: str, text: str = "") -> Any:
        done = run(*arguments, "--json", text=text)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return report

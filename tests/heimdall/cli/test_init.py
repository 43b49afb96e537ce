"""One command from install to use, in a real repository and without a model."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.capabilities import program
from tests.support.real_model import ROOT
from tests.support.terminal import on_a_terminal

pytestmark = pytest.mark.slow

HEIMDALL = (sys.executable, "-m", "heimdall")


@pytest.fixture(autouse=True)
def project(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a file and a commit, and a user of Cursor."""
    root = tmp_path / "orchard"
    root.mkdir()
    (root / "guide.md").write_text("# Guide\n\nPears are picked in September.\n")
    git = [program("git"), "-C", str(root), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    for words in (
        ["init", "-q"],
        ["add", "."],
        ["commit", "-qm", "Plant pears\n\nThey like clay."],
    ):
        subprocess.run([*git, *words], check=True)
    (home / ".cursor").mkdir()
    monkeypatch.chdir(root)
    monkeypatch.setenv("HEIMDALL_FETCH", "never")
    monkeypatch.setenv("HEIMDALL_OFFLINE", "1")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    # Assistants of this machine are nobody's business here.
    monkeypatch.setenv("PATH", os.pathsep.join(["/usr/local/bin", "/usr/bin", "/bin"]))
    return root


def run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [*HEIMDALL, *words]
    return subprocess.run(
        command,
        capture_output=True,
        encoding="utf-8",
        stdin=subprocess.DEVNULL,
        timeout=900,
        check=False,
    )


def report(*words: str) -> Any:
    done = run(*words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def entry(home: Path) -> bool:
    file = home / ".cursor" / "mcp.json"
    return file.exists() and "heimdall" in file.read_text()


def test_everything_is_done_and_a_repeat_changes_nothing(home: Path) -> None:
    assert report("init", "--dry-run")["steps"].keys() == {"project", "mcp", "load", "git_load"}
    assert not Path(".heimdall").exists()
    first = report("init", "--yes")["done"]
    assert len(first["project"]["made"]) == 3
    assert "cursor" in {change["client"] for change in first["mcp"]["changes"]}
    assert first["load"]["loaded"] == ["guide.md"]
    assert first["git_load"]["commits"] == 1
    assert entry(home)
    again = report("init", "--yes")["done"]
    assert again["project"]["made"] == []
    assert {change["action"] for change in again["mcp"]["changes"]} == {"unchanged"}
    assert (again["load"]["loaded"], again["git_load"]["known"]) == ([], 1)
    assert report("recall", "pears")["hits"]


def test_a_model_that_cannot_be_had_is_looked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEIMDALL_MODEL_VARIANT", "none")
    done = report("init", "--yes")["done"]
    assert "none" in done["load"]["embedding_problem"]
    assert (done["git_load"]["embedding_problem"], done["git_load"]["pending"]) == (None, 2)


def test_nothing_is_done_unasked(home: Path) -> None:
    done = run("init")
    assert done.returncode == 2
    assert "load      remembers what its files say" in done.stdout
    assert "--yes goes on without asking" in done.stderr
    code, seen = on_a_terminal([*HEIMDALL, "init"], typed="n\n")
    assert (code, "nothing was done" in seen) == (1, True)
    assert not Path(".heimdall").exists()
    assert not entry(home)


def test_on_a_terminal_it_asks_once(home: Path) -> None:
    code, seen = on_a_terminal([*HEIMDALL, "init"], typed="y\n")
    assert code == 0
    assert seen.count("[y/N]") == 1
    assert entry(home)
    assert not (home / ".cursor" / "hooks.json").exists()
    assert "'heimdall recall' finds it again" in seen


def test_hooks_are_installed_when_they_are_named(home: Path) -> None:
    code, seen = on_a_terminal([*HEIMDALL, "init", "--hooks", "--yes", "--no-load"])
    assert (code, seen.count("[y/N]")) == (0, 0)
    assert "heimdall hook" in (home / ".cursor" / "hooks.json").read_text()


def test_who_leaves_at_the_question_is_told_that_alone() -> None:
    code, seen = on_a_terminal([*HEIMDALL, "init"], typed="\x04")
    assert code == 130
    assert seen.splitlines()[-1].endswith("heimdall:\x1b[0m interrupted")
    assert not Path(".heimdall").exists()


@pytest.mark.parametrize("step", ["project", "mcp", "load", "git-load"])
def test_each_step_can_be_left_out(home: Path, step: str) -> None:
    done = report("init", "--yes", f"--no-{step}")["done"]
    assert done.keys() == {"project", "mcp", "load", "git_load"} - {step.replace("-", "_")}
    assert entry(home) == (step != "mcp")


def test_without_a_repository_and_without_assistants(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / ".cursor").rmdir()
    notes = tmp_path / "notes"
    notes.mkdir()
    monkeypatch.chdir(notes)
    done = run("init", "--yes")
    assert done.returncode == 0, done.stderr
    assert "finds no git repository" in done.stdout
    assert "finds no assistant here" in done.stdout


def test_what_fails_keeps_nothing_else_from_being_done(home: Path) -> None:
    (home / ".cursor" / "mcp.json").write_text("{ no json")
    done = run("init", "--yes", "--json")
    assert done.returncode == 2
    assert "mcp.json" in done.stderr
    assert json.loads(done.stdout)["done"]["load"]["loaded"] == ["guide.md"]


def test_a_home_is_no_project(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    done = run("init", "--yes")
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cognitive_memory.project_memory import ProjectMemory
from tests.support.capabilities import program
from tests.support.git_repository import Repository
from tests.support.real_model import linked_copy
from tests.support.small_model import ROOT, Installation
from tests.support.trees import write_tree

pytestmark = pytest.mark.slow


class Project:
    """A project's folder, and heimdall run in it. There is no model, and nothing may fetch one."""

    def __init__(self, root: Path, installation: Installation) -> None:
        self.root, self.installation = root, installation
        root.mkdir()

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        fixed = {"HEIMDALL_PROJECT": str(self.root), "HEIMDALL_OFFLINE": "1"}
        return self.installation.heimdall(*arguments, **fixed, **variables)

    def report(self, *arguments: str) -> dict[str, Any]:
        finished = self.run(*arguments, "--json")
        assert finished.returncode == 0, finished.stderr
        found: dict[str, Any] = json.loads(finished.stdout)
        return found

    def texts(self) -> list[str]:
        with ProjectMemory.open(self.root / ".heimdall" / "cognitive_memory.db") as memory:
            return [found.text for found in memory.memories(order="oldest")]


@pytest.fixture
def project(tmp_path: Path, installation: Installation, monkeypatch: pytest.MonkeyPatch) -> Project:
    project = Project(tmp_path / "project", installation)
    monkeypatch.chdir(project.root)
    return project


def test_loading_files(project: Project) -> None:
    write_tree(
        project.root,
        {"a.md": "# A\n\nFirst.\n", "b.txt": "Second ghp_" + "a" * 36, "c.bin": "x", "d.md": b"\0"},
    )
    report = project.report("load", ".", "--tag", "notes")
    assert report["loaded"] == ["a.md", "b.txt"]
    assert report["memories"] == {"added": 2, "unchanged": 0, "updated": 0, "removed": 0}
    assert report["skipped"] == {"binary": 1, "unsupported": 1}
    assert report["unsupported"] == {"bin": 1}
    assert (report["redacted"], report["notes"]) == (1, ["b.txt: 1 secret was left out"])
    assert (report["embedded"], report["pending"], report["dry_run"]) == (0, 2, False)
    (project.root / "b.txt").unlink()
    again = project.run("load", "--tag", "notes")  # what is here and below
    assert again.returncode == 0
    lines = again.stdout.splitlines()
    assert lines[0] == "was forgotten  b.txt"
    assert "files     0 loaded, 1 unchanged, 1 gone" in lines
    assert "memories  1 removed" in lines
    assert lines[-1] == (
        "1 memory has no vector yet and can be found by keywords alone: the embedding model can't be had now; "
        "'heimdall models pull' fetches it later, or says why not"
    )
    assert project.texts() == ["# A\n\nFirst."]


def test_what_is_left_out_is_named(project: Project) -> None:
    token = "ghp_" + "a" * 36
    write_tree(
        project.root,
        {"a.md": "First.\n", "tests/b.md": f"Use {token}.\n", "c.lock": "", "d.x": "", "e.x": ""},
    )
    lines = project.run("load", ".").stdout.splitlines()
    assert "left out  1 generated (c.lock), 2 unsupported (x 2)" in lines
    assert "secrets   1 in documentation and tests (tests/b.md 1)" in lines
    report = project.report("load", ".", "--force")
    assert report["left_out"] == {"generated": ["c.lock"]}
    assert report["unsupported"] == {"x": 2}
    assert (report["redacted"], report["redacted_examples"]) == (0, {"tests/b.md": 1})


@pytest.mark.model
def test_what_was_loaded_is_embedded_if_there_is_a_model(project: Project, tmp_path: Path) -> None:
    write_tree(project.root, {"a.md": "First.\n", "b.md": "Second.\n"})
    shutil.copy(
        ROOT / "models.lock.json", project.installation.site / "heimdall" / "model_manifest.json"
    )
    without = project.report("load", "a.md")
    assert (without["embedded"], without["pending"]) == (0, 1)
    assert "HEIMDALL_OFFLINE" in without["embedding_problem"]
    finished = project.run(
        "load", ".", "--json", MODEL_CACHE_DIR=str(linked_copy(tmp_path / "models"))
    )
    report = json.loads(finished.stdout)
    assert (report["embedded"], report["pending"], report["embedding_problem"]) == (2, 0, None)


def test_a_dry_run_makes_no_memory(project: Project) -> None:
    write_tree(project.root, {"a.md": "First.\n"})
    finished = project.run("load", "a.md", "--dry-run")
    assert finished.stdout.splitlines() == [
        "would load  a.md",
        "files     1 would be loaded, 0 unchanged, 0 gone",
        "memories  1 added",
    ]
    assert not (project.root / ".heimdall").exists()


def test_a_projects_settings_choose_files(project: Project) -> None:
    write_tree(project.root, {"docs/a.md": "a", "docs/b.md": "b", "c.md": "c"})
    write_tree(
        project.root, {".heimdall/config.yaml": "ingest:\n  include: [docs/]\n  exclude: [b.md]\n"}
    )
    assert project.report("load", ".", "--no-embed")["loaded"] == ["docs/a.md"]


def test_loading_a_history(project: Project) -> None:
    repository = Repository.make(project.root)
    repository.commit("One", a_txt="x\n")
    tip = repository.commit("Two")
    report = project.report("git-load")
    assert (report["source"], report["branch"], report["tip"]) == ("git:history", "HEAD", tip)
    assert (report["commits"], report["known"], report["forgotten"], report["merges_left_out"]) == (
        2,
        0,
        0,
        0,
    )
    assert report["memories"]["added"] == 2
    repository.commit("Three", _gitignore=".heimdall\n")
    again = project.run("git-load", str(project.root), "--branch", "main", "--no-embed")
    assert again.stdout.splitlines() == [
        "commits   1 loaded, 2 known, 0 forgotten",
        "memories  1 added",
        "3 memories have no vector yet and can be found by keywords alone",
    ]
    assert project.texts() == [
        "One\n\nadded a.txt (+1 -0)",
        "Two",
        "Three\n\nadded .gitignore (+1 -0)",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("load", "missing"), "heimdall: missing can't be loaded: "),
        (("load", ".", "--max-size", "0"), "--max-size"),
        (("load", ".", "--watch", "--json"), "use it without --json"),
        (("git-load",), "is in no git repository"),
        (("git-load", "--since", "soon"), "since 'soon': expected a date such as 2025-12-31"),
        (("git-load", "--max-commits", "0"), "--max-commits"),
    ],
)
def test_mistakes(project: Project, arguments: tuple[str, ...], message: str) -> None:
    if arguments == ("git-load",):
        program("git")
    finished = project.run(*arguments)
    assert finished.returncode == 2
    assert finished.stdout == ""
    assert message in finished.stderr
    assert "Traceback" not in finished.stderr


def test_watching_loads_what_changes_until_ctrl_c(project: Project, tmp_path: Path) -> None:
    write_tree(project.root, {"a.md": "First.\n"})
    process = project.installation.start(
        "-u",
        "-m",
        "heimdall",
        "load",
        ".",
        "--watch",
        "--no-embed",
        HEIMDALL_PROJECT=str(project.root),
    )
    assert process.stdout is not None
    lines = iter(process.stdout.readline, "")
    for line in lines:
        if line.startswith("watching"):
            break
    # In one step: what is written while somebody watches may be read half.
    (write_tree(tmp_path / "beside", {"b.md": "Second.\n"}) / "b.md").rename(project.root / "b.md")
    assert (
        next(line for line in lines if line.startswith("files"))
        == "files     1 loaded, 1 unchanged, 0 gone\n"
    )
    (project.root / "a.md").unlink()
    assert (
        next(line for line in lines if line.startswith("files"))
        == "files     0 loaded, 1 unchanged, 1 gone\n"
    )
    process.send_signal(signal.SIGINT)
    rest, stderr = process.communicate(timeout=900)
    assert (process.returncode, stderr) == (130, "")
    assert rest.endswith("stopped watching\n")
    assert project.texts() == ["Second."]


def test_watching_without_watchfiles(project: Project) -> None:
    write_tree(project.installation.site, {"watchfiles.py": "raise ImportError('not here')\n"})
    finished = project.run("load", ".", "--watch")
    assert finished.returncode == 2
    assert finished.stderr == (
        "heimdall: watching needs watchfiles, which is not installed: pip install 'heimdall-mcp[watch]'\n"
    )

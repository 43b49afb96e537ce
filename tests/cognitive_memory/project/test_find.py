from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cognitive_memory.project.errors import ProjectError
from cognitive_memory.project.find import Project, find_project
from cognitive_memory.project.init import init_project
from tests.support.real_model import ROOT


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """`outer` with a memory, in it a repository, in it folders."""
    (tmp_path / "outer" / "repository" / "src" / "deep").mkdir(parents=True)
    (tmp_path / "outer" / "repository" / ".git").mkdir()
    return tmp_path / "outer"


def test_the_nearest_memory_then_the_nearest_repository_then_the_directory_itself(
    tree: Path,
) -> None:
    deep = tree / "repository" / "src" / "deep"
    assert find_project(tree) == Project(tree)
    assert find_project(deep) == Project(tree / "repository")
    (tree / ".heimdall").mkdir()
    assert find_project(tree.parent / "outer") == Project(tree)
    assert find_project(deep) == Project(tree / "repository"), "the repository ends the search"
    (tree / "repository" / "src" / ".heimdall").mkdir()
    assert find_project(deep) == Project(tree / "repository" / "src")


def test_a_repository_may_have_a_file(tree: Path) -> None:
    (tree / "repository" / "src" / ".git").write_text("gitdir: elsewhere")
    assert find_project(tree / "repository" / "src" / "deep") == Project(
        tree / "repository" / "src"
    )


def test_the_working_directory_and_the_variable(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tree / "repository" / "src")
    assert find_project().root == tree / "repository"
    monkeypatch.setenv("HEIMDALL_PROJECT", str(tree / "repository" / "src"))
    assert find_project().root == tree / "repository" / "src"
    assert find_project(tree).root == tree, "what is asked for wins"
    monkeypatch.setenv("HEIMDALL_PROJECT", "")
    assert find_project().root == tree / "repository"
    monkeypatch.setenv("HEIMDALL_PROJECT", "nowhere")
    with pytest.raises(ProjectError, match=r"HEIMDALL_PROJECT names it .* no such directory"):
        find_project()


def test_a_home_may_be_meant(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEIMDALL_PROJECT", "~")
    assert find_project().root == home


def test_a_directory_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ProjectError, match="is no directory"):
        find_project(tmp_path / "file")
    with pytest.raises(ProjectError, match="is no directory"):
        find_project(tmp_path / "nowhere")


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps a working directory from being removed")
def test_a_working_directory_that_is_gone(tmp_path: Path) -> None:
    code = (
        "import os, pathlib; from cognitive_memory.project.errors import ProjectError; from cognitive_memory.project.find import find_project\n"
        "os.mkdir('gone'); os.chdir('gone'); os.rmdir('../gone')\n"
        "try: find_project()\n"
        "except ProjectError as error: print(error)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HEIMDALL_FETCH": "never"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert "does not exist any more" in done.stdout


def test_paths_of_a_project(tmp_path: Path) -> None:
    project = find_project(tmp_path)
    assert project.database == tmp_path / ".heimdall" / "cognitive_memory.db"
    assert project.config_path == tmp_path / ".heimdall" / "config.yaml"
    assert not project.initialised
    assert project.config.project_id is None
    assert list(tmp_path.iterdir()) == [], "asking makes nothing"
    init_project(tmp_path)
    assert project.initialised


def test_finding_loads_nothing_heavy() -> None:
    code = (
        "import sys; from cognitive_memory.project.find import find_project; find_project().config\n"
        "print(*{'yaml', 'sqlite3', 'numpy', 'cognitive_memory.ingest'} & set(sys.modules))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HEIMDALL_FETCH": "never"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert done.stdout.strip() == ""


def test_a_folder_that_macos_guards_is_told_with_the_setting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def guarded() -> str:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "getcwd", guarded)
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(ProjectError, match=r"not permitted.*Privacy & Security, Files and Folders"):
        find_project()

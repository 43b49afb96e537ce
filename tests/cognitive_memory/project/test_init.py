from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cognitive_memory.project.errors import ProjectError
from cognitive_memory.project.find import find_project
from cognitive_memory.project.init import init_project
from tests.support.capabilities import program
from tests.support.real_model import ROOT

pytestmark = pytest.mark.slow


def test_what_is_made(tmp_path: Path) -> None:
    project = init_project(tmp_path)
    assert project == find_project(tmp_path)
    assert project.initialised
    assert sorted(path.name for path in project.folder.iterdir()) == [".gitignore", "config.yaml"]
    assert project.config.project_id


def test_a_second_time_changes_nothing(tmp_path: Path) -> None:
    first = init_project(tmp_path)
    first.config_path.write_text("# mine\n")
    again = init_project(tmp_path, project_id="d87b289b-90c7-427a-b6c8-10c5db13259b")
    assert again.config_path.read_text() == "# mine\n"


def test_an_id_can_be_given(tmp_path: Path) -> None:
    identity = "d87b289b-90c7-427a-b6c8-10c5db13259b"
    assert init_project(tmp_path, project_id=identity).config.project_id == identity


def test_a_moved_and_a_copied_folder_keep_their_id(tmp_path: Path) -> None:
    (tmp_path / "first").mkdir()
    identity = init_project(tmp_path / "first").config.project_id
    shutil.copytree(tmp_path / "first", tmp_path / "copy")
    (tmp_path / "first").rename(tmp_path / "moved")
    assert find_project(tmp_path / "copy").config.project_id == identity
    assert find_project(tmp_path / "moved").config.project_id == identity


def test_git_takes_the_settings_and_leaves_the_memories(tmp_path: Path) -> None:
    project = init_project(tmp_path)
    project.database.touch()
    project.database.with_name("cognitive_memory.db-wal").touch()
    subprocess.run([program("git"), "init", "-q", tmp_path], check=True)
    listed = subprocess.run(
        [program("git"), "-C", tmp_path, "status", "--porcelain", "-uall"],
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert sorted(listed.stdout.split("\n")) == [
        "",
        "?? .heimdall/.gitignore",
        "?? .heimdall/config.yaml",
    ]


def test_several_at_once_agree_on_one_id(tmp_path: Path) -> None:
    code = "from pathlib import Path; from cognitive_memory.project.init import init_project; print(init_project(Path()).config.project_id)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HEIMDALL_FETCH": "never"}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        for _ in range(6)
    ]
    printed = {process.communicate(timeout=900)[0].strip() for process in processes}
    assert printed == {find_project(tmp_path).config.project_id}
    assert sorted(path.name for path in (tmp_path / ".heimdall").iterdir()) == [
        ".gitignore",
        "config.yaml",
    ]


def test_a_filesystem_without_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    assert init_project(tmp_path).config.project_id
    assert len(list((tmp_path / ".heimdall").iterdir())) == 2


def test_what_is_in_the_way_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"nowhere: is no directory"):
        init_project(tmp_path / "nowhere")
    (tmp_path / ".heimdall").write_text("mine")
    with pytest.raises(ProjectError, match=r"\.heimdall: is no folder"):
        init_project(tmp_path)

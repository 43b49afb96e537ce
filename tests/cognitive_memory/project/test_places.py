"""Directories that are no project unless they are named, and where a search ends."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from cognitive_memory.opening import open_memory
from cognitive_memory.project.errors import NoProjectError
from cognitive_memory.project.find import Project, find_project
from cognitive_memory.project.init import init_project
from tests.support.capabilities import program

pwd = pytest.importorskip("pwd")


def git(*arguments: object) -> None:
    subprocess.run(
        [program("git"), "-c", "protocol.file.allow=always", "-c", "user.name=n", "-c", "user.email=e@x.y",
         *map(str, arguments)],
        check=True, capture_output=True, env={**os.environ, "GIT_CONFIG_NOSYSTEM": "1"},
    )  # fmt: skip


def repository(path: Path) -> Path:
    git("init", "-q", path)
    git("-C", path, "commit", "-q", "--allow-empty", "-m", "first")
    return path


def test_a_home_is_no_project_unless_it_is_named(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NoProjectError, match="is your home directory, and no project unless"):
        find_project(home)
    monkeypatch.chdir(home)
    with pytest.raises(NoProjectError, match="HEIMDALL_PROJECT"):
        find_project()
    assert list(home.iterdir()) == []
    monkeypatch.setenv("HEIMDALL_PROJECT", str(home))
    with open_memory(find_project()):
        assert (home / ".heimdall" / "cognitive_memory.db").is_file()
    assert find_project(home, named=True).root == home


def test_a_memory_in_a_home_captures_nothing_below_it(home: Path) -> None:
    open_memory(Project(home)).close()
    (home / "notes" / "deep").mkdir(parents=True)
    assert find_project(home / "notes" / "deep").root == home / "notes" / "deep"
    first, second = repository(home / "a"), repository(home / "b")
    init_project(first)
    assert (find_project(first).root, find_project(second).root) == (first, second)
    with pytest.raises(NoProjectError):
        find_project(home)


def test_a_home_that_is_a_repository(home: Path) -> None:
    repository(home)
    (home / "notes").mkdir()
    assert find_project(home / "notes").root == home / "notes"
    git("-C", home, "submodule", "add", "-q", repository(home / "origin"), "plugin")
    assert (home / "plugin" / ".git").is_file()
    assert find_project(home / "plugin").root == home / "plugin"


def test_a_home_that_is_a_link(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "link").symlink_to(home)
    monkeypatch.setenv("HOME", str(tmp_path / "link"))
    for name in (home, tmp_path / "link"):
        with pytest.raises(NoProjectError, match="is your home directory"):
            find_project(name)


@pytest.mark.parametrize("name", ["/", "/home", "/tmp", "/var/tmp", "~"])  # noqa: S108
def test_directories_of_the_system(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`~` is the home that the system's table of users says, whatever HOME is."""
    place = Path(pwd.getpwuid(os.geteuid()).pw_dir if name == "~" else name)
    if not place.is_dir():
        pytest.skip(f"there is no {place}")
    if (place / ".heimdall").exists():
        pytest.skip(f"somebody has put a memory into {place}")
    with pytest.raises(NoProjectError, match="no project unless it is named"):
        find_project(place)
    monkeypatch.setenv("HEIMDALL_PROJECT", str(place))
    assert find_project().root == place.resolve()


def test_without_a_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME")
    assert find_project(tmp_path).root == tmp_path


def test_the_nearest_repository_ends_the_search(tmp_path: Path) -> None:
    init_project(tmp_path)
    inner = repository(tmp_path / "inner")
    (inner / "src" / "deep").mkdir(parents=True)
    assert find_project(inner / "src" / "deep").root == inner
    init_project(inner / "src")
    assert find_project(inner / "src" / "deep").root == inner / "src", "a memory deeper than .git"
    assert find_project(inner).root == inner


def test_a_submodule_is_a_part_of_the_repository_around_it(tmp_path: Path) -> None:
    outer = repository(tmp_path / "outer")
    middle = repository(tmp_path / "middle")
    git("-C", middle, "submodule", "add", "-q", repository(tmp_path / "inner"), "libs/inner")
    git("-C", middle, "commit", "-q", "-m", "inner")
    git("-C", outer, "submodule", "add", "-q", middle, "libs/middle")
    git("-C", outer, "submodule", "update", "-q", "--init", "--recursive")
    inner = outer / "libs" / "middle" / "libs" / "inner"
    assert (inner / ".git").is_file()
    assert find_project(inner).root == outer
    assert find_project(outer / "libs" / "middle").root == outer
    init_project(outer)
    assert find_project(inner).root == outer
    init_project(outer / "libs" / "middle")
    assert find_project(inner).root == outer / "libs" / "middle", "with a memory of its own"


def test_a_worktree_is_a_repository_of_its_own(tmp_path: Path) -> None:
    main = repository(tmp_path / "main")
    init_project(main)
    git("-C", main, "worktree", "add", "-q", main / "trees" / "one")
    (main / "trees" / "one" / "src").mkdir()
    assert find_project(main / "trees" / "one" / "src").root == main / "trees" / "one"


def test_a_submodule_in_a_worktree_and_a_worktree_of_a_submodule(tmp_path: Path) -> None:
    main = repository(tmp_path / "main")
    git("-C", main, "submodule", "add", "-q", repository(tmp_path / "library"), "library")
    git("-C", main, "commit", "-q", "-m", "library")
    git("-C", main, "worktree", "add", "-q", tmp_path / "tree")
    git("-C", tmp_path / "tree", "submodule", "update", "-q", "--init")
    assert find_project(tmp_path / "tree" / "library").root == tmp_path / "tree"
    git("-C", main / "library", "worktree", "add", "-q", main / "other")
    assert find_project(main / "other").root == main / "other"


@pytest.mark.parametrize(
    "content",
    [
        b"gitdir: ../.git/elsewhere",
        b"gitdir: /nowhere/.git/modules/x",
        b"gitdir: ../../.git/modules/x",
        b"gitdir: \0",
        b"gitdir:",
        b"\xff" * 100,
        b"",
    ],
)
def test_a_file_that_only_looks_like_a_submodules_ends_the_search(
    tmp_path: Path, content: bytes
) -> None:
    outer = repository(tmp_path / "outer")
    init_project(outer)
    (outer / "inner").mkdir()
    (outer / "inner" / ".git").write_bytes(content)
    assert find_project(outer / "inner").root == outer / "inner"


@pytest.mark.parametrize("kind", ["pipe", "link", "huge"])
def test_a_git_that_is_no_plain_file(tmp_path: Path, kind: str) -> None:
    marker = tmp_path / ".git"
    if kind == "pipe":
        os.mkfifo(marker)
    elif kind == "link":
        marker.symlink_to("/dev/zero")
    else:
        with marker.open("wb") as file:
            file.write(b"gitdir: ")
            file.truncate(1 << 40)
    assert find_project(tmp_path).root == tmp_path


def test_a_bare_repository_is_a_folder_like_others(tmp_path: Path) -> None:
    git("init", "-q", "--bare", tmp_path / "bare.git")
    assert find_project(tmp_path / "bare.git").root == tmp_path / "bare.git"
    inner = repository(tmp_path / "whole")
    assert find_project(inner / ".git" / "hooks").root == inner

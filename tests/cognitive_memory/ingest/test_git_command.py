from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import pytest

from cognitive_memory.ingest import git_command
from cognitive_memory.ingest.commits import read_commits
from cognitive_memory.ingest.errors import GitError, GitStalledError
from cognitive_memory.ingest.git_command import Git
from tests.support.capabilities import program
from tests.support.git_repository import Repository
from tests.support.other_user import other_users

pytestmark = pytest.mark.slow


def test_a_repository_from_a_folder_in_it(repository: Repository) -> None:
    sha = repository.commit("One", a__b_txt="x")
    git = Git(repository.folder / "a")
    assert (git.top, git.commit(None), git.commit("main"), git.commit(sha[:10])) == (
        repository.folder,
        sha,
        sha,
        sha,
    )


def test_a_bare_repository(repository: Repository, tmp_path: Path) -> None:
    sha = repository.commit("One")
    repository.git("clone", "--quiet", "--bare", ".", str(tmp_path / "bare.git"))
    git = Git(tmp_path / "bare.git")
    assert (git.top, git.commit(None)) == (tmp_path / "bare.git", sha)


def test_no_git(repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitError, match="git was not found on PATH: install it"):
        Git(repository.folder)


def test_no_repository(tmp_path: Path) -> None:
    program("git")
    with pytest.raises(GitError, match="is in no git repository"):
        Git(tmp_path)
    with pytest.raises(GitError, match="missing is no folder"):
        Git(tmp_path / "missing")


def test_a_repository_of_somebody_else(repository: Repository) -> None:
    user, _ = other_users()
    for path in (repository.folder, *repository.folder.rglob("*")):
        os.chown(path, user.uid, user.gid)
    with pytest.raises(GitError, match=r"git config --global --add safe\.directory"):
        Git(repository.folder)


@pytest.mark.parametrize("name", ["nope", "--help", "-x", "HEAD:a", ""])
def test_no_such_branch(repository: Repository, name: str) -> None:
    repository.commit("One", a="x")
    if not name:
        assert Git(repository.folder).commit(name) is not None
        return
    with pytest.raises(GitError, match="has no branch, tag or commit"):
        Git(repository.folder).commit(name)


def test_no_commit_yet(repository: Repository) -> None:
    assert Git(repository.folder).commit(None) is None


def test_what_git_says_is_told(repository: Repository) -> None:
    with pytest.raises(GitError, match=r"git rev-list failed in .*: fatal: .*nope"):
        Git(repository.folder).text("rev-list", "nope", "--")


def test_variables_of_hooks_do_not_lead_elsewhere(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sha = repository.commit("One")
    other = Repository.make(tmp_path / "other")
    other.commit("Other")
    monkeypatch.setenv("GIT_DIR", str(other.folder / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.folder))
    assert Git(repository.folder).commit(None) == sha


def test_a_hostile_repository_runs_nothing_and_changes_no_output(
    repository: Repository, tmp_path: Path
) -> None:
    repository.commit("One", a_txt="x\n", _gitattributes="* diff=evil filter=evil\n")
    repository.commit("Two", a_txt="y\n")
    shas = repository.git("rev-list", "HEAD").split()
    plain = list(read_commits(Git(repository.folder), shas, []))
    trace = tmp_path / "ran"
    evil = tmp_path / "evil.sh"
    evil.write_text(f"#!/bin/sh\necho ran >> {trace}\n")
    evil.chmod(0o755)
    hooks = repository.folder / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("post-index-change", "reference-transaction"):
        (hooks / name).write_text(evil.read_text())
        (hooks / name).chmod(0o755)
    for name in (
        "core.fsmonitor",
        "core.pager",
        "pager.log",
        "diff.external",
        "diff.evil.textconv",
        "diff.evil.command",
        "filter.evil.smudge",
        "filter.evil.clean",
        "gpg.program",
        "core.sshCommand",
        "core.alternateRefsCommand",
        "uploadpack.packObjectsHook",
    ):
        repository.git("config", name, str(evil))
    settings = {
        "log.showSignature": "true",
        "format.pretty": "oneline",
        "log.date": "relative",
        "diff.renames": "false",
        "diff.orderFile": "nope",
        "core.quotePath": "true",
        "color.ui": "always",
        "log.decorate": "full",
        "diff.noprefix": "true",
        "log.showRoot": "false",
        "notes.displayRef": "*",
        "diff.algorithm": "patience",
        "diff.ignoreSubmodules": "all",
        "log.diffMerges": "on",
        "log.mailmap": "true",
        "i18n.logOutputEncoding": "UTF-16",
    }
    for name, value in settings.items():
        repository.git("config", name, value)
    assert list(read_commits(Git(repository.folder), shas, [])) == plain
    assert not trace.exists()


def test_replacements_are_not_believed(repository: Repository) -> None:
    first, second = repository.commit("One"), repository.commit("Two")
    repository.git("replace", second, first)
    assert [commit.message for commit in read_commits(Git(repository.folder), [second], [])] == [
        "Two"
    ]


@pytest.mark.parametrize("name", ["refs/heads/main", "include"])
def test_what_never_answers_is_ended(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    repository.commit("One")
    monkeypatch.setattr(git_command, "QUICK_STALL", 1)
    repository.git("config", "include.path", "include")
    pipe = repository.folder / ".git" / name
    pipe.unlink(missing_ok=True)
    os.mkfifo(pipe)
    said = r"git rev-parse said nothing for 1 s in .*, and was ended\. .*'find -type p' lists pipes"
    with pytest.raises(GitStalledError, match=said):
        Git(repository.folder).commit(None)


@pytest.mark.parametrize("what", ["HEAD~3:a.txt", "HEAD~3:"])
def test_what_git_waits_for_is_not_asked_again_and_ends_nothing(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    for number in range(4):
        repository.commit(f"{number}", a_txt=f"{number}")
    git, shas = Git(repository.folder), repository.git("rev-list", "HEAD").split()
    blob = repository.git("rev-parse", what)
    pipe = repository.folder / ".git" / "objects" / blob[:2] / blob[2:]
    pipe.unlink()
    os.mkfifo(pipe)
    monkeypatch.setattr(git_command, "STALL", 1)
    problems: list[str] = []
    # Also by the next call: a history is read in several.
    commits = [*read_commits(git, shas[:3], problems), *read_commits(git, shas[3:], problems)]
    assert [commit.message for commit in commits] == ["3", "2", "1", "0"]
    assert len(problems) == 1 + what.endswith(":")
    assert "git log said nothing for 1 s" in problems[0]


@pytest.mark.parametrize("in_a_folder", [True, False])
@pytest.mark.parametrize(
    "name",
    ["HEAD", "config", "packed-refs", "shallow", "info/attributes", "objects/info/alternates"],
)
def test_a_pipe_that_git_would_wait_for_is_named(
    repository: Repository, name: str, in_a_folder: bool
) -> None:
    repository.commit("One", a__b_txt="x")
    pipe = repository.folder / ".git" / name
    pipe.unlink(missing_ok=True)
    pipe.parent.mkdir(exist_ok=True)
    os.mkfifo(pipe)
    folder = repository.folder / "a" if in_a_folder else repository.folder
    with pytest.raises(GitError, match=f"{pipe} is no regular file, which git expects"):
        Git(folder)


def test_a_pipe_is_found_from_a_linked_working_tree(repository: Repository, tmp_path: Path) -> None:
    sha = repository.commit("One")
    repository.git("worktree", "add", "--quiet", str(tmp_path / "linked"))
    assert Git(tmp_path / "linked").commit(None) == sha
    pipe = repository.folder / ".git" / "info" / "attributes"
    pipe.parent.mkdir(exist_ok=True)
    os.mkfifo(pipe)
    with pytest.raises(GitError, match=f"{pipe} is no regular file, which git expects"):
        Git(tmp_path / "linked")


def test_what_lies_in_the_working_tree_or_is_named_by_a_setting_is_not_read(
    repository: Repository, tmp_path: Path
) -> None:
    repository.commit("One", a__b_txt="x\n", c_txt="x\n")
    shas = [repository.commit("Two", a__b_txt="y\n", c_txt="y\n")]
    plain = list(read_commits(Git(repository.folder), shas, []))
    os.mkfifo(tmp_path / "pipe")
    for name in ("core.attributesFile", "core.excludesFile", "mailmap.file", "diff.orderFile"):
        repository.git("config", name, str(tmp_path / "pipe"))
    repository.git("config", "log.mailmap", "true")
    for name in (".gitattributes", "a/.gitattributes", ".mailmap", ".gitignore"):
        os.mkfifo(repository.folder / name)
    assert list(read_commits(Git(repository.folder), shas, [])) == plain
    (repository.folder / ".gitattributes").unlink()
    (repository.folder / ".gitattributes").write_text("* -diff\n")
    (repository.folder / "a" / ".gitattributes").unlink()
    assert list(read_commits(Git(repository.folder / "a"), shas, [])) == plain


def test_an_answer_is_not_waited_for_when_nobody_wants_it(repository: Repository) -> None:
    for number in range(3):
        repository.commit(f"{number}" + "x" * 1_000_000)
    git = Git(repository.folder)
    with closing(git.fields("log", "-z", "--format=%B", most=10)) as fields:
        assert next(fields) == b"2" + b"x" * 10
    commits, problem = git.ids("rev-list", "nope", "--")
    assert commits == []
    assert "git rev-list failed in " in problem

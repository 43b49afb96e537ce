"""Whose folder is believed. Real users where root is at hand."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cognitive_memory.opening import existing_memory, open_memory
from cognitive_memory.project import owners
from cognitive_memory.project.errors import (
    NoProjectError,
    ProjectConfigError,
    UntrustedProjectError,
)
from cognitive_memory.project.find import Project, find_project
from cognitive_memory.project.init import init_project
from tests.support.capabilities import needs_root
from tests.support.other_user import OtherUser, other_users
from tests.support.real_model import ROOT

NOBODY = 65534


@pytest.fixture
def root(tmp_path: Path) -> Path:
    directory = tmp_path / "project"
    directory.mkdir()
    return directory


def refusals(root: Path) -> list[str]:
    """What every way to a project says, each of which has to refuse it."""
    ways: list[Callable[[], object]] = [
        lambda: find_project(root),
        lambda: init_project(root),
        lambda: open_memory(Project(root)),
        lambda: Project(root).config,
    ]
    said = []
    for way in ways:
        with pytest.raises(UntrustedProjectError) as refused:
            way()
        said.append(str(refused.value))
    return said


@pytest.mark.parametrize("target", ["other project", "own folder elsewhere", "nowhere", "itself"])
def test_a_link_is_no_folder(root: Path, tmp_path: Path, target: str) -> None:
    place = {
        "other project": tmp_path / "other" / ".heimdall",
        "own folder elsewhere": tmp_path / "elsewhere",
        "nowhere": tmp_path / "nowhere",
        "itself": root / ".heimdall",
    }[target]
    if target == "other project":
        (tmp_path / "other").mkdir()
        open_memory(Project(tmp_path / "other")).close()
    elif target == "own folder elsewhere":
        place.mkdir()
    (root / ".heimdall").symlink_to(place)
    before = sorted(tmp_path.rglob("*"))
    assert all("is a link" in said and "HEIMDALL_PROJECT" in said for said in refusals(root))
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.skipif(os.name == "nt", reason="there are no pipes")
@pytest.mark.parametrize("kind", ["file", "pipe"])
def test_nor_is_what_is_no_folder(root: Path, kind: str) -> None:
    (root / ".git").mkdir()
    if kind == "file":
        (root / ".heimdall").write_text("mine")
    else:
        os.mkfifo(root / ".heimdall")
    assert all("is no folder" in said for said in refusals(root))


def test_a_link_in_the_middle_of_the_path_leads_to_the_real_project(
    root: Path, tmp_path: Path
) -> None:
    init_project(root)
    (root / "deep").mkdir()
    (tmp_path / "link").symlink_to(root / "deep")
    assert find_project(tmp_path / "link") == Project(root)
    assert find_project(tmp_path / "link" / "..") == Project(root), "as the system sees it"


@needs_root
@pytest.mark.parametrize("uid", [54321, NOBODY])
def test_another_users_folder_is_refused_until_it_is_trusted(
    root: Path, monkeypatch: pytest.MonkeyPatch, uid: int
) -> None:
    init_project(root)
    os.chown(root / ".heimdall", uid, -1)
    for said in refusals(root):
        assert said.startswith(f"{root / '.heimdall'}: dubious ownership: it belongs to ")
        assert f"uid {uid}" in said
        assert "you are root (uid 0)" in said
        assert f"heimdall project trust {root}" in said
    monkeypatch.setenv("SUDO_UID", str(uid))
    assert all("Run heimdall without sudo." in said for said in refusals(root))
    monkeypatch.setenv("HEIMDALL_TRUST", str(root.parent))
    assert refusals(root), "each project is named itself"
    monkeypatch.setenv("HEIMDALL_TRUST", str(root))
    assert find_project(root) == Project(root)
    assert init_project(root).config.project_id


@needs_root
def test_trust_is_of_owners_not_of_links(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEIMDALL_TRUST", "*")
    (tmp_path / "elsewhere").mkdir()
    (root / ".heimdall").symlink_to(tmp_path / "elsewhere")
    os.chown(root / ".heimdall", 54321, -1, follow_symlinks=False)
    assert all("is a link" in said for said in refusals(root))


@needs_root
@pytest.mark.parametrize("theirs", ["directory", "repository"])
def test_nothing_is_made_in_another_users_repository(
    root: Path, monkeypatch: pytest.MonkeyPatch, theirs: str
) -> None:
    (root / ".git").mkdir()
    (root / "src").mkdir()
    os.chown(root if theirs == "directory" else root / ".git", 54321, -1)
    with pytest.raises(UntrustedProjectError, match="dubious ownership"):
        find_project(root / "src")
    with pytest.raises(UntrustedProjectError, match="dubious ownership"):
        open_memory(Project(root))
    assert not (root / ".heimdall").exists()
    monkeypatch.setenv("HEIMDALL_TRUST", "*")
    assert find_project(root / "src") == Project(root)


@needs_root
def test_what_somebody_put_around_is_refused_and_nothing_else_is_taken(tmp_path: Path) -> None:
    """In a directory of a group: whoever may write there could put it there."""
    group = tmp_path / "group"
    (group / "mine").mkdir(parents=True)
    group.chmod(0o2775)
    (group / ".heimdall").mkdir()
    assert find_project(group / "mine").root == group
    os.chown(group / ".heimdall", 54321, -1)
    with pytest.raises(UntrustedProjectError, match=r"group/\.heimdall: dubious ownership"):
        find_project(group / "mine")
    assert list((group / "mine").iterdir()) == []
    init_project(group / "mine")
    assert find_project(group / "mine").root == group / "mine"


@needs_root
def test_where_everybody_may_write_nothing_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "shared"
    (shared / "mine" / "deep").mkdir(parents=True)
    shared.chmod(0o777 | stat.S_ISVTX)
    for planted in (".heimdall", ".git"):
        (shared / planted).mkdir()
        os.chown(shared / planted, 54321, -1)
    assert find_project(shared / "mine" / "deep").root == shared / "mine" / "deep", (
        "what others put there has no say"
    )
    with pytest.raises(NoProjectError, match="everybody may write"):
        find_project(shared)
    with monkeypatch.context() as named:
        named.setenv("HEIMDALL_PROJECT", str(shared))
        with pytest.raises(UntrustedProjectError):
            find_project()
    for planted in (".heimdall", ".git"):
        (shared / planted).rmdir()
    monkeypatch.chdir(shared)
    with pytest.raises(NoProjectError, match="everybody may write"):
        find_project()
    monkeypatch.setenv("HEIMDALL_PROJECT", str(shared))
    assert find_project().root == shared, "it may be named"
    monkeypatch.delenv("HEIMDALL_PROJECT")
    monkeypatch.setenv("HEIMDALL_TRUST", str(shared))
    assert find_project().root == shared, "or trusted"


CODE = """
import sys
from pathlib import Path
from cognitive_memory.opening import existing_memory
from cognitive_memory.project.find import find_project
from cognitive_memory.project.errors import ProjectError
try: print(find_project(Path(sys.argv[1])).root)
except ProjectError as error: print(type(error).__name__, error)
"""


def seen_by(user: OtherUser, root: Path, **variables: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HEIMDALL_FETCH": "never", **variables}
    done = user.run([sys.executable, "-c", CODE, str(root)], environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_roots_folder_is_believed_if_nobody_else_may_write_it(root: Path) -> None:
    user, other = other_users()
    folder = init_project(root).folder
    folder.chmod(0o755)
    assert seen_by(user, root) == str(root)
    for mode in (0o775, 0o757, 0o1777):
        folder.chmod(mode)
        assert "it belongs to root, but others may write it" in seen_by(user, root)
    assert seen_by(user, root, HEIMDALL_TRUST=str(root)) == str(root)
    os.chown(folder, other.uid, -1)
    assert f"it belongs to uid {other.uid}, and you are uid {user.uid}" in seen_by(user, root)
    os.chown(folder, user.uid, -1)
    assert seen_by(user, root) == str(root)


def test_who_invoked_sudo_is_asked_of_root_alone(root: Path) -> None:
    user, other = other_users()
    os.chown(init_project(root).folder, other.uid, -1)
    said = seen_by(user, root, SUDO_UID=str(other.uid))
    assert said.startswith("UntrustedProjectError")
    assert "without sudo" not in said


@pytest.mark.skipif(os.name == "nt", reason="there are no such files")
@pytest.mark.parametrize("kind", ["link", "pipe", "zero", "long"])
def test_settings_are_a_plain_file_that_ends(root: Path, tmp_path: Path, kind: str) -> None:
    path = init_project(root).config_path
    path.rename(tmp_path / "kept")
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "long":
        with path.open("wb") as file:
            file.truncate(1 << 40)
    else:
        path.symlink_to({"link": tmp_path / "kept", "zero": Path("/dev/zero")}[kind])
    with pytest.raises(ProjectConfigError) as refused:
        _ = find_project(root).config
    assert str(path) in str(refused.value)


def test_a_memory_in_a_link_is_not_opened(root: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    open_memory(Project(tmp_path / "other")).close()
    (root / ".heimdall").symlink_to(tmp_path / "other" / ".heimdall")
    with pytest.raises(UntrustedProjectError):
        existing_memory(Project(root))


def test_windows_tells_of_no_owners(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    init_project(root)
    status = os.lstat(root / ".heimdall")

    def lstat(_: object) -> os.stat_result:
        return os.stat_result((*status[:4], 12345, *status[5:]))

    with monkeypatch.context() as there:
        there.setattr(os, "name", "nt")
        there.setattr(os, "lstat", lstat)
        owners.check(root, root / ".heimdall")


@pytest.mark.skipif(os.name == "nt", reason="modes are no guard there")
def test_a_new_folder_is_private(root: Path) -> None:
    code = f"import os; os.umask(0); from pathlib import Path; from cognitive_memory.project.init import init_project; init_project(Path({str(root)!r}))"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HEIMDALL_FETCH": "never"}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    assert (root / ".heimdall").stat().st_mode & 0o777 == 0o700

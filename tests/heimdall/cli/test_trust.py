"""Folders that are not the user's: every command says so, and stores nothing elsewhere."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.capabilities import needs_root
from tests.support.small_model import Installation

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def no_fetch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEIMDALL_FETCH", "never")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installation: Installation) -> Path:
    """A directory in a project of the user's, which has a memory."""
    outer = tmp_path / "outer"
    directory = outer / "here"
    directory.mkdir(parents=True)
    monkeypatch.chdir(outer)
    assert installation.heimdall("store", "The user's own secret.").returncode == 0
    monkeypatch.chdir(directory)
    return directory


def a_link(here: Path) -> str:
    (here / ".heimdall").symlink_to(here.parent / ".heimdall")
    return "is a link, which may lead into another project"


def of_another_user(here: Path) -> str:
    if os.name == "nt" or os.geteuid() != 0:
        pytest.skip("only root can give files away")
    shutil.copytree(here.parent / ".heimdall", here / ".heimdall")
    for path in (here / ".heimdall", *(here / ".heimdall").iterdir()):
        os.chown(path, 54321, 54321)
    return "dubious ownership: it belongs to uid 54321, and you are root (uid 0)"


def a_file(here: Path) -> str:
    (here / ".heimdall").write_text("no folder")
    return "is no folder"


COMMANDS = [
    ("store", "Something new."),
    ("recall", "secret"),
    ("status",),
    ("load", "."),
    ("git-load",),
    ("update", "1", "--text", "x"),
    ("delete-memory", "1", "--yes"),
    ("delete-memories-by-tags", "a", "--yes"),
    ("export",),
    ("import", "lines.jsonl"),
    ("backup", "copy.db"),
    ("restore", "copy.db"),
    ("project", "init"),
    ("project", "init", "."),
    ("project", "clean", "--dry-run"),
    ("project", "clean", ".", "--yes"),
    ("dirs",),
    ("migrate",),
]


def content(folder: Path) -> dict[Path, bytes]:
    return {
        path: b"" if path.is_dir() else path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if not path.name.endswith(("-shm", "-wal"))
    }


@pytest.mark.parametrize("plant", [a_link, of_another_user, a_file])
def test_every_command_refuses_and_nothing_changes(
    installation: Installation, here: Path, plant: Callable[[Path], str]
) -> None:
    (here / "lines.jsonl").write_text("")
    shutil.copy(here.parent / ".heimdall" / "cognitive_memory.db", here / "copy.db")
    said = plant(here)
    before = content(here.parent)
    for command in COMMANDS:
        done = installation.heimdall(*command)
        assert done.returncode == 2, (command, done.stdout, done.stderr)
        assert said in done.stderr, (command, done.stderr)
        assert str(here / ".heimdall") in done.stderr
        assert "secret" not in done.stdout + done.stderr
    assert content(here.parent) == before


@pytest.mark.parametrize("plant", [a_link, of_another_user, a_file])
def test_the_doctor_and_the_list_of_projects_go_on(
    installation: Installation, here: Path, plant: Callable[[Path], str]
) -> None:
    said = plant(here)
    checks = json.loads(installation.heimdall("doctor", "--json").stdout)["checks"]
    assert "FAIL" in checks["projects"]["status"]
    assert said in checks["projects"]["message"]
    assert checks["projects.2"]["path"].startswith(str(here.parent / ".heimdall"))
    (found,) = json.loads(installation.heimdall("project", "list", "--json").stdout)["projects"]
    assert (found["root"], found["state"], found["memories"]) == (str(here.parent), "ok", 1)


def test_a_known_project_that_became_a_link_is_not_opened(
    installation: Installation, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = here.parent / ".heimdall"
    folder.rename(here.parent / "moved")
    folder.symlink_to("moved")
    monkeypatch.chdir(here.parent.parent)
    (found,) = json.loads(installation.heimdall("project", "list", "--json").stdout)["projects"]
    assert (found["state"], found["memories"]) == ("untrusted", None)
    checks = json.loads(installation.heimdall("doctor", "--json").stdout)["checks"]
    assert "is a link" in checks["projects.2"]["message"]


def test_a_home_is_no_project(
    installation: Installation, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home)
    said = "is your home directory, and no project unless it is named"
    for command in COMMANDS[:-2]:
        if command[-1] in {"lines.jsonl", "copy.db"}:
            continue
        done = installation.heimdall(*command)
        # what is named is cleaned, so that a stray memory can be removed
        wanted = 0 if command[:3] == ("project", "clean", ".") else 2
        assert done.returncode == wanted, (command, done.stdout, done.stderr)
        assert wanted == 0 or said in done.stderr
    assert not (home / ".heimdall").exists()
    found = json.loads(installation.heimdall("dirs", "--json").stdout)
    assert found["project_root"] is None
    assert said in found["project_problem"]
    assert installation.heimdall("project", "list").returncode == 0
    assert installation.heimdall("mcp", "status").returncode in {0, 1}
    assert installation.heimdall("migrate", "--dry-run").returncode == 0
    checks = json.loads(installation.heimdall("doctor", "--json").stdout)["checks"]
    assert "NOT CHECKED" in checks["projects"]["status"]
    done = installation.heimdall("store", "Mine.", HEIMDALL_PROJECT=str(home))
    assert done.returncode == 0, done.stderr
    assert (home / ".heimdall" / "cognitive_memory.db").exists()


@needs_root
def test_trust_lets_another_users_folder_be_used(installation: Installation, here: Path) -> None:
    of_another_user(here)
    done = installation.heimdall("project", "trust", str(here))
    assert done.returncode == 0
    assert done.stdout.startswith(f"trusted  {here}, whoever owns it")
    found = json.loads(installation.heimdall("dirs", "--json").stdout)
    assert found["project_root"] == str(here)
    done = installation.heimdall("project", "trust", str(here), "--remove")
    assert f"not trusted any more  {here}" in done.stdout
    assert installation.heimdall("dirs").returncode == 2
    assert installation.heimdall("dirs", HEIMDALL_TRUST="*").returncode == 0


def test_what_trust_says(installation: Installation, here: Path) -> None:
    def told(*arguments: str, **variables: str) -> object:
        done = installation.heimdall("project", "trust", *arguments, "--json", **variables)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    name = str(here)
    assert told("--list") == {"trusted": [], "environment": []}
    assert told(".") == {"path": name, "trusted": True, "changed": True}
    assert told(name) == {"path": name, "trusted": True, "changed": False}
    assert told("*") == {"path": "*", "trusted": True, "changed": True}
    assert told("--list", HEIMDALL_TRUST=str(here.parent)) == {
        "trusted": [name, "*"],
        "environment": [str(here.parent)],
    }
    assert told("*", "--remove") == {"path": "*", "trusted": False, "changed": True}
    assert told("*", "--remove") == {"path": "*", "trusted": False, "changed": False}
    shown = installation.heimdall("project", "trust", "--list").stdout
    assert shown == f"{name}\n"


@pytest.mark.parametrize(
    ("arguments", "variables", "said"),
    [
        ((), {}, "Name a PATH"),
        ((".", "--list"), {}, "Name a PATH"),
        (("--list", "--remove"), {}, "Name a PATH"),
        (("nowhere",), {}, "is no directory"),
        (("--list",), {"HEIMDALL_TRUST": "relative"}, "expected absolute paths"),
    ],
)
def test_what_trust_does_not_take(
    installation: Installation,
    here: Path,
    arguments: tuple[str, ...],
    variables: dict[str, str],
    said: str,
) -> None:
    done = installation.heimdall("project", "trust", *arguments, **variables)
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr
    assert here.is_dir()

"""A cloned repository that brings a database, as its user meets it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cognitive_memory.project.find import Project
from cognitive_memory.project.registry import remember
from tests.support.capabilities import program
from tests.support.hostile_databases import HOSTILE_SCHEMAS, a_strangers, alter, deleting_journal
from tests.support.small_model import Installation

pytestmark = pytest.mark.slow

ID = "6f1a0c5e-7b1d-4c7e-9a3b-2d1e0f9c8b7a"
ASKING: tuple[tuple[str, ...], ...] = (
    ("status",),
    ("recall", "pears"),
    ("store", "Pears grow on trees."),
    ("load", "notes.md"),
    ("load", "notes.md", "--dry-run"),
    ("git-load",),
    ("update", ID, "--pin"),
    ("delete-memory", ID, "--yes"),
    ("delete-memories-by-tags", "a", "--yes"),
    ("export",),
    ("import", "memories.jsonl"),
    ("backup", "saved.db"),
    ("project", "init"),
)


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a database in it, below a project of the user's own; it is the working directory."""
    (tmp_path / ".heimdall").mkdir(mode=0o700)
    clone = tmp_path / "clone"
    clone.mkdir()
    subprocess.run([program("git"), "init", "-q"], cwd=clone, check=True)
    (clone / "notes.md").write_text("# Pears\n\nThey grow on trees.\n")
    (clone / "memories.jsonl").write_text('{"text": "imported"}\n')
    a_strangers(clone / ".heimdall" / "cognitive_memory.db", "Obey.")
    monkeypatch.setenv("HEIMDALL_FETCH", "never")
    monkeypatch.chdir(clone)
    return clone


def everything(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes() if path.is_file() else b""
        for path in directory.rglob("*")
        if ".git/" not in str(path) and "__pycache__" not in path.parts
    }


def answer(installation: Installation, *arguments: str) -> dict[str, Any]:
    done = installation.heimdall(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def test_every_command_names_the_one_that_helps_and_does_nothing(
    installation: Installation, clone: Path
) -> None:
    before = everything(clone.parent)
    running = [(command, installation.start("-m", "heimdall", *command)) for command in ASKING]
    for command, process in running:
        stdout, stderr = process.communicate(timeout=900)
        assert (process.returncode, stdout) == (2, ""), command
        assert f"'heimdall project adopt {clone}'" in stderr, command
        assert "Traceback" not in stderr
    assert everything(clone.parent) == before


def test_a_link_that_leads_nowhere_is_no_empty_memory(
    installation: Installation, clone: Path
) -> None:
    database = clone / ".heimdall" / "cognitive_memory.db"
    database.unlink()
    database.symlink_to(clone.parent / "nowhere")
    for command in (("status",), ("recall", "pears"), ("load", "notes.md", "--dry-run")):
        done = installation.heimdall(*command)
        assert (done.returncode, "symbolic link" in done.stderr) == (2, True), command
    assert not (clone.parent / "nowhere").exists()


def test_adopting(installation: Installation, clone: Path) -> None:
    found = answer(installation, "project", "adopt")
    assert (found["adopted"], found["memories"], found["left_out"]) == (True, 1, 0)
    (kept,) = found["kept"]
    assert Path(kept).is_file()
    assert answer(installation, "status")["memories"] == 1
    again = installation.heimdall("project", "adopt", str(clone))
    assert (again.returncode, "is yours already" in again.stdout) == (0, True)


def test_what_path_may_be(installation: Installation, clone: Path, tmp_path: Path) -> None:
    database = clone / ".heimdall" / "cognitive_memory.db"
    assert answer(installation, "project", "adopt", str(database))["adopted"]
    a_strangers(tmp_path / "other.db", "Obey.")
    found = answer(installation, "project", "adopt", str(tmp_path / "other.db"), "--own")
    assert (found["database"], found["adopted"]) == (str(tmp_path / "other.db"), True)
    (tmp_path / "link").mkdir()
    (tmp_path / "link" / ".heimdall").symlink_to(clone / ".heimdall")
    refused = installation.heimdall("project", "adopt", str(tmp_path / "link"))
    assert (refused.returncode, refused.stdout) == (2, "")


def test_nothing_to_adopt(installation: Installation, clone: Path) -> None:
    (clone / ".heimdall" / "cognitive_memory.db").unlink()
    done = installation.heimdall("project", "adopt")
    assert (done.returncode, "nothing to adopt" in done.stdout) == (1, True)


def test_what_can_not_be_adopted(installation: Installation, clone: Path) -> None:
    database = clone / ".heimdall" / "cognitive_memory.db"
    database.write_bytes(b"damaged" * 1000)
    done = installation.heimdall("project", "adopt")
    assert (done.returncode, "no SQLite database" in done.stderr) == (2, True)
    assert database.read_bytes() == b"damaged" * 1000


def test_a_journal_that_would_delete_a_file(
    installation: Installation, clone: Path, tmp_path: Path
) -> None:
    victim = tmp_path / "precious"
    victim.write_text("precious")
    deleting_journal(clone / ".heimdall" / "cognitive_memory.db", victim)
    for command in (
        ("status",),
        ("doctor",),
        ("migrate",),
        ("project", "list"),
        ("project", "clean", "--dry-run"),
    ):
        installation.heimdall(*command)
        assert victim.exists(), command
    assert installation.heimdall("project", "adopt").returncode == 0
    assert answer(installation, "status")["memories"] == 1
    assert victim.exists()


@pytest.mark.parametrize("known", [False, True])
def test_from_any_other_folder(
    installation: Installation,
    clone: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    known: bool,
) -> None:
    """A database that never answers keeps neither the list nor the doctor."""
    if known:
        assert installation.heimdall("project", "adopt").returncode == 0
    remember(Project(clone))
    alter(
        clone / ".heimdall" / "cognitive_memory.db",
        *HOSTILE_SCHEMAS["an endless view in a table's place"],
    )
    monkeypatch.chdir(tmp_path)
    rows = {row["root"]: row for row in answer(installation, "project", "list")["projects"]}
    assert rows[str(clone)]["state"] == ("unreadable" if known else "unknown")
    doctor = installation.heimdall("doctor")
    assert f"'heimdall project adopt {clone}'" in doctor.stdout


def test_a_folder_that_the_environment_trusts(installation: Installation, clone: Path) -> None:
    """As in a container, whose data directory is new each time."""
    trusting = {"HEIMDALL_TRUST": os.pathsep.join(["/nowhere", str(clone)])}
    done = installation.heimdall("status", "--json", **trusting)
    assert (done.returncode, json.loads(done.stdout)["memories"]) == (0, 1)
    assert installation.heimdall("store", "More.", **trusting).returncode == 0
    assert installation.heimdall("status").returncode == 2

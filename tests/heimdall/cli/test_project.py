from __future__ import annotations

import json
import shutil
import sqlite3
import sys
from pathlib import Path
from typing import Any

import pytest

from heimdall.cli.run import run
from tests.support.small_model import Installation
from tests.support.terminal import on_a_terminal

pytestmark = pytest.mark.slow

STORE = (
    "from cognitive_memory.project.find import find_project; from cognitive_memory.opening import open_memory\n"
    "from cognitive_memory.core.memory import NewMemory\n"
    "with open_memory(find_project()) as memory: memory.store(NewMemory(text='Water boils at 100 degrees.'), embed=False)"
)


@pytest.fixture(autouse=True)
def no_fetch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEIMDALL_FETCH", "never")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository, which is the working directory."""
    directory = tmp_path / "repository"
    (directory / ".git").mkdir(parents=True)
    monkeypatch.chdir(directory)
    return directory


def report(installation: Installation, *arguments: str) -> dict[str, Any]:
    done = installation.heimdall(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def projects(installation: Installation) -> list[dict[str, object]]:
    found = report(installation, "project", "list")["projects"]
    assert isinstance(found, list)
    return found


def test_init_makes_what_is_missing_once(
    installation: Installation, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "src").mkdir()
    monkeypatch.chdir(here / "src")
    planned = report(installation, "project", "init", "--dry-run")
    assert planned["made"] == [
        str(here / ".heimdall" / name)
        for name in (".gitignore", "config.yaml", "cognitive_memory.db")
    ]
    assert not (here / ".heimdall").exists()
    first = report(installation, "project", "init")
    assert first["made"] == planned["made"]
    assert first["root"] == str(here)
    assert first["project_id"] in (here / ".heimdall" / "config.yaml").read_text()
    again = report(installation, "project", "init")
    assert (again["made"], again["project_id"]) == ([], first["project_id"])
    assert "has a memory already" in installation.heimdall("project", "init").stdout


def test_a_path_may_be_named(installation: Installation, here: Path, tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    done = installation.heimdall("project", "init", str(tmp_path / "notes"))
    assert done.returncode == 0
    assert (tmp_path / "notes" / ".heimdall" / "cognitive_memory.db").is_file()
    assert not (here / ".heimdall").exists()
    done = installation.heimdall("project", "init", str(tmp_path / "nowhere"))
    assert (done.returncode, done.stderr) == (
        2,
        f"heimdall: {tmp_path / 'nowhere'}: is no directory; make it first\n",
    )


def test_settings_get_the_id_of_a_memory_that_was_there_first(
    installation: Installation, here: Path
) -> None:
    first = report(installation, "project", "init")["project_id"]
    (here / ".heimdall" / "config.yaml").unlink()
    again = report(installation, "project", "init")
    assert (again["project_id"], again["made"]) == (
        first,
        [str(here / ".heimdall" / "config.yaml")],
    )
    assert str(first) in (here / ".heimdall" / "config.yaml").read_text()


def test_a_clone_is_the_same_project_and_a_moved_one_keeps_its_memory(
    installation: Installation, here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = report(installation, "project", "init")["project_id"]
    assert installation.run("-c", STORE).returncode == 0
    clone = tmp_path / "clone" / ".heimdall"
    clone.mkdir(parents=True)
    shutil.copy(here / ".heimdall" / "config.yaml", clone)
    monkeypatch.chdir(clone.parent)
    assert report(installation, "project", "init")["project_id"] == identity
    here.rename(tmp_path / "moved")
    monkeypatch.chdir(tmp_path / "moved")
    assert report(installation, "project", "init") == {
        "root": str(tmp_path / "moved"),
        "project_id": identity,
        "config": str(tmp_path / "moved" / ".heimdall" / "config.yaml"),
        "database": str(tmp_path / "moved" / ".heimdall" / "cognitive_memory.db"),
        "dry_run": False,
        "made": [],
    }
    states = {row["root"]: (row["state"], row["memories"]) for row in projects(installation)}
    assert states == {
        str(tmp_path / "clone"): ("ok", 0),
        str(tmp_path / "moved"): ("ok", 1),
        str(here): ("gone", None),
    }


def test_mistakes_in_the_settings_are_all_told(installation: Installation, here: Path) -> None:
    report(installation, "project", "init")
    path = here / ".heimdall" / "config.yaml"
    path.write_text("projct_id: 1\ningest: 2\n")
    done = installation.heimdall("project", "init")
    assert done.returncode == 2
    assert f"{path}:1: unknown setting projct_id; did you mean project_id?" in done.stderr
    assert f"{path}:2: ingest: expected settings" in done.stderr
    assert "Traceback" not in done.stderr
    assert installation.heimdall("dirs").returncode == 0, "what needs no settings works"


def test_list_shows_every_state_and_changes_nothing(
    installation: Installation, here: Path, tmp_path: Path
) -> None:
    assert "no projects yet" in installation.heimdall("project", "list").stdout
    for name in ("damaged", "empty", "gone"):
        (tmp_path / name).mkdir()
        report(installation, "project", "init", str(tmp_path / name))
    installation.run("-c", STORE)
    (tmp_path / "damaged" / ".heimdall" / "cognitive_memory.db").write_bytes(b"damaged" * 1000)
    (tmp_path / "empty" / ".heimdall" / "cognitive_memory.db").unlink()
    shutil.rmtree(tmp_path / "gone")
    before = sorted(here.rglob("*"))
    rows = {Path(str(row["root"])).name: row for row in projects(installation)}
    assert {name: row["state"] for name, row in rows.items()} == {
        "damaged": "unreadable",
        "empty": "empty",
        "gone": "gone",
        "repository": "ok",
    }
    assert (rows["repository"]["memories"], rows["repository"]["current"]) == (1, True)
    assert "no SQLite database" in str(rows["damaged"]["problem"])
    assert sorted(here.rglob("*")) == before
    text = installation.heimdall("project", "list").stdout
    assert "project clean --gone" in text
    assert report(installation, "project", "clean", "--gone", "--dry-run")["forgotten"] == [
        str(tmp_path / "gone")
    ]
    assert report(installation, "project", "clean", "--gone")["forgotten"] == [
        str(tmp_path / "gone")
    ]
    assert (
        "no project's directory is gone"
        in installation.heimdall("project", "clean", "--gone").stdout
    )
    assert len(projects(installation)) == 3


def test_a_list_does_not_disturb_who_writes(installation: Installation, here: Path) -> None:
    report(installation, "project", "init")
    database = here / ".heimdall" / "cognitive_memory.db"
    with sqlite3.connect(database, isolation_level=None) as writer:
        writer.execute("BEGIN IMMEDIATE")
        assert projects(installation)[0]["memories"] == 0
        writer.execute("ROLLBACK")
    writer.close()


def test_clean_removes_memories_and_keeps_settings(installation: Installation, here: Path) -> None:
    report(installation, "project", "init")
    installation.run("-c", STORE)
    folder = here / ".heimdall"
    (folder / "cognitive_memory.schema-1.20260101T000000000000Z.db").write_bytes(b"old")
    (folder / "mine.db").write_bytes(b"mine")
    refused = installation.heimdall("project", "clean")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "--yes" in refused.stderr
    planned = report(installation, "project", "clean", "--dry-run")
    assert (planned["memories"], planned["removed"]) == (1, False)
    assert len(list(folder.iterdir())) == 5
    done = installation.heimdall("project", "clean", "--yes")
    assert (done.returncode, done.stdout[:19]) == (0, "removed 1 memories,")
    assert sorted(path.name for path in folder.iterdir()) == [
        ".gitignore",
        "config.yaml",
        "mine.db",
    ]
    assert projects(installation) == []
    assert "remembers nothing" in installation.heimdall("project", "clean", "--yes").stdout


def test_clean_asks_on_a_terminal(installation: Installation, here: Path) -> None:
    report(installation, "project", "init")
    database = here / ".heimdall" / "cognitive_memory.db"
    command = [sys.executable, "-m", "heimdall", "project", "clean"]
    for answer, there in (("n\n", True), ("\n", True), ("y\n", False)):
        code, shown = on_a_terminal(command, environment=installation.environment(), typed=answer)
        assert code == int(there)
        assert "for good? [y/N]" in " ".join(shown.split())
        assert database.exists() == there


def test_a_damaged_memory_can_be_removed(installation: Installation, here: Path) -> None:
    report(installation, "project", "init")
    (here / ".heimdall" / "cognitive_memory.db").write_bytes(b"damaged" * 1000)
    done = installation.heimdall("project", "clean", "--yes")
    assert (done.returncode, "can't be read" in done.stdout) == (0, True)
    assert not (here / ".heimdall" / "cognitive_memory.db").exists()


def test_gone_and_a_path_do_not_go_together(installation: Installation, here: Path) -> None:
    done = installation.heimdall("project", "clean", "--gone", ".")
    assert (done.returncode, "--gone is about all projects" in done.stderr) == (2, True)


def test_dirs_shows_the_project(installation: Installation, here: Path, tmp_path: Path) -> None:
    found = report(installation, "dirs")
    assert found["project_root"] == str(here)
    assert found["project_database"] == str(here / ".heimdall" / "cognitive_memory.db")
    named = installation.heimdall("dirs", HEIMDALL_PROJECT=str(tmp_path / "nowhere"))
    assert (named.returncode, "HEIMDALL_PROJECT names it" in named.stderr) == (2, True)


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="needs a directory that root can't write either"
)
def test_a_folder_that_can_not_be_written(installation: Installation, here: Path) -> None:
    done = installation.heimdall("project", "init", "/proc/self")
    assert (done.returncode, done.stdout) == (2, "")
    assert "/proc/self/.heimdall" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["adopt", "clean", "trust"])
def test_a_home_that_is_nobodys(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    run(["project", command, "~nobody-of-that-name/x"])
    told = "".join(capsys.readouterr())
    assert str(Path("~nobody-of-that-name/x")) in told
    assert "should not have happened" not in told

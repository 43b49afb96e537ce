"""The option `--scope`: what holds in all projects, beside this project's memory."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cognitive_memory.core.memory import Scope
from cognitive_memory.project.user import user_place
from heimdall.cli.memory_options import SCOPES
from heimdall.cli.run import run as command_line

pytestmark = pytest.mark.slow

Report = Callable[..., Any]


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    project = tmp_path / "project"
    (project / ".git").mkdir(parents=True)
    monkeypatch.chdir(project)
    monkeypatch.setenv("HEIMDALL_FETCH", "never")
    monkeypatch.setenv("HEIMDALL_OFFLINE", "1")
    return project


@pytest.fixture
def report(capfd: pytest.CaptureFixture[str]) -> Report:
    def report(*arguments: str) -> Any:
        capfd.readouterr()
        code = command_line([*arguments, "--json"])
        stdout, stderr = capfd.readouterr()
        assert code == 0, stderr
        return json.loads(stdout)

    return report


def found(answer: Any) -> dict[str, str]:
    return {hit["memory"]["text"]: hit["memory"]["scope"] for hit in answer["hits"]}


def test_scopes_are_those_of_memories() -> None:
    assert tuple(Scope) == SCOPES


def test_what_holds_everywhere_is_recalled_in_each_project(
    report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report("store", "Tabs are indented by four")
    assert not user_place().root.exists(), "never by accident"
    report("store", "--user", "I prefer tabs")
    report("store", "--scope", "user", "Tabs, never spaces")
    both = {"Tabs are indented by four": "project", "I prefer tabs": "user"}
    assert found(report("recall", "tabs")) == both | {"Tabs, never spaces": "user"}
    assert list(found(report("recall", "tabs", "--scope", "project")).values()) == ["project"]
    assert set(found(report("recall", "tabs", "--user")).values()) == {"user"}
    another = tmp_path / "another"
    (another / ".git").mkdir(parents=True)
    monkeypatch.chdir(another)
    assert set(found(report("recall", "tabs")).values()) == {"user"}
    assert report("status")["user"]["memories"] == 2
    assert not (another / ".heimdall").exists()


def test_where_there_is_no_project_it_is_recalled_and_listed_all_the_same(
    report: Report, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(Path.home())
    assert command_line(["recall", "tabs"]) == 2
    report("store", "--user", "I prefer tabs")
    assert found(report("recall", "tabs")) == {"I prefer tabs": "user"}
    assert report("status")["memories"] == 1
    assert [one["scope"] for one in report("recent")["memories"]] == ["user"]
    assert command_line(["store", "something"]) == 2
    assert "home directory" in capfd.readouterr().err
    assert not (Path.home() / ".heimdall").exists()


def test_it_is_changed_deleted_and_exported(report: Report, tmp_path: Path) -> None:
    ours = report("store", "Ours", "--tag", "style")["id"]
    theirs = report("store", "--user", "Mine", "--tag", "style")["id"]
    assert report("update", theirs, "--text", "Mine, too")["scope"] == "user"
    lines = tmp_path / "mine.jsonl"
    assert report("export", "--user", str(lines))["memories"] == 1
    by_tag = report("delete-memories-by-tags", "style", "--dry-run")["deleted"]
    assert [one["id"] for one in by_tag] == [ours], "what holds everywhere has to be named"
    assert len(report("delete-memory", theirs, ours)["deleted"]) == 2
    assert report("recent")["memories"] == []
    report("import", "--own", "--user", str(lines))
    assert [one["scope"] for one in report("recent")["memories"]] == ["user"]


def test_it_is_backed_up_and_restored(report: Report, tmp_path: Path) -> None:
    report("store", "Ours")
    mine = report("store", "--user", "Mine")["id"]
    copy = tmp_path / "mine.db"
    assert report("backup", "--user", str(copy))["memories"] == 1
    report("delete-memory", mine)
    restored = report("restore", "--user", "--force", str(copy))
    assert (restored["memories"], restored["database"]) == (1, str(user_place().database))
    assert [one["text"] for one in report("recent", "--scope", "project")["memories"]] == ["Ours"]


def test_what_was_stored_is_no_capture_wherever_it_is(
    report: Report, capfd: pytest.CaptureFixture[str]
) -> None:
    mine = report("store", "--user", "Mine")["id"]
    assert command_line(["undo", mine[:8]]) == 2
    assert "was not captured" in capfd.readouterr().err
    assert report("undo")["undone"] == []


def test_what_is_loaded_is_the_project_s(report: Report, project: Path) -> None:
    report("store", "--user", "I prefer tabs")
    (project / "README.md").write_text("# Tabs\n\nThis project is indented by tabs.\n")
    report("load", "README.md")
    assert report("status", "--user")["memories"] == 1
    assert report("status", "--scope", "project")["memories"] >= 1

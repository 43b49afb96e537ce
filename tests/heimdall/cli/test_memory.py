"""What holds for all commands of the memory."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cognitive_memory.core.memory import MemoryType
from heimdall.cli.memory_options import TYPES
from tests.heimdall.cli.conftest import NOBODY, Report, Run

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("project_without_model")]


def test_types_are_those_of_memories() -> None:
    assert tuple(MemoryType) == TYPES


def test_every_command_takes_the_beginning_of_an_id(run: Run, report: Report) -> None:
    stored = report("store", "one", "--id", "6f9619ff-8b86-4011-b42d-00c04fc964ff")["id"]
    assert report("update", "6f9619ff", "--text", "two")["id"] == stored
    assert report("update", "6f9619ff", "two", "words")["text"] == "two words"
    assert "given twice" in run("update", "6f9619ff", "two", "--text", "three").stderr
    assert report("store", "three", "--id", "6F9619FF")["id"] == stored
    assert report("delete-memory", "6f9619ff-8b", stored, "--dry-run")["deleted"][0]["id"] == stored
    other = report("store", "four", "--id", "6f9619ff-8b86-4011-b42d-00c04fc964fe")["id"]
    for command in (
        ("delete-memory",),
        ("update", "--text", "x"),
        ("store", "x", "--id"),
        ("undo",),
    ):
        done = run(*command, "6f9619ff")
        assert done.returncode == 2
        assert stored in done.stderr
        assert other in done.stderr
    assert report("status")["memories"] == 2
    assert run("delete-memory", "6f9619ff-8b86-4011-b42d-00c04fc964fe").returncode == 0
    assert run("delete-memory", "6f9619ff").returncode == 0


def test_looking_makes_nothing(run: Run, report: Report) -> None:
    assert report("recall", "anything")["hits"] == []
    assert "remembers nothing yet" in run("recall", "anything").stdout
    assert report("status") == {
        "database": str(Path.cwd() / ".heimdall" / "cognitive_memory.db"),
        "exists": False,
        "memories": 0,
    }
    assert not Path(".heimdall").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("store", "  "), "is blank"),
        (("store",), "is blank"),
        (("store", "a", "--metadata", "[1]"), "expected a JSON object"),
        (("store", "a", "--metadata", "{"), "it is no JSON"),
        (("store", "a", "--at", "someday"), "is no date"),
        (("store", "a", "--id", "5"), "expected a UUID"),
        (("update", NOBODY), "Say the new text, or name what is to change"),
        (("update", NOBODY, "--text", "b"), f"no memory has the id {NOBODY}"),
        (("delete-memory", NOBODY), f"no memory has the id {NOBODY}"),
        (("delete-memories-by-tags",), "Name a tag"),
        (("delete-memories-by-tags", "precious"), "--yes goes on without asking"),
        (("delete-memories-by-tags", "precious", "--json"), "--yes goes on without asking"),
        (("recall", " "), "the question is blank"),
        (("export", "--json"), "are JSON already"),
        (("import", "missing.jsonl"), "missing.jsonl"),
        (("restore", "missing.db"), "there is no such file"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_mistakes_are_told_in_a_line(run: Run, arguments: tuple[str, ...], message: str) -> None:
    assert run("store", "something", "--tag", "precious").returncode == 0
    done = run(*arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.skipif(os.name == "nt", reason="no such file names")
def test_nothing_reaches_a_terminal_that_it_would_act_upon(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evil = "e\x1b]0;x\x07vil\x9b2J\u202e\r\nheimdall: done"
    project = tmp_path / f"project {evil}".replace("/", "")
    (project / ".git").mkdir(parents=True)
    monkeypatch.chdir(project)
    (project / f"guide {evil}.md").write_text(f"# guide {evil}\n\nThe guide {evil}\n")
    commands = [
        ("store", f"guide {evil}", "--tag", evil, "--source", evil, "--context", evil),
        ("load", "."),
        ("load", ".", "--dry-run"),
        ("load", f"none {evil}"),
        ("recall", "guide"),
        ("recall", "guide", "--json"),
        ("recall", "guide", "--tag", f"none {evil}"),
        ("recall", "guide", "--since", evil),
        ("status",),
        ("status", "--json"),
        ("project", "list"),
        ("project", "list", "--json"),
        ("project", "init"),
        ("delete-memory", evil),
        ("delete-memories-by-tags", evil, "--dry-run"),
        ("update", evil, "--text", "x"),
        ("export",),
        ("export", f"{evil}.jsonl"),
        ("import", f"{evil}.none"),
        ("backup", f"{evil}.db"),
        ("backup", f"{evil}.db"),
        ("restore", f"{evil}.none"),
        ("git-load", evil),
        ("migrate", "--dry-run"),
        ("doctor",),
        (evil,),
    ]
    for command in commands:
        done = run(*command)
        for said in (done.stdout, done.stderr):
            assert not {"\x1b", "\x07", "\x9b", "\u202e", "\r"} & set(said), command
            assert not any(line.startswith("heimdall: done") for line in said.split("\n")), command

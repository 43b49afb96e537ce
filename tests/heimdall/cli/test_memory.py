"""The commands of the memory: first without a model, then with the real one."""

from __future__ import annotations

import io
import json
import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from cognitive_memory.core.memory import MemoryType
from heimdall.cli.memory_options import TYPES
from heimdall.cli.run import run as command_line
from tests.support.real_model import ROOT, require_real_model
from tests.support.terminal import on_a_terminal

pytestmark = pytest.mark.slow

HEIMDALL = (sys.executable, "-m", "heimdall")
NOBODY = "00000000-0000-4000-8000-000000000000"


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Done]
Report = Callable[..., Any]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project without a memory, and a machine without a model."""
    project = tmp_path / "project"
    (project / ".git").mkdir(parents=True)
    monkeypatch.chdir(project)
    monkeypatch.setenv("HEIMDALL_FETCH", "never")
    monkeypatch.setenv("HEIMDALL_OFFLINE", "1")


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command in this process."""

    def run(*arguments: str, text: str = "") -> Done:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        capfd.readouterr()
        code = command_line(arguments)
        return Done(code, *capfd.readouterr())

    return run


@pytest.fixture
def report(run: Run) -> Report:
    def report(*arguments: str, text: str = "") -> Any:
        done = run(*arguments, "--json", text=text)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return report


def test_types_are_those_of_memories() -> None:
    assert tuple(MemoryType) == TYPES


def test_people_see_what_matched_and_with_full_all_of_it(run: Run, report: Report) -> None:
    text = "words of no interest " * 500 + "a needle in the haystack " + "more " * 5_000
    run("store", "--", text)
    shown = run("recall", "needle").stdout
    assert len(shown) < 400
    assert "a needle in the haystack" in shown
    assert (
        "".join(run("recall", "needle", "--full").stdout.split("\n   > ")[1:]).strip()
        == text.strip()
    )
    (hit,) = report("recall", "needle")["hits"]
    assert hit["memory"]["text"] == text


def test_a_terminal_gets_five_hits_on_its_screen(run: Run, report: Report) -> None:
    for number in range(12):
        run(
            "store",
            f"Needle {number} " + "lies in the haystack of many words " * 50,
            "--source",
            "docs/guide.md",
        )
    assert len(report("recall", "needle")["hits"]) == 10
    for columns in (40, 80, 120):
        code, seen = on_a_terminal([*HEIMDALL, "recall", "needle"], columns=columns)
        assert code == 0
        lines = re.sub(r"\x1b\[[\d;]*m", "", seen).split("note: ")[0].splitlines()
        assert len(lines) < 24
        assert len([line for line in lines if line.startswith("   > ")]) == 10
        assert len([line for line in lines if re.match(r"\d\. docs/guide.md  2", line)]) == 5
        assert lines.count("") == 4


@pytest.mark.parametrize("variables", [{}, {"NO_COLOR": "1"}, {"LESS": "-R"}])
def test_more_than_a_screen_goes_to_the_pager(
    run: Run, tmp_path: Path, variables: dict[str, str]
) -> None:
    run("store", "--", "needle\n" + "more\n" * 100)
    pager = tmp_path / "pager"
    pager.write_text(
        f"#!{sys.executable}\nimport sys\nprint('PAGED', len(sys.stdin.read().splitlines()))\n"
    )
    pager.chmod(0o755)
    environment = {**os.environ, **variables, "PAGER": str(pager)}
    _, seen = on_a_terminal([*HEIMDALL, "recall", "needle", "--full"], environment=environment)
    assert "PAGED 103" in seen
    _, seen = on_a_terminal([*HEIMDALL, "recall", "needle"], environment=environment)
    assert "PAGED" not in seen
    assert "PAGED" not in run("recall", "needle", "--full").stdout
    assert ("\x1b" in seen) == ("NO_COLOR" not in variables)


def test_nothing_found_says_what_may_help(run: Run) -> None:
    run("store", "something")
    shown = run("recall", "unheardof").stdout
    assert shown.startswith("nothing found. Other words may find it")


def test_store_recall_update_delete(run: Run, report: Report) -> None:
    stored = report(
        "store", "The parser retries three times", "--type", "concept", "--tag", "parser", "--tag", "a b", "--pin",
        "--source", "docs/guide.md", "--context", "Guide", "--importance", "0.9", "--at", "2026-03-31",
        "--metadata", '{"issue": 12}',
    )  # fmt: skip
    assert stored["change"] == "added"
    assert (stored["type"], stored["tags"], stored["pinned"]) == (
        "concept",
        ["parser", "a b"],
        True,
    )
    assert (stored["source"], stored["context"], stored["importance"]) == (
        "docs/guide.md",
        "Guide",
        0.9,
    )
    assert datetime.fromisoformat(stored["created_at"]) == datetime(2026, 3, 31).astimezone()
    assert (stored["metadata"], stored["embedded"]) == ({"issue": 12}, False)

    found = report("recall", "how", "often", "does", "the", "parser", "retry", "--explain")
    assert (found["mode"], found["weak"], found["pending"]) == ("keywords", False, 1)
    assert [hit["memory"]["id"] for hit in found["hits"]] == [stored["id"]]
    assert found["hits"][0]["parts"]["keywords"] > 0
    assert report("recall", "parser", "--since", "2026-04-01")["hits"] == []
    assert len(report("recall", "parser", "--until", "1 april 2026")["hits"]) == 1
    assert report("recall", "parser", "--since", "yesterday")["hits"] == []
    assert report("recall", "parser", "--type", "episode")["hits"] == []
    assert len(report("recall", "parser", "--tag", "a b", "--source", "docs")["hits"]) == 1

    changed = report(
        "update", stored["id"], "--text", "-", "--no-tags", "--unpin", text="The parser gives up\n"
    )
    assert (changed["text"], changed["tags"], changed["pinned"]) == (
        "The parser gives up",
        [],
        False,
    )
    assert changed["context"] == "Guide"

    assert (
        report("delete-memory", stored["id"], "--dry-run")["deleted"][0]["text"]
        == "The parser gives up"
    )
    assert report("status")["memories"] == 1
    assert run("delete-memory", stored["id"]).returncode == 0
    assert report("status")["memories"] == 0


def test_what_a_memory_said_before(run: Run, report: Report) -> None:
    stored = report("store", "The password is\nxyzzy", "--tag", "a")["id"]
    updated = run("update", stored[:8], "--text", "The password is in the vault")
    assert f"'heimdall history {stored[:8]}' shows what it said before" in updated.stderr
    run("update", stored, "--tag", "b", "--pin")
    told = report("history", stored[:8])
    assert [event["how"] for event in told["events"]] == ["updated", "updated", "stored"]
    assert told["events"][0]["before"] == {"tags": ["a"], "pinned": False}
    lines = run("history", stored).stdout.splitlines()
    assert re.match(r"[-\d]+ [:\d]+.*  updated  tags, pinned", lines[1])
    assert lines[2:4] == ['   - tags: ["a"]', '   + tags: ["b"]']
    assert lines[7:10] == [
        "   - text: The password is",
        "   - xyzzy",
        "   + text: The password is in the vault",
    ]
    forgotten = run("history", stored, "--forget").stdout
    assert forgotten.startswith("forgotten  2 changes\n")
    assert "xyzzy" not in forgotten + run("history", stored, "--json").stdout
    run("delete-memory", stored)
    assert run("history", stored).returncode == 2


def test_what_is_like_what_is_stored_is_named(run: Run, report: Report) -> None:
    text = "Releases are cut from the main branch every second Tuesday"
    first = report("store", text)
    assert first["similar"] == []
    done = run("store", "A release is cut from main every second Thursday")
    second = done.stdout.split()[-1]
    assert f"{first['id'][:8]} is like it: {text}" in done.stderr
    assert (
        f"'heimdall update {first['id'][:8]} --text …', then 'heimdall delete-memory {second}'"
        in done.stderr
    )
    told = report("store", "A release is cut from main every second Friday")
    assert {each["id"] for each in told["similar"]} >= {first["id"]}
    assert report("store", text.upper())["similar"] == [], "it is the same, and no other"
    assert first["id"] in run("update", second, "--text", text, "--json").stdout
    assert "is like it" not in run("update", second, "--pin").stderr


def test_a_text_of_several_places_comes_once_and_names_them(run: Run, report: Report) -> None:
    for name in ("a.md", "b b.md", "c.md", "d.md", "e.md", "f.md"):
        Path(name).write_text("The harbour is closed on Sundays")
    run("load", "--no-embed")
    shown = run("recall", "harbour").stdout.splitlines()
    assert len(shown) == 3
    places = shown[2].strip().removeprefix("also in ").split(", ")
    assert len(places) == 4
    assert places[3] == "2 more"
    run("store", "the harbour is closed on sundays.")
    (hit,) = report("recall", "harbour")["hits"]
    assert hit["memory"]["origin"] == "stored"
    assert [each["source"] for each in hit["also"]].count("b b.md") == 1
    assert [set(each) for each in hit["also"]] == [{"id", "source", "origin", "scope"}] * 6


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


def test_a_text_may_be_bare_words(run: Run, report: Report) -> None:
    assert (
        report("store", "Water", "boils", "at", "100", "--tag", "x")["text"] == "Water boils at 100"
    )
    assert report("store", "-", text="from a pipe\n")["text"] == "from a pipe"
    assert report("store", text="a second\n")["text"] == "a second"
    assert json.loads(run("store", "--json", "--", "--all", "-").stdout)["text"] == "--all -"


def test_people_read_the_same(run: Run) -> None:
    first = run("store", "Water boils at\n100 degrees.", "--tag", "x")
    memory_id = first.stdout.split()[-1]
    assert len(memory_id) == 8
    assert first.stdout == f"stored  {memory_id}\n"
    assert "'heimdall models pull' fetches the model" in first.stderr
    assert (
        run("store", "Water boils at\n100 degrees.").stdout == f"was there already  {memory_id}\n"
    )
    shown = run("recall", "water").stdout
    assert re.fullmatch(rf"1\. [\d-]+  {memory_id}  stored  episode  #x", shown.splitlines()[0])
    assert shown.splitlines()[1:] == ["   > Water boils at", "   > 100 degrees."]
    assert "1 from 0 sources, 0 pinned" in run("status").stdout
    assert (
        run("delete-memories-by-tags", "x", "--yes").stdout.splitlines()[-1]
        == "1 memory was deleted"
    )
    assert run("recall", "water").stdout.startswith("nothing found")


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


def test_memories_travel(
    run: Run, report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report("store", "Grüße \u2028 aus dem Wald", "--tag", "ä")
    report("store", "second", "--pin")
    exported = report("export", "all.jsonl")
    assert exported["memories"] == 2
    assert run("export", "all.jsonl").returncode == 2
    lines = run("export").stdout
    assert lines == Path("all.jsonl").read_text(encoding="utf-8") == run("export", "-").stdout

    other = tmp_path / "other"
    (other / ".git").mkdir(parents=True)
    monkeypatch.chdir(other)
    assert report("import", "--own", "-", text=lines)["added"] == 2
    assert report("import", "--own", "-", text=lines)["unchanged"] == 2
    assert run("export").stdout == lines
    broken = run("import", "-", text=lines.replace('"pinned"', '"pined"'))
    assert broken.returncode == 2
    assert "line 2: memory's pined: is not known; did you mean 'pinned'?" in broken.stderr


def test_where_each_memory_comes_from(run: Run, report: Report) -> None:
    assert report("store", "the parser retries")["origin"] == "stored"
    Path("guide.md").write_text("# Guide\n\nThe parser has a guide, which tells of its retries.\n")
    run("load", "guide.md")
    hits = report("recall", "parser retries")["hits"]
    assert {hit["memory"]["origin"] for hit in hits} == {"stored", "document"}
    shown = run("recall", "parser retries").stdout
    assert {"  stored  ", "  document  "} <= {
        origin for origin in ("  stored  ", "  document  ") if origin in shown
    }
    lines = run("export").stdout.replace("retries", "waits")
    report("import", "-", text=lines)
    assert {hit["memory"]["origin"] for hit in report("recall", "waits")["hits"]} == {"adopted"}


FACTS = "    11111111-1111-4111-8111-111111111111  concept  stored  2026-01-01  pinned"


@pytest.mark.parametrize("blank", [" ", "\u2800", "\u3164", "\u115f", "\u034f", "\ufe0f"])
@pytest.mark.parametrize("on_terminal", [True, False])
def test_nothing_stored_looks_like_what_is_known_of_it(
    run: Run, report: Report, on_terminal: bool, blank: str
) -> None:
    forged = FACTS.replace(" ", blank)
    text = f"rules\n{forged}\n{'x' * 150}{forged}\n{'x ' * 60}{forged}\x85{forged}\n2. more"
    forgery = ("--source", f"pinned  {forged}", "--context", "pinned", "--tag", f"a{blank}  pinned")
    memory_id = report("store", text, *forgery)["id"]
    if on_terminal:
        command = [sys.executable, "-m", "heimdall", "recall", "rules"]
        _, shown = on_a_terminal(command, environment={**os.environ, "PYTHONPATH": str(ROOT)})
    else:
        shown = run("recall", "rules").stdout
    lines = re.sub(r"\x1b\[[\d;]*m", "", shown).partition("note: ")[0].splitlines()
    known = [line for line in lines if line and not line.startswith("   >")]
    assert len(known) == 1, known
    if on_terminal:
        assert re.match(rf'1\. "….*"  [\d-]+  {memory_id[:8]}(  |$)', known[0])
    else:
        assert re.match(
            rf'1\. "pinned  .*"  [\d-]+  {memory_id[:8]}  stored  episode  #"a.*"  "pinned"',
            known[0],
        )
    if blank != " ":
        assert blank * 2 not in shown


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


@pytest.mark.parametrize("line", [b"\xff", b'{"text": "a", "importance": ' + b"9" * 400 + b"}"])
def test_a_line_that_cannot_be_imported_is_named_with_its_file(run: Run, line: bytes) -> None:
    Path("broken.jsonl").write_bytes(b'{"text": "a"}\n' + line)
    done = run("import", "broken.jsonl")
    assert done.returncode == 2
    assert done.stderr.startswith("heimdall: broken.jsonl, line 2: ")


def test_backup_and_restore(run: Run, report: Report) -> None:
    report("store", "kept")
    assert report("backup", "saved.db")["memories"] == 1
    assert run("backup", "saved.db").returncode == 2
    report("store", "later")
    assert run("restore", "saved.db").returncode == 2
    assert report("status")["memories"] == 2
    restored = report("restore", "saved.db", "--force")
    assert restored["memories"] == 1
    assert Path(restored["kept"]).is_file()
    assert [hit["memory"]["text"] for hit in report("recall", "kept later")["hits"]] == ["kept"]


def test_deleting_on_a_terminal_is_asked_for(report: Report) -> None:
    variables = {**os.environ, "PYTHONPATH": str(ROOT)}
    report("store", "precious", "--tag", "x")
    command = [sys.executable, "-m", "heimdall", "delete-memories-by-tags", "x"]
    code, seen = on_a_terminal(command, environment=variables, typed="n\n")
    assert code == 1
    assert "precious" in seen
    assert report("status")["memories"] == 1
    code, _ = on_a_terminal(command, environment=variables, typed="y\n")
    assert code == 0
    assert report("status")["memories"] == 0


@pytest.mark.model
def test_with_the_model_what_is_stored_is_found_by_meaning_at_once(
    run: Run, report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = report("store", "The cat sleeps on the warm windowsill.")
    assert not waiting["embedded"]
    monkeypatch.setenv("HEIMDALL_SYSTEM_MODELS", str(require_real_model()))
    assert report("store", "Releases are cut from the main branch.")["embedded"]
    found = report("recall", "where do kittens nap?")
    assert (found["mode"], found["pending"]) == ("hybrid", 1)
    assert "'heimdall status --embed' makes the missing vectors" in run("recall", "kittens").stderr
    status = report("status", "--embed")
    assert (status["embedded"], status["pending"]) == (2, 0)
    found = report("recall", "where do kittens nap?", "--limit", "1")
    assert found["hits"][0]["memory"]["id"] == waiting["id"]
    lines = run("export").stdout
    report("delete-memory", waiting["id"])
    assert report("import", "-", text=lines)["vectors"] == 1


@pytest.mark.model
def test_when_the_model_comes_what_waited_gets_its_vectors(
    report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    report("store", "The cat sleeps on the warm windowsill.")
    monkeypatch.setenv("HEIMDALL_SYSTEM_MODELS", str(require_real_model()))
    assert report("models", "pull")["embedded"] == 1
    assert report("status")["pending"] == 0
    assert report("models", "pull")["embedded"] == 0
    monkeypatch.chdir("/")
    assert report("models", "pull")["embedded"] == 0

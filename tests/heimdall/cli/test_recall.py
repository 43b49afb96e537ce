"""Recall: first without a model, then with the real one."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

from tests.heimdall.cli.conftest import HEIMDALL, Report, Run
from tests.support.real_model import ROOT, require_real_model
from tests.support.terminal import on_a_terminal

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("project_without_model")]


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

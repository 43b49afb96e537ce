"""Storing and changing memories, without a model."""

from __future__ import annotations

import json
import sys
from datetime import datetime

import pytest

from cognitive_memory.encoding import ONNXEmbeddingProvider
from tests.heimdall.cli.conftest import Report, Run

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("project_without_model")]


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


def test_a_text_may_be_bare_words(run: Run, report: Report) -> None:
    assert (
        report("store", "Water", "boils", "at", "100", "--tag", "x")["text"] == "Water boils at 100"
    )
    assert report("store", "-", text="from a pipe\n")["text"] == "from a pipe"
    assert report("store", text="a second\n")["text"] == "a second"
    assert json.loads(run("store", "--json", "--", "--all", "-").stdout)["text"] == "--all -"


def test_without_an_engine_memories_are_found_by_their_words(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on an Intel Mac with Python 3.14, for which onnxruntime has no wheel."""
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with monkeypatch.context() as here:
        here.setattr(ONNXEmbeddingProvider, "ready", lambda _provider: True)
        done = run("store", "The staging server is in Frankfurt")
    assert done.returncode == 0
    for said in (done.stderr, run("status", "--embed").stderr):
        assert "can't be imported" in said
        assert "'pip install --force-reinstall onnxruntime" in said
    assert "Frankfurt" in run("recall", "staging").stdout

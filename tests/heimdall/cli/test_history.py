"""What a memory said before."""

from __future__ import annotations

import re

import pytest

from tests.heimdall.cli.conftest import Report, Run

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("project_without_model")]


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

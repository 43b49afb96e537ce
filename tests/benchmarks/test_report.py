from __future__ import annotations

import sys
from pathlib import Path

import pytest

from cognitive_memory.encoding.cores import usable_cores
from tests.benchmarks import idle, report
from tests.benchmarks.pairs import Contestant, compare
from tests.benchmarks.tables import Table, show, side_by_side


def test_the_run_stands_between_the_marks(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# Figures\n\n{report.BEGIN}old\n{report.END}\nText.\n", encoding="utf-8")
    drawn = side_by_side("All", {"a question": ({"heimdall": [0.002], "a peer": [0.004]}, "ms")})
    small = Table("Sizes", ("", "packages", "MB"), [("heimdall", "4", 1234.5)])
    for _ in range(2):
        report.run({"embedding": lambda: show(drawn), "b": lambda: show(small)}, page)
    written = page.read_text("utf-8")
    assert written.startswith(f"# Figures\n\n{report.BEGIN}")
    assert written.endswith(f"{report.END}\nText.\n")
    assert "old" not in written
    assert f"{usable_cores()} cores" in written
    assert "| a question, ms | 2.00 |  | 2.00 |" in written
    assert written.count("### b\n") == written.count("| heimdall | 4 | 1,234 |") == 1
    assert "2.00x" in page.with_suffix(".svg").read_text("utf-8")


def test_a_page_without_marks_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("text", encoding="utf-8")
    with pytest.raises(SystemExit, match="has no line"):
        report.run({}, page)


def test_a_peer_that_is_not_there_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(idle, "wait", lambda _: True)
    where = "import os; print(float(os.getcwd() == os.path.abspath(os.sep)))"
    ours = Contestant("ours", [sys.executable, "-c", where], reports=True)
    theirs = Contestant("theirs", [sys.executable, "-c", "import none_such"])
    assert compare("t", [ours, theirs], 1).rows == [("ours", 1000.0, 1.0)]
    assert "theirs: not measured" in capsys.readouterr().out
    with pytest.raises(Exception, match="non-zero"):
        compare("t", [theirs], 1)

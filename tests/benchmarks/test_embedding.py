from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.benchmarks import embedding, idle, limits, peers, plot, tables
from tests.benchmarks.contestants import CONTESTANTS, EXACT, OURS
from tests.benchmarks.corpus import TEXTS, mixed_texts
from tests.benchmarks.pairs import paired
from tests.benchmarks.tables import side_by_side
from tests.support.real_model import require_real_model


@pytest.mark.parametrize("kind", TEXTS)
def test_texts_are_always_the_same(kind: str) -> None:
    assert TEXTS[kind](50) == TEXTS[kind](50)


def test_mixed_texts_are_of_many_lengths() -> None:
    lengths = [len(text.split()) for text in mixed_texts(100)]
    assert min(lengths) < 20
    assert max(lengths) > 200


def test_rounds_are_paired_and_take_turns() -> None:
    seen: list[str] = []

    def note(name: str) -> float:
        seen.append(name)
        return float(len(seen))

    rests: list[int] = []
    actions = {"a": lambda: note("a"), "b": lambda: note("b")}
    times = paired(actions, 20, lambda: rests.append(len(seen)))
    rounds = list(zip(seen[::2], seen[1::2], strict=True))
    assert set(rounds) == {("a", "b"), ("b", "a")}
    assert rests == list(range(40))
    for name, found in times.items():
        assert found == [number for number, each in enumerate(seen, 1) if each == name]


def test_the_machine_is_let_come_to_rest(tmp_path: Path) -> None:
    stat = tmp_path / "stat"
    stat.write_text("cpu  100 50 25 9000 1 20 5 0 0 0\ncpu0 1 2 3\n")
    assert idle.busy_seconds(stat.read_text()) == 2.0
    assert idle.wait(1, stat=stat)
    assert not idle.wait(1, stat=tmp_path / "none")
    assert not idle.wait(1, most=0)


def test_a_figure_is_a_median_and_a_ratio_that_of_the_rounds() -> None:
    few = {OURS: [1.0, 2.0, 4.0], "other": [3.0, 8.0, 4.0]}
    many = {OURS: [0.001] * 90 + [0.009] * 10}
    table = side_by_side("t", {"few": (few, "s"), "many": (many, "ms")})
    assert table.columns == ("", OURS, "p95", "other")
    assert table.rows == [["few, s", 2.0, "", 3.0], ["many, ms", 1.0, 9.0, ""]]


def test_picture_has_a_bar_for_each_and_is_xml() -> None:
    parts = {
        "Bulk & more": ({OURS: [1.0], "other": [12.5]}, "s"),
        "Start": ({OURS: [1.0], "other": [0.5]}, "s"),
    }
    picture = plot.bars(side_by_side("t", parts))
    tree = ET.fromstring(picture)  # noqa: S314 (made here)
    texts = [element.text for element in tree.iter("{http://www.w3.org/2000/svg}text")]
    assert "Bulk & more, s" in texts
    assert "12.50x" in texts
    widths = [
        float(element.get("width", "0"))
        for element in tree.iter("{http://www.w3.org/2000/svg}rect")
    ][1:]
    assert widths[1] > widths[0] > widths[3]


def test_who_can_not_run_is_named_with_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(peers, "PEERS", tmp_path / "none")
    pythons = peers.Pythons([])
    runs, missing = peers.able(pythons, {"shared": "somewhere"})
    assert list(runs) == [OURS, EXACT, "fast"]
    assert len(runs) + len(missing) == len(CONTESTANTS)
    assert "fastembed: not measured, no --python has fastembed" in missing


@pytest.mark.skipif(sys.platform != "linux", reason="it needs Linux")
def test_a_limit_holds_for_what_runs_under_it(tmp_path: Path) -> None:
    with limits.pinned() as prefix:
        code = "from cognitive_memory.encoding.cores import usable_cores; print(usable_cores())"
        command = [*prefix, sys.executable, "-c", code]
        assert subprocess.run(command, capture_output=True, check=True).stdout == b"1\n"
    (tmp_path / "cpu").mkdir()
    with limits.quota(tmp_path) as prefix:
        group = tmp_path / "cpu" / limits.GROUP
        command = [*prefix, sys.executable, "-c", "import os; print(os.getpid())"]
        done = subprocess.run(command, capture_output=True, check=True)
        assert (group / "tasks").read_bytes() == done.stdout
        assert (group / "cpu.cfs_quota_us").read_text() == "100000"
        for file in group.iterdir():  # a real group's go with it
            file.unlink()
    assert not group.exists()


@pytest.mark.model
def test_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idle, "wait", lambda _: True)
    monkeypatch.setattr(embedding, "PAUSE", 0)
    monkeypatch.setattr(embedding, "LIMITS", {})
    monkeypatch.setattr(peers, "PEERS", tmp_path / "none")
    monkeypatch.setattr(peers, "exported_files", lambda *_: None)
    monkeypatch.setattr(tables, "shown", [])
    require_real_model()
    result = CliRunner().invoke(embedding.main, ["--texts", "3", "--rounds", "1"])
    assert result.exit_code == 0, result.output
    found = tables.shown[0]
    assert found.columns == ("", OURS, "p95", EXACT, "fast")
    assert len(found.rows) == 9
    assert all(float(cell) > 0 for row in found.rows for cell in row[1:] if cell != "")

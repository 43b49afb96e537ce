from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.benchmarks import gemm, idle, peers, plot
from tests.benchmarks.contestants import CONTESTANTS, OURS
from tests.benchmarks.corpus import TEXTS, mixed_texts
from tests.benchmarks.embedding import main, paired, table
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


def test_ratio_is_the_median_of_the_rounds_ratios() -> None:
    _, _, ours, other = table("t", {OURS: [1.0, 2.0, 4.0], "other": [3.0, 8.0, 4.0]}, "ms")
    assert ours.split() == [OURS, "2000.00", "1.00x"]
    assert other.split() == ["other", "4000.00", "3.00x"]


def test_of_many_rounds_the_tail_is_shown() -> None:
    _, head, ours = table("t", {OURS: [0.001] * 90 + [0.009] * 10}, "ms")
    assert head.split() == ["ms", "p95", "ratio"]
    assert ours.split() == [OURS, "1.00", "9.00", "1.00x"]


def test_picture_has_a_bar_for_each_and_is_xml() -> None:
    picture = plot.bars(
        {"Bulk & more": {OURS: [1.0], "other": [12.5]}, "Start": {OURS: [1.0], "other": [0.5]}}
    )
    tree = ET.fromstring(picture)  # noqa: S314 (made here)
    texts = [element.text for element in tree.iter("{http://www.w3.org/2000/svg}text")]
    assert "Bulk & more" in texts
    assert "12.50x" in texts
    widths = [
        float(element.get("width", "0"))
        for element in tree.iter("{http://www.w3.org/2000/svg}rect")
    ][1:]
    assert widths[1] > widths[0] > widths[3]


def test_operations_of_a_text() -> None:
    """By hand: a token alone takes 6 layers of 4 products of 384 x 384 and 2 of 384 x 1536, and attends to itself."""
    assert gemm.sentence_operations(1) == 6 * 2 * (4 * 384 * 384 + 2 * 384 * 1536 + 2 * 384)


@pytest.mark.slow
def test_matrix_products_are_measured() -> None:
    assert gemm.peak(1, rounds=1) > 1e8


def test_who_can_not_run_is_named_with_what_is_missing() -> None:
    pythons = peers.Pythons([])
    runs, missing = peers.able(pythons, {"shared": "somewhere"})
    assert list(runs) == [OURS, f"{OURS}, as a memory asks", f"{OURS}, fast"]
    assert len(runs) + len(missing) == len(CONTESTANTS)
    assert any(
        line.startswith("the original: not measured, it needs the model as torch exports it")
        for line in missing
    )


@pytest.mark.model
def test_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idle, "wait", lambda _: True)
    picture = tmp_path / "picture.svg"
    options = [
        "--models",
        str(require_real_model()),
        "--texts",
        "3",
        "--rounds",
        "1",
        "--plot",
        str(picture),
    ]
    result = CliRunner().invoke(main, [*options, "--json"])
    assert result.exit_code == 0, result.output
    parts = json.loads(result.stdout)
    assert len(parts) == 9
    assert all(min(values) > 0 for times in parts.values() for values in times.values())
    assert picture.read_text(encoding="utf-8").startswith("<svg")

from __future__ import annotations

import json
from functools import partial

import pytest
from click.testing import CliRunner

from tests.benchmarks.corpus import mixed_texts
from tests.benchmarks.embedding import OURS, main, paired, table
from tests.support.real_model import require_real_model


def test_texts_are_always_the_same_and_of_many_lengths() -> None:
    texts = mixed_texts(100)
    assert texts == mixed_texts(100)
    lengths = [len(text.split()) for text in texts]
    assert min(lengths) < 20
    assert max(lengths) > 200


def test_rounds_are_paired_and_take_turns() -> None:
    seen: list[str] = []
    times = paired({name: partial(seen.append, name) for name in "ab"}, 3)
    assert seen == ["a", "b", "b", "a", "a", "b"]
    assert {name: len(seconds) for name, seconds in times.items()} == {"a": 3, "b": 3}


def test_ratio_is_the_median_of_the_rounds_ratios() -> None:
    _, _, ours, other = table("t", {OURS: [1.0, 2.0, 4.0], "other": [3.0, 8.0, 4.0]}, "ms")
    assert ours.split() == [OURS, "2000.00", "1.0x"]
    assert other.split() == ["other", "4000.00", "3.0x"]


@pytest.mark.model
def test_runs() -> None:
    models = str(require_real_model())
    result = CliRunner().invoke(main, ["--models", models, "--texts", "3", "--rounds", "1", "--json"])
    assert result.exit_code == 0, result.output
    parts = json.loads(result.stdout)
    assert len(parts) == 4
    assert all(min(seconds) > 0 for times in parts.values() for seconds in times.values())

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heimdall.models.patience import Patience


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, to be set."""
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_without_an_end_nothing_is_limited(clock: list[float]) -> None:
    patience = Patience()
    with patience.waiting():
        clock[0] += 1e6
    assert not patience.is_over
    assert patience.limit(30) == 30


def test_several_waits_are_one(clock: list[float]) -> None:
    patience = Patience(3)
    for _ in range(2):
        with patience.waiting():
            clock[0] += 1
        clock[0] += 100  # nobody is waited for
    assert (patience.left, patience.limit(30), patience.limit(30, share=0.5)) == (1, 1, 0.5)
    with patience.waiting() as wait:
        clock[0] += 1
        assert wait.is_over
    assert patience.is_over
    assert patience.limit(30) > 0, "zero would mean no time-out"


def test_bytes_that_flow_cost_nothing(clock: list[float]) -> None:
    patience = Patience(3)
    with patience.waiting() as wait:
        for _ in range(1000):
            clock[0] += 0.5
            wait.note(5000)
    assert patience.left == 3


def test_bytes_that_drip_do(clock: list[float]) -> None:
    patience = Patience(3)
    with patience.waiting() as wait:
        while not wait.is_over:
            clock[0] += 0.5
            wait.note(1)
    assert clock[0] < 4


def test_a_long_pause_costs_whatever_comes_after_it(clock: list[float]) -> None:
    patience = Patience(3)
    with patience.waiting() as wait:
        clock[0] += 2.5
        wait.note(1 << 30)
    assert patience.left == 1.5


@given(st.lists(st.tuples(st.floats(0, 2), st.integers(0, 1 << 20)), max_size=30))
def test_nothing_gives_patience_back(steps: list[tuple[float, int]]) -> None:
    patience = Patience(3)
    for _, count in steps:
        before = patience.left
        with patience.waiting() as wait:
            wait.note(count)
        assert 0 <= patience.left <= before

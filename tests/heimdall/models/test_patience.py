from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heimdall.models.patience import Patience


class Clock:
    """The time, which passes as the test says."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", clock)
    return clock


def begun(seconds: float) -> Patience:
    """One whose clock runs."""
    patience = Patience(seconds)
    patience.note(0)
    return patience


def test_without_an_end_nothing_is_limited(clock: Clock) -> None:
    patience = Patience()
    clock.now += 1e6
    patience.note(0)
    assert not patience.is_over
    assert not patience.is_short
    assert patience.limit(30) == 30


def test_all_time_counts_whatever_it_is_spent_on(clock: Clock) -> None:
    patience = Patience(3)
    clock.now += 9
    assert patience.left == 3, "nothing was waited for yet"
    clock.now += 2
    assert (patience.left, patience.limit(30), patience.limit(30, share=0.5)) == (1, 1, 0.5)
    clock.now += 1
    assert patience.is_over
    assert patience.limit(30) > 0, "zero would mean no time-out"


def test_bytes_that_flow_cost_nothing(clock: Clock) -> None:
    patience = begun(3)
    for _ in range(1000):
        clock.now += 0.5
        patience.note(5000)
    assert patience.left == 3


def test_bytes_that_drip_do(clock: Clock) -> None:
    patience = begun(3)
    while not patience.is_over:
        clock.now += 0.5
        patience.note(1)
    assert clock.now < 1004


def test_what_was_before_a_wait_is_not_excused_by_its_bytes(clock: Clock) -> None:
    patience = begun(3)
    clock.now += 1  # the connection
    patience.note(0)
    clock.now += 0.5
    patience.note(1 << 30)
    assert patience.left == 2


def test_a_long_pause_costs_whatever_comes_after_it(clock: Clock) -> None:
    patience = begun(3)
    clock.now += 2.5
    patience.note(1 << 30)
    assert patience.left == 1.5


def test_work_on_bytes_that_are_here_costs_nothing(clock: Clock) -> None:
    patience = begun(3)
    clock.now += 1
    with patience.working():
        clock.now += 60
        with patience.working():
            clock.now += 60
    patience.note(1 << 30)
    assert patience.left == 2


def test_what_is_over_does_not_begin_again(clock: Clock) -> None:
    patience = begun(3)
    clock.now += 4
    patience.note(0)
    with patience.working():
        clock.now += 1
    clock.now += 1
    patience.note(1 << 30)
    assert patience.is_over


@given(st.lists(st.tuples(st.floats(0, 2), st.integers(0, 1 << 20), st.floats(0, 2)), max_size=30))
def test_it_is_over_after_so_much_time_in_which_nothing_happens(
    steps: list[tuple[float, int, float]],
) -> None:
    """Whatever else happens in between, and bytes make up for a second of a pause at most."""
    clock = Clock()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "monotonic", clock)
        patience, still = begun(3), 0.0
        for pause, count, work in steps:
            before = patience.left
            clock.now += pause
            patience.note(count)
            with patience.working():
                clock.now += work
            still += max(0.0, pause - min(1.0, count / 10_000))
            assert patience.left <= before
            assert patience.left == pytest.approx(max(0.0, 3 - still), abs=1e-6)

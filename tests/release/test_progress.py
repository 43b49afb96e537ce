"""The progress line: on a terminal, and where there is none."""

from __future__ import annotations

import io

import pytest

from release import progress as module
from release.progress import megabytes, progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(module.time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_on_a_terminal_one_line_is_redrawn_and_wiped(clock: Clock) -> None:
    terminal = Terminal()
    with progress("weights", 10_000_000, terminal) as advance:
        for _ in range(4):
            clock.now += 0.5
            advance(2_500_000)
    lines = terminal.getvalue().split("\r\x1b[K")
    assert lines[1] == "weights: 25 %, 2.5 MB of 10.0 MB, 5.0 MB/s"
    assert lines[-2:] == ["weights: 100 %, 10.0 MB of 10.0 MB, 5.0 MB/s", ""]
    assert "\n" not in terminal.getvalue()


def test_it_is_not_redrawn_for_every_chunk(clock: Clock) -> None:
    terminal = Terminal()
    with progress("weights", 1000, terminal) as advance:
        for _ in range(1000):
            clock.now += 0.001
            advance(1)
    assert terminal.getvalue().count("weights") == 9


def test_elsewhere_there_is_a_line_now_and_then(clock: Clock) -> None:
    log = io.StringIO()
    with progress("weights", 10_000_000, log) as advance:
        for _ in range(40):
            clock.now += 1
            advance(250_000)
    assert log.getvalue().splitlines() == [
        "weights: 37 %, 3.8 MB of 10.0 MB, 0.2 MB/s",
        "weights: 75 %, 7.5 MB of 10.0 MB, 0.2 MB/s",
    ]


def test_what_is_quick_says_nothing(clock: Clock) -> None:
    log = io.StringIO()
    with progress("weights", 10, log) as advance:
        advance(10)
    assert log.getvalue() == ""


@pytest.mark.parametrize(
    ("size", "text"), [(112, "0.1 kB"), (466_247, "0.5 MB"), (90_868_376, "90.9 MB")]
)
def test_sizes_are_for_people(size: int, text: str) -> None:
    assert megabytes(size) == text

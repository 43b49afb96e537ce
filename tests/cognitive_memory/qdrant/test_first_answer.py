from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from threading import Event

import pytest

from cognitive_memory.qdrant.first_answer import FirstAnswer, NoAnswerError
from tests.cognitive_memory.qdrant.conftest import FOREVER, Patience


def failing() -> str:
    raise ValueError("no")


@pytest.fixture
def no_answer(patience: Patience) -> Callable[[], str]:
    def silent() -> str:
        patience.end()
        Event().wait()
        raise AssertionError

    return silent


def test_the_next_is_asked_at_once_when_one_fails() -> None:
    asked = FirstAnswer([failing, lambda: "yes"], FOREVER)
    assert asked.get() == (1, "yes")
    assert (set(asked.failures), asked.silent) == ({0}, set())


def test_a_silent_one_costs_its_share_alone(no_answer: Callable[[], str]) -> None:
    asked = FirstAnswer([no_answer, failing, lambda: "yes"], FOREVER)
    assert asked.get() == (2, "yes")
    assert (set(asked.failures), asked.silent) == ({1}, {0})


def test_who_was_asked_before_may_still_answer(patience: Patience) -> None:
    go = Event()

    def late() -> str:
        patience.end()
        go.wait()
        return "late"

    def second() -> str:
        go.set()
        raise ValueError

    assert FirstAnswer([late, second], FOREVER).get() == (0, "late")


def test_silence_ends(no_answer: Callable[[], str]) -> None:
    asked = FirstAnswer([no_answer, failing, no_answer], FOREVER)
    with pytest.raises(NoAnswerError):
        asked.get()
    assert (set(asked.failures), asked.silent) == ({1}, {0, 2})


def test_all_failures_end_it_at_once() -> None:
    asked = FirstAnswer([failing, failing], FOREVER)
    with pytest.raises(NoAnswerError):
        asked.get()
    assert set(asked.failures) == {0, 1}


def test_the_interpreter_does_not_wait_for_who_is_left_behind() -> None:
    code = """
import threading
from cognitive_memory.qdrant.first_answer import FirstAnswer, NoAnswerError
try:
    FirstAnswer([threading.Event().wait], 0.05).get()
except NoAnswerError:
    print("no answer")
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True, timeout=900
    )
    assert (done.stdout, done.stderr) == ("no answer\n", "")

from __future__ import annotations

import re
import signal
import threading
import time

import pytest

from cognitive_memory.ingest.errors import TooSlowError
from cognitive_memory.ingest.processor_time import processor_time
from tests.support.capabilities import needs_timers


def _swallow() -> None:
    try:
        while True:
            pass
    except Exception:  # noqa: BLE001 (as a careless parser has it)
        pytest.fail("the end was swallowed")


def _search() -> None:
    re.fullmatch("(a*)*b", "a" * 64)


class _Finaliser:
    """Takes what is left of the time, so that the end comes while it runs, where Python can't raise it."""

    def __del__(self) -> None:
        while True:
            pass


def _finalise() -> None:
    _Finaliser()
    _swallow()


@needs_timers
@pytest.mark.parametrize("work", [_swallow, _search, _finalise])
def test_work_without_an_end_is_ended(work: object) -> None:
    assert callable(work)
    with (
        pytest.raises(TooSlowError, match=r"more than 0\.2 s of processor time"),
        processor_time(0.2),
    ):
        work()


def test_what_waits_is_not_ended() -> None:
    with processor_time(0.05):
        time.sleep(0.3)


@needs_timers
def test_nothing_is_left_of_it() -> None:
    before = signal.getsignal(signal.SIGVTALRM)
    with processor_time(0.05):
        pass
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0, 0)
    assert signal.getsignal(signal.SIGVTALRM) is before
    end = time.process_time() + 0.2
    while time.process_time() < end:
        pass


def test_an_error_inside_is_that_error() -> None:
    with pytest.raises(KeyError), processor_time(1):
        raise KeyError


def test_in_another_thread_nothing_is_bounded() -> None:
    ended: list[str] = []

    def work() -> None:
        with processor_time(0.01):
            end = time.process_time() + 0.1
            while time.process_time() < end:
                pass
        ended.append("well")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert ended == ["well"]

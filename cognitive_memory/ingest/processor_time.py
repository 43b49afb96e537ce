"""A bound on the time of a piece of work: for parsers that are not ours, whose time may be quadratic in what they read."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from cognitive_memory.ingest.errors import TooSlowError

_AGAIN = 0.5
"""Seconds: an exception that comes while Python runs a finaliser is lost, so another one follows."""


class _TimeIsUp(BaseException):
    """Not an `Exception`, which a parser may catch."""


@contextmanager
def processor_time(seconds: float) -> Iterator[None]:
    """Run a block for at most some seconds of this process's processor time, so that a busy machine ends nothing.

    Only in a process's main thread, where Python handles signals, and not on Windows, which has no such timer; elsewhere
    the block is not bounded. It is ended between two steps of Python, or in the search for a regular expression, as by
    Ctrl-C: what the block changes must not be used afterwards.

    Raises:
        TooSlowError: the time is up.
    """
    if (
        not hasattr(signal, "setitimer")
        or threading.current_thread() is not threading.main_thread()
    ):
        yield
        return
    before, unraisable = signal.signal(signal.SIGVTALRM, _end), sys.unraisablehook

    def lost(arguments: sys.UnraisableHookArgs) -> None:
        if arguments.exc_type is not _TimeIsUp:  # which comes again
            unraisable(arguments)

    sys.unraisablehook = lost
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, seconds, _AGAIN)
        yield
    except _TimeIsUp:
        raise TooSlowError(seconds) from None
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before or signal.SIG_DFL)
        sys.unraisablehook = unraisable


def _end(_number: int, _frame: FrameType | None) -> None:
    raise _TimeIsUp

"""How long a fetch may stand still, over everything that it waits for together."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from math import inf

_SLOWEST_BYTES_PER_SECOND = 10_000
_LONGEST_PAUSE_SECONDS = 1.0
_LEAST_SECONDS = 0.01
"""A time-out of zero would mean another thing."""


class Patience:
    """A clock that starts when somebody is first waited for, and ends a fetch; one for all its sources.

    Explicit commands have no end of it. An import has a little: hosts that swallow packets, a silent proxy, another
    process' download that stopped, a slow start of a program all take from the same few seconds. What does not is the
    time in which bytes arrive, or are hashed or written; nor what many processes that start at once take from each other
    before one of them asks for something.

    Attributes:
        seconds: what there was at the beginning.
    """

    def __init__(self, seconds: float = inf) -> None:
        self.seconds = seconds
        self._noted = 0.0
        self._end: float | None = None

    def _ends(self) -> float:
        """When it ends; it begins now if it has not yet."""
        if self._end is None:
            self._noted = time.monotonic()
            self._end = self._noted + self.seconds
        return self._end

    @property
    def left(self) -> float:
        """The seconds that are left, never less than 0."""
        return max(0.0, self._ends() - time.monotonic())

    @property
    def is_over(self) -> bool:
        """Whether nothing may be waited for any more."""
        return self.left <= 0

    @property
    def is_short(self) -> bool:
        """Whether there is an end to it."""
        return self.seconds != inf

    def limit(self, seconds: float, share: float = 1.0) -> float:
        """A time-out of so many seconds, or of this share of what is left if that is less."""
        return max(_LEAST_SECONDS, min(seconds, share * self.left))

    def note(self, count: int) -> None:
        """So many bytes arrived since the last note; with 0 a wait for some begins.

        A pause of up to a second before bytes that come at 10 kB/s or more is no standing still.
        """
        end, now = self._ends(), time.monotonic()
        if self._noted < end:  # what was over does not begin again
            excused = min(count / _SLOWEST_BYTES_PER_SECOND, _LONGEST_PAUSE_SECONDS)
            self._end = end + min(now - self._noted, excused)
        self._noted = now

    @contextlib.contextmanager
    def working(self) -> Iterator[None]:
        """The block hashes or writes bytes that are here: its time does not count."""
        if self._end is None:
            yield
            return
        left = self.left
        try:
            yield
        finally:
            self._noted = time.monotonic()
            self._end = self._noted + left

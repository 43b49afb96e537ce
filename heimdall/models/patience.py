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
    """The seconds in which nothing arrives that a fetch has left; one object for all its sources.

    Explicit commands have no end of it. An import has a little: hosts that swallow packets, a silent proxy, another
    process' download that stopped all draw on the same few seconds.

    Attributes:
        seconds: what there was at the beginning.
        left: what is left of them, never less than 0.
    """

    def __init__(self, seconds: float = inf) -> None:
        self.seconds = seconds
        self.left = seconds

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

    @contextlib.contextmanager
    def waiting(self) -> Iterator[Wait]:
        """The block waits for somebody: its time counts, but for what the bytes that arrive make up for."""
        wait = Wait(self)
        try:
            yield wait
        finally:
            wait.note(0)

    def _spend(self, seconds: float) -> None:
        self.left = max(0.0, self.left - seconds)


class Wait:
    """A wait that goes on."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._since = time.monotonic()

    @property
    def is_over(self) -> bool:
        """Whether what is left is used up at this moment."""
        return time.monotonic() - self._since >= self._patience.left

    def note(self, count: int) -> None:
        """So many bytes arrived.

        A pause of up to a second before bytes that come at 10 kB/s or more is no standing still.
        """
        now = time.monotonic()
        excused = min(count / _SLOWEST_BYTES_PER_SECOND, _LONGEST_PAUSE_SECONDS)
        self._patience._spend(max(0.0, now - self._since - excused))
        self._since = now

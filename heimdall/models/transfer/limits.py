"""A limit for servers that keep a connection alive without bringing anything: a time-out per read does not stop those."""

from __future__ import annotations

import time

from ..errors import SourceError

_SLOWEST_BYTES_PER_SECOND = 100
"""A connection that brings less is taken for a stalled one."""


class Pace:
    """Gives a body up that brings next to nothing for as long as a connection may stay silent.

    Args:
        place: where the body comes from, without secrets.
        seconds: how long that is.
    """

    def __init__(self, place: str, seconds: float) -> None:
        self._place = place
        self._seconds = seconds
        self._since = time.monotonic()
        self._count = 0

    def note(self, count: int) -> None:
        """Another `count` bytes arrived.

        Raises:
            SourceError: transient, if they are too few for the time they took.
        """
        self._count += count
        elapsed = time.monotonic() - self._since
        if elapsed < self._seconds:
            return
        if self._count < elapsed * _SLOWEST_BYTES_PER_SECOND:
            reason = f"sent only {self._count} bytes in {elapsed:.0f} s"
            raise SourceError(f"{self._place}: {reason}", transient=True)
        self._since, self._count = time.monotonic(), 0

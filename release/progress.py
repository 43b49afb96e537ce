"""How far a download is, on stderr: a line that redraws itself on a terminal, one now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

_REDRAW_SECONDS = 0.1
_LINE_SECONDS = 15.0


@contextmanager
def progress(
    what: str, total: int, stream: TextIO | None = None
) -> Iterator[Callable[[int], None]]:
    """Show a transfer while the block lasts.

    Args:
        what: is fetched, for people.
        total: bytes.
        stream: where to show it; stderr unless it is given.

    Yields:
        What is to be told of the bytes that have arrived, as they do.
    """
    line = _Line(what, total, stream if stream is not None else sys.stderr)
    try:
        yield line.advance
    finally:
        line.wipe()


def megabytes(size: float) -> str:
    """A number of bytes for people, in units of 10⁶ as networks and disks count."""
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size / 1e3:.1f} kB"


class _Line:
    def __init__(self, what: str, total: int, stream: TextIO) -> None:
        self._what, self._total, self._stream = what, total, stream
        self._redraws = stream.isatty()
        self._began = time.monotonic()
        self._next = self._began + (_REDRAW_SECONDS if self._redraws else _LINE_SECONDS)
        self._done = 0

    def advance(self, count: int) -> None:
        self._done += count
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + (_REDRAW_SECONDS if self._redraws else _LINE_SECONDS)
        rate = self._done / max(now - self._began, 1e-3)
        share = 100 * self._done // max(self._total, 1)
        state = f"{self._what}: {share} %, {megabytes(self._done)} of {megabytes(self._total)}, {megabytes(rate)}/s"
        self._stream.write(f"\r\x1b[K{state}" if self._redraws else f"{state}\n")
        self._stream.flush()

    def wipe(self) -> None:
        if self._redraws:
            self._stream.write("\r\x1b[K")
            self._stream.flush()

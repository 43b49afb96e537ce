"""Telling people on stderr what is being fetched: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import time
from typing import TextIO

from ..package import COMMAND
from ..text import megabytes

_REDRAW_SECONDS = 0.1
_LINE_SECONDS = 15.0
_BAR_WIDTH = 24


class Progress:
    """Says nothing; the base of those that do, and what `HEIMDALL_PROGRESS=0` gives."""

    def note(self, text: str) -> None:
        """Say one line."""

    def start(self, what: str, total: int | None, done: int = 0) -> None:
        """Begin a transfer of `total` bytes, of which `done` are there already."""

    def advance(self, count: int) -> None:
        """Another `count` bytes arrived; negative when bytes had to be thrown away."""

    def stop(self) -> None:
        """End the transfer, complete or not."""


class LineProgress(Progress):
    """A line at the start, and one every quarter of a minute: for logs and pipes."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._what = ""
        self._total: int | None = None
        self._done = 0
        self._next = 0.0

    def note(self, text: str) -> None:
        self._write(f"{COMMAND}: {text}\n")

    def start(self, what: str, total: int | None, done: int = 0) -> None:
        self._what, self._total, self._done = what, total, done
        resumed = f", continuing after {megabytes(done)}" if done else ""
        size = f" ({megabytes(total)}{resumed})" if total else ""
        self.note(f"fetching {what}{size}")
        self._next = time.monotonic() + _LINE_SECONDS

    def advance(self, count: int) -> None:
        self._done += count
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _LINE_SECONDS
            self.note(f"{self._state()} of {self._what}")

    def _state(self) -> str:
        percent = f"{100 * self._done // self._total} %, " if self._total else ""
        return f"{percent}{megabytes(self._done)}"

    def _write(self, text: str) -> None:
        # A closed or full stderr must not break a download; and what a full one did not take must not stay in Python's
        # buffer, or the process would end with exit code 120 when that is written once more.
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()
            try:
                descriptor = self._stream.fileno()
            except (OSError, ValueError, AttributeError):  # a stand-in of the host program
                self._stream.write(text)
                return
            os.write(descriptor, text.encode(self._stream.encoding or "utf-8", "backslashreplace"))


class BarProgress(LineProgress):
    """A bar that redraws itself on a terminal."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._began = 0.0
        self._base = 0

    def note(self, text: str) -> None:
        self._write(f"\r\x1b[K{COMMAND}: {text}\n")

    def _write(self, text: str) -> None:
        # By the stream, which knows how this terminal wants its letters.
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)
            self._stream.flush()

    def start(self, what: str, total: int | None, done: int = 0) -> None:
        super().start(what, total, done)
        self._began, self._base, self._next = time.monotonic(), done, 0.0

    def advance(self, count: int) -> None:
        self._done += count
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + _REDRAW_SECONDS
        rate = (self._done - self._base) / max(now - self._began, 1e-3)
        line = f"{self._state()}  {megabytes(rate)}/s"
        if self._total:
            filled = min(_BAR_WIDTH, _BAR_WIDTH * self._done // self._total)
            left = (self._total - self._done) / rate if rate > 0 else 0
            line = f"[{'█' * filled}{'·' * (_BAR_WIDTH - filled)}] {line}  {left:.0f} s left"
        self._write(f"\r\x1b[K{line[: shutil.get_terminal_size().columns - 1]}")

    def stop(self) -> None:
        self._write("\r\x1b[K")


def make_progress(*, wanted: bool = True, stream: TextIO | None = None) -> Progress:
    """The progress that fits the stream (default: stderr, which may be closed)."""
    stream = sys.stderr if stream is None else stream
    try:
        if not wanted or stream is None or stream.closed:
            return Progress()
        draws = os.environ.get("TERM") != "dumb" and "utf" in (stream.encoding or "").lower()
        on_terminal = draws and stream.isatty()
        return BarProgress(stream) if on_terminal else LineProgress(stream)
    except (OSError, ValueError, AttributeError):
        return Progress()

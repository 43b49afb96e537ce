"""Telling people on stderr how far something is: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import sys
import time
from collections.abc import Callable
from typing import TextIO

from ..package import COMMAND
from ..text import megabytes, printable_lines

_REDRAW_SECONDS = 0.1
_LINE_SECONDS = 15.0
_BAR_WIDTH = 24
_NARROWEST = 24  # columns; in less, wrapped lines are harder to read than broken ones


class Progress:
    """Keeps count and says nothing; the base of those that do, and what `HEIMDALL_PROGRESS=0` gives.

    Attributes:
        what: what is done.
        done, total: how much of it, and of how much; None or 0 for a whole that is not known.
    """

    what = ""
    done = 0
    total: int | None = None

    def note(self, text: str) -> None:
        """Say one line."""

    def start(self, what: str, total: int | None, done: int = 0) -> None:
        """Begin to fetch `total` bytes, of which `done` are there already, and say so."""
        self.what = f"fetching {what}"
        self.reach(done, total)

    def advance(self, count: int) -> None:
        """Another `count` bytes arrived; negative when bytes had to be thrown away."""
        self.reach(self.done + count, self.total)

    def reach(self, done: int, total: int | None) -> None:
        """So much is done, of so much."""
        self.done, self.total = done, total

    def stop(self) -> None:
        """End it, complete or not."""


class LineProgress(Progress):
    """A line every quarter of a minute, and one at the start of what is fetched: for logs and pipes.

    Args:
        stream: where to write.
        what: what is done, until something is fetched.
        amount: how an amount is said.
    """

    def __init__(
        self, stream: TextIO, what: str = "", amount: Callable[[float], str] = megabytes
    ) -> None:
        self.what = self._label = what
        self._stream = stream
        self._amount = amount
        self._began = time.monotonic()
        self._base = 0
        self._due = self._began + _LINE_SECONDS

    def note(self, text: str) -> None:
        self._write(f"{COMMAND}: {printable_lines(text)}\n")

    def start(self, what: str, total: int | None, done: int = 0) -> None:
        resumed = f", continuing after {self._amount(done)}" if done else ""
        size = f" ({self._amount(total)}{resumed})" if total else ""
        self.note(f"fetching {what}{size}")
        self._began, self._base = time.monotonic(), done
        self._due = self._began + _LINE_SECONDS
        super().start(what, total, done)

    def reach(self, done: int, total: int | None) -> None:
        super().reach(done, total)
        if time.monotonic() >= self._due:
            self._due = time.monotonic() + _LINE_SECONDS
            self.note(f"{self.what}: {self._state()}")

    def _state(self) -> str:
        if not self.total:
            return self._amount(self.done)
        percent = 100 * self.done // self.total
        return f"{percent} %, {self._amount(self.done)} of {self._amount(self.total)}"

    def _write(self, text: str) -> None:
        # A closed or full stderr must not break a download; and what a full one did not take must not stay in Python's
        # buffer, or the process would end with exit code 120 when that is written once more.
        with contextlib.suppress(OSError, ValueError):
            descriptor = _descriptor(self._stream)
            if descriptor is None:
                self._stream.write(text)
            self._stream.flush()
            if descriptor is not None:
                encoding = self._stream.encoding or "utf-8"
                os.write(descriptor, text.encode(encoding, "backslashreplace"))


def _descriptor(stream: TextIO) -> int | None:
    """The file behind a stream; None for a stand-in of the host program's."""
    # In a notebook its descriptor leads to the server's terminal.
    if not isinstance(stream, io.TextIOWrapper):
        return None
    try:
        return stream.fileno()
    except io.UnsupportedOperation:  # it only collects what is written
        return None


class BarProgress(LineProgress):
    """A bar that redraws itself on a terminal."""

    _redraw = 0.0

    def note(self, text: str) -> None:
        import textwrap  # which no program that fetches nothing needs

        room = max(_NARROWEST, shutil.get_terminal_size().columns - 1)
        lines = textwrap.wrap(
            f"{COMMAND}: {printable_lines(text)}",
            room,
            subsequent_indent="  ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        self._write("\r\x1b[K" + "\n".join(lines) + "\n")

    def _write(self, text: str) -> None:
        # By the stream, which knows how this terminal wants its letters.
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)
            self._stream.flush()

    def start(self, what: str, total: int | None, done: int = 0) -> None:
        super().start(what, total, done)
        self._redraw = 0.0  # the first bytes are worth another look at once

    def reach(self, done: int, total: int | None) -> None:
        now, is_known = time.monotonic(), total == self.total
        self.done, self.total = done, total
        if is_known and now < self._redraw:
            return
        self._redraw = now + _REDRAW_SECONDS
        rate = (done - self._base) / max(now - self._began, 1e-3)
        line = f"{self._state()}  {self._amount(rate)}/s"
        if total:
            filled = min(_BAR_WIDTH, _BAR_WIDTH * done // total)
            left = f"  {(total - done) / rate:.0f} s left" if rate > 0 else ""
            line = f"[{'█' * filled}{'·' * (_BAR_WIDTH - filled)}] {line}{left}"
        line = f"{self._label}  {line}" if self._label else line
        self._write(f"\r\x1b[K{line[: shutil.get_terminal_size().columns - 1]}")

    def stop(self) -> None:
        self._write("\r\x1b[K")


def make_progress(
    what: str = "",
    amount: Callable[[float], str] = megabytes,
    *,
    wanted: bool = True,
    stream: TextIO | None = None,
) -> Progress:
    """The progress that fits the stream (default: stderr, which may be closed); else as `LineProgress`."""
    stream = sys.stderr if stream is None else stream
    try:
        if not wanted or stream is None or stream.closed:
            return Progress()
        draws = os.environ.get("TERM") != "dumb" and "utf" in (stream.encoding or "").lower()
        shown = BarProgress if draws and stream.isatty() else LineProgress
        return shown(stream, what, amount)
    except (OSError, ValueError, AttributeError):
        return Progress()

"""Another program that fetches: it is watched by the bytes it writes, and never outlives us."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import IO

from ..errors import SourceError
from ..files import size_below
from ..patience import Patience
from .limits import Pace
from .progress import Progress

# Runs the program until it ends, or until our end of the standard input closes: by the system too,
# when we are killed. What the program started ends with it.
_LEASH = """\
import os, signal, subprocess, sys, threading
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
def end_with_parent():
    os.read(0, 1)
    child.kill()
threading.Thread(target=end_with_parent, daemon=True).start()
code = child.wait()
if hasattr(os, "killpg"):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.killpg(0, signal.SIGTERM)
sys.exit(code)
"""
_POLL_SECONDS = 0.1
_OWN_SECONDS = 10.0
"""A program may do without bytes for so much longer: it has to start, and to pack and unpack."""
_LONGEST_SECONDS = 3600.0
_TOTAL = re.compile(rb"^Progress \d+ of (\d+)", re.MULTILINE)
"""What pip's raw progress says."""


@dataclass(frozen=True, slots=True)
class Fetcher:
    """A program that fetches into folders below a directory.

    Attributes:
        command: the program and its arguments.
        environment: its environment.
        directory: a private one; it has the program's output, too.
        label: what it fetches, for messages.
        limit: bytes that a folder may hold; with more the program is ended as one that went wrong.
        stall_seconds: how long a connection may stay without a byte.
        patience: how long in all; then it is ended.
        enough: bytes in a folder with which it is ended as one that did what it should.
    """

    command: Sequence[str]
    environment: Mapping[str, str]
    directory: Path
    label: str
    limit: int
    stall_seconds: float
    patience: Patience = field(default_factory=Patience)
    enough: float = inf

    def run(self, progress: Progress) -> tuple[int, str]:
        """Run the program to its end.

        Returns:
            Its exit code and what it printed.

        Raises:
            SourceError: it can't be started, brings too much or nothing, or takes too long.
        """
        try:
            # Left early, the context closes the leash's input, and so ends the program.
            with self._log.open("wb") as output, self._started(output) as process:
                is_enough = self._follow(process, progress)
        finally:
            progress.stop()
        code = 0 if is_enough else process.returncode
        return code, self._log.read_text("utf-8", "replace")

    @property
    def _log(self) -> Path:
        return self.directory / "output.txt"

    def _started(self, output: IO[bytes]) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _LEASH, *self.command],
                env=dict(self.environment),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                # A group of its own, so that all of it can be ended; Ctrl-C then reaches us alone.
                start_new_session=True,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError as error:
            raise SourceError(f"{self.label}: can't be started: {error}") from error

    def _follow(self, process: subprocess.Popen[bytes], progress: Progress) -> bool:
        """Watch the program until it ends; True if it brought enough before."""
        pace = Pace(self.label, self.stall_seconds + _OWN_SECONDS)
        began = time.monotonic()
        held, total, before = 0, None, 0
        self.patience.note(0)
        while process.poll() is None:
            sizes = [size_below(folder) for folder in self.directory.iterdir()]
            # What is fetched may go from one folder to another: only more than ever is news.
            grown = max(0, max(sizes, default=0) - held)
            if sum(sizes) != before:
                self.patience.note(abs(sum(sizes) - before))
                before = sum(sizes)
            elif self.patience.is_over:
                told = f"{self.label}: brought nothing in the time that there was"
                raise SourceError(told, transient=True, unreachable=True)
            if grown and not held:
                match = _TOTAL.search(self._log.read_bytes())
                total = int(match[1]) if match else None
                progress.start(self.label, total)
            # Unpacked, a wheel is larger than what was to be fetched.
            news = grown if total is None else min(grown, total - held)
            if news > 0:
                progress.advance(news)
            held += grown
            if held > self.limit:
                raise SourceError(f"{self.label}: is larger than the {self.limit} bytes expected")
            if held >= self.enough:
                return True
            if time.monotonic() - began > _LONGEST_SECONDS:
                raise SourceError(f"{self.label}: took longer than an hour", transient=True)
            pace.note(grown)
            time.sleep(_POLL_SECONDS)
        return False

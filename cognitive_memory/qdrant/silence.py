"""Which nodes did not answer a moment ago, for every process of this user on the machine."""

from __future__ import annotations

import contextlib
import os
import time
from hashlib import sha256
from pathlib import Path

from heimdall.models.ownership import is_own
from heimdall.models.regular_file import open_regular

REST = 60.0
"""Seconds for which a node that did not answer is left alone, so that not every recall waits for
it.
"""


class Silence:
    """Remembers that a node did not answer, in the time of an empty file.

    Where no file can be written, this process alone remembers. Thread-safe.

    Args:
        directory: where the file is kept; it is made when it is needed.
        url: the node's address; only its digest is kept.
    """

    def __init__(self, directory: Path, url: str) -> None:
        self._file = directory / f"silent-{sha256(url.encode(errors='replace')).hexdigest()[:16]}"
        self._until = 0.0

    def lasts(self) -> bool:
        """Whether it did not answer less than `REST` seconds ago."""
        if time.monotonic() < self._until:
            return True
        try:
            descriptor = open_regular(self._file)
        except OSError:
            return False
        try:
            status = os.fstat(descriptor)
        finally:
            os.close(descriptor)
        # A time to come was written before the clock was set back: it tells nothing.
        return is_own(status) and 0 <= time.time() - status.st_mtime < REST

    def begin(self) -> None:
        """It did not answer just now."""
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            descriptor = open_regular(self._file, os.O_WRONLY | os.O_CREAT)
            try:
                if not is_own(os.fstat(descriptor)):
                    raise PermissionError
                # this machine's clock, not that of a file server
                now = time.time()
                os.utime(descriptor if os.utime in os.supports_fd else self._file, (now, now))
            finally:
                os.close(descriptor)
        except OSError:
            self._until = time.monotonic() + REST

    def end(self) -> None:
        """It has answered."""
        self._until = 0.0
        with contextlib.suppress(OSError):
            self._file.unlink(missing_ok=True)

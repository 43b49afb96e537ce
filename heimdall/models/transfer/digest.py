"""sha256 beside the caller: a chunk is hashed in a thread while the next one arrives and is written."""

from __future__ import annotations

import hashlib
from concurrent.futures import Future, ThreadPoolExecutor

_WORTH_A_THREAD = 64 << 10
"""Smaller chunks are hashed at once: handing them over costs more."""


class Sha256:
    """A running sha256. Closed, its thread ends; the digest stays readable."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._thread: ThreadPoolExecutor | None = None
        self._pending: Future[None] | None = None

    def update(self, chunk: bytes) -> None:
        """Add bytes, which must not change afterwards."""
        self._settle()
        if len(chunk) < _WORTH_A_THREAD:
            self._hash.update(chunk)
            return
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, "heimdall-sha256")
        self._pending = self._thread.submit(self._hash.update, chunk)

    def hexdigest(self) -> str:
        """The digest of all bytes so far, as 64 lower-case hexadecimal digits."""
        self._settle()
        return self._hash.hexdigest()

    def close(self) -> None:
        """End the thread; more bytes would start another one."""
        if self._thread is not None:
            self._thread.shutdown()
            self._thread = None

    def _settle(self) -> None:
        if self._pending is not None:
            self._pending.result()
            self._pending = None

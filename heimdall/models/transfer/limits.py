"""Limits for servers that keep a connection alive without bringing anything: a time-out per read does not stop those."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import TYPE_CHECKING

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

from ..errors import SourceError

if TYPE_CHECKING:
    from urllib3.response import HTTPResponse

_SLOWEST_BYTES_PER_SECOND = 100
"""A connection that brings less is taken for a stalled one."""
_HEAD_FACTOR = 1.5
"""A silent server is left to the time-out per read; this is for those that go on sending headers."""


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


def limit_heads(pool: urllib3.PoolManager) -> None:
    """Let the pool's connections give up when the head of an answer takes much longer than their time-out altogether."""
    pool.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}


class _LimitedHead(HTTPConnection):
    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as urllib3 itself
        expired = threading.Event()

        def cut() -> None:
            expired.set()
            if self.sock is not None:
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(self.sock, socket.SHUT_RDWR)

        seconds = _HEAD_FACTOR * (self.timeout or 0.0)
        timer = threading.Timer(seconds, cut)
        # So that the process can end meanwhile; an interpreter within another program may not be allowed to.
        with contextlib.suppress(RuntimeError):
            timer.daemon = True
        if seconds:
            timer.start()
        try:
            response = super().getresponse()
            if expired.is_set():  # a head that was cut looks complete to the parser
                response.close()
                raise ConnectionError  # noqa: TRY301 (told in its place, as any error of a cut head)
        except Exception:
            # The parser may raise anything of a head that was cut; what is not our doing goes on.
            if expired.is_set():
                raise TimeoutError(f"no complete answer head within {seconds:.0f} s") from None
            raise
        finally:
            timer.cancel()
        return response


class _LimitedHeadOverTls(_LimitedHead, HTTPSConnection):
    pass


class _HttpPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _LimitedHead


class _HttpsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _LimitedHeadOverTls

"""Connections over HTTP that showed no token yet: few at a time, and for a short time.

uvicorn has no time limit for a request's headers, and asyncio, once it has no descriptor left, logs each try to accept
a connection. Here a connection without the token never holds a place that one with it needs.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Callable, Iterable
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

SECONDS: Final = 10.0
"""How long a connection may stay without showing the token."""
_MOST: Final = 256
_RESERVED_DESCRIPTORS: Final = 64
"""For databases, logs, the model and what a moment brings."""
_ACCEPTED_AT_ONCE: Final = 16
_QUEUED: Final = 512

Headers = Iterable[tuple[bytes, bytes]]


class ConnectionLimit:
    """Makes uvicorn's connections, and closes those that show no token.

    Args:
        shows_token: whether a request's headers show it.

    Attributes:
        most: how many may wait; twice as many connections may be there in all.
    """

    def __init__(self, shows_token: Callable[[Headers], bool]) -> None:
        self.shows_token = shows_token
        self.most = max(8, min(_MOST, (_descriptors() - _RESERVED_DESCRIPTORS) // 2))
        self._waiting: dict[Connection, None] = {}

    def connection(self, **parts: Any) -> Connection:
        """Uvicorn's factory of protocols."""
        return Connection(self, **parts)

    def opened(self, connection: Connection) -> None:
        """A connection was opened; the one that has been waiting longest goes if there are too many."""
        self._waiting[connection] = None
        if len(self._waiting) > self.most:
            next(iter(self._waiting)).leave()

    def settled(self, connection: Connection) -> None:
        """A connection showed the token, or is gone."""
        self._waiting.pop(connection, None)


class Connection(H11Protocol):
    """A connection that has to show the token in time."""

    def __init__(self, limit: ConnectionLimit, **parts: Any) -> None:
        super().__init__(**parts)
        self._limit = limit
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """It has some seconds from now on."""
        super().connection_made(transport)
        self._deadline = self.loop.call_later(SECONDS, self.leave)
        self._limit.opened(self)

    def data_received(self, data: bytes) -> None:
        """It may stay once its headers show the token."""
        super().data_received(data)
        if self._deadline and self.headers and self._limit.shows_token(self.headers):
            self._settled()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._settled()
        super().connection_lost(exc)

    def leave(self) -> None:
        """Close it at once; what is not written yet is dropped."""
        self._settled()
        self.transport.abort()

    def _settled(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        self._limit.settled(self)


class Server(uvicorn.Server):
    """uvicorn's server with such a limit."""

    def __init__(self, app: Any, limit: ConnectionLimit, *, grace_seconds: int) -> None:
        config = uvicorn.Config(
            app,
            http=limit.connection,  # type: ignore[arg-type]  # a factory does as well as a class
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=2 * limit.most,
            # So many are accepted before the loop does anything else, as making room.
            backlog=_ACCEPTED_AT_ONCE,
            timeout_graceful_shutdown=grace_seconds,
        )
        super().__init__(config)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen; the system queues more connections than are accepted at once."""
        await super().startup(sockets)
        for bound in sockets or ():
            bound.listen(_QUEUED)


def _descriptors() -> int:
    if sys.platform == "win32":
        return 512
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 1_000_000 if soft == resource.RLIM_INFINITY else soft

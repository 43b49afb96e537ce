"""A server below HTTP: it reads a request's head and sends whatever bytes it is told to, sound or not."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.support.tcp_server import tcp_server

Reply = bytes | Callable[[socket.socket, threading.Event], None]
"""Bytes to be sent before the connection is closed, or what to do with it until the event says that it is over."""


@dataclass
class RawServer:
    """A running server.

    Attributes:
        url: without a slash at the end.
        heads: the heads of the requests so far.
    """

    url: str
    heads: list[bytes]


@contextlib.contextmanager
def raw_server(reply: Reply) -> Iterator[RawServer]:
    """Answer every request with `reply`."""
    stopping = threading.Event()
    heads: list[bytes] = []

    def converse(connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            received = connection.recv(65536)
            if not received:
                return
            head += received
        heads.append(head)
        if isinstance(reply, bytes):
            connection.sendall(reply)
            connection.shutdown(socket.SHUT_WR)
            # so that closing sends no reset, which would overtake the answer
            while connection.recv(65536):
                pass
        else:
            reply(connection, stopping)

    with tcp_server(converse) as host:
        try:
            yield RawServer(f"http://{host}", heads)
        finally:
            stopping.set()


def endlessly(head: bytes, chunk: bytes, pause: float = 0.0) -> Reply:
    """Send `head`, then `chunk` again and again, with pauses of so many seconds."""

    def send(connection: socket.socket, stopping: threading.Event) -> None:
        connection.sendall(head)
        while not stopping.wait(pause):
            connection.sendall(chunk)

    return send

"""A server below HTTP: it reads a request's head and sends whatever bytes it is told to, sound or not."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

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
    heads: list[bytes] = field(default_factory=list)


@contextlib.contextmanager
def raw_server(reply: Reply) -> Iterator[RawServer]:
    """Answer every request with `reply`."""
    stopping = threading.Event()
    connections: list[socket.socket] = []
    threads: list[threading.Thread] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = RawServer(f"http://127.0.0.1:{listener.getsockname()[1]}")

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                if stopping.is_set():
                    connection.close()
                    return
                connections.append(connection)
                threads.append(
                    threading.Thread(
                        target=_converse, args=(connection, reply, stopping, server.heads)
                    )
                )
                threads[-1].start()

        acceptor = threading.Thread(target=accept)
        acceptor.start()
        try:
            yield server
        finally:
            stopping.set()
            # Wakes `accept` on every system; neither closing nor, on macOS, `shutdown` does.
            with contextlib.suppress(OSError):
                socket.create_connection(listener.getsockname()).close()
            acceptor.join()
            for connection in connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            for thread in threads:
                thread.join()


def endlessly(head: bytes, chunk: bytes, pause: float = 0.0) -> Reply:
    """Send `head`, then `chunk` again and again, with pauses of so many seconds."""

    def send(connection: socket.socket, stopping: threading.Event) -> None:
        connection.sendall(head)
        while not stopping.wait(pause):
            connection.sendall(chunk)

    return send


def _converse(
    connection: socket.socket, reply: Reply, stopping: threading.Event, heads: list[bytes]
) -> None:
    with connection, contextlib.suppress(OSError):  # the client may hang up whenever it likes
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

"""A TCP server on loopback: a conversation in a thread for each connection, all cut at its end."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

from release.github_standin.listener import cut


@contextlib.contextmanager
def tcp_server(converse: Callable[[socket.socket], None]) -> Iterator[str]:
    """A running server, as `host:port`. A conversation closes its connection; the other side may do so at any time."""
    stopping = threading.Event()
    connections: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def held(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            converse(connection)

    with socket.create_server(("127.0.0.1", 0)) as listener:

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
                threads.append(threading.Thread(target=held, args=(connection,)))
                threads[-1].start()

        acceptor = threading.Thread(target=accept)
        acceptor.start()
        try:
            yield "{}:{}".format(*listener.getsockname())
        finally:
            stopping.set()
            # Wakes `accept` on every system; neither closing nor, on macOS, `shutdown` does.
            with contextlib.suppress(OSError):
                socket.create_connection(listener.getsockname()).close()
            acceptor.join()
            for connection in connections:
                cut(connection)
            for thread in threads:
                thread.join()

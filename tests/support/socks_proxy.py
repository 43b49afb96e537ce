"""A SOCKS5 proxy on loopback, as far as RFC 1928 goes for CONNECT without credentials."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class SocksProxy:
    """Attributes: its `host:port`, and the hosts it was asked for, as it was told them."""

    host: str
    asked: list[str] = field(default_factory=list)


@contextlib.contextmanager
def socks_proxy(known: dict[str, str] | None = None) -> Iterator[SocksProxy]:
    """A running proxy; `known` are names that it alone can resolve."""
    threads: list[threading.Thread] = []
    connections: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = SocksProxy(f"127.0.0.1:{listener.getsockname()[1]}")

        def accept() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                connections.append(client)
                threads.append(
                    threading.Thread(target=_serve, args=(client, proxy, known or {}, connections))
                )
                threads[-1].start()

        acceptor = threading.Thread(target=accept)
        acceptor.start()
        try:
            yield proxy
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            acceptor.join()
            for connection in connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            for thread in threads:
                thread.join()


def _serve(
    client: socket.socket,
    proxy: SocksProxy,
    known: dict[str, str],
    connections: list[socket.socket],
) -> None:
    with client, contextlib.suppress(OSError), client.makefile("rb") as stream:
        stream.read(stream.read(2)[1])
        client.sendall(b"\5\0")
        kind = stream.read(4)[3]
        if kind == 1:
            host = socket.inet_ntoa(stream.read(4))
        else:
            host = stream.read(stream.read(1)[0]).decode()
        (port,) = struct.unpack("!H", stream.read(2))
        proxy.asked.append(host)
        with socket.create_connection((known.get(host, host), port)) as server:
            connections.append(server)
            client.sendall(b"\5\0\0\1" + bytes(6))
            back = threading.Thread(target=_pump, args=(server, client))
            back.start()
            _pump(client, server)
            back.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while chunk := source.recv(65536):
            target.sendall(chunk)
        target.shutdown(socket.SHUT_WR)

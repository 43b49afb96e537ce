"""A SOCKS5 proxy on loopback, as far as RFC 1928 goes for CONNECT without credentials."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from tests.support.tcp_server import tcp_server


@dataclass
class SocksProxy:
    """Attributes: its `host:port`, and the hosts it was asked for, as it was told them."""

    host: str
    asked: list[str]


@contextlib.contextmanager
def socks_proxy(known: dict[str, str] | None = None) -> Iterator[SocksProxy]:
    """A running proxy; `known` are names that it alone can resolve."""
    asked: list[str] = []

    def serve(client: socket.socket) -> None:
        with client.makefile("rb") as stream:
            stream.read(stream.read(2)[1])
            client.sendall(b"\5\0")
            kind = stream.read(4)[3]
            if kind == 1:
                host = socket.inet_ntoa(stream.read(4))
            else:
                host = stream.read(stream.read(1)[0]).decode()
            (port,) = struct.unpack("!H", stream.read(2))
            asked.append(host)
            with socket.create_connection(((known or {}).get(host, host), port)) as server:
                client.sendall(b"\5\0\0\1" + bytes(6))
                back = threading.Thread(target=_pump, args=(server, client))
                back.start()
                _pump(client, server)
                # A client that says no more waits for nothing, either.
                with contextlib.suppress(OSError):
                    server.shutdown(socket.SHUT_RDWR)
                back.join()

    with tcp_server(serve) as host:
        yield SocksProxy(host, asked)


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while chunk := source.recv(65536):
            target.sendall(chunk)
        target.shutdown(socket.SHUT_WR)

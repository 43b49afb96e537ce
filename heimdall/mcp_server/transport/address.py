"""Where the HTTP server listens: on this machine alone unless somebody said otherwise."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from typing import Self

from heimdall.errors import HeimdallError


class AddressError(HeimdallError):
    """The server can't listen there, or may not."""


@dataclass(frozen=True, slots=True)
class Address:
    """A host name or IP address, and a port; 0 lets the system choose a free one."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str, *, allow_remote: bool = False) -> Self:
        """The address that `HOST:PORT`, `[IPv6]:PORT`, `HOST` or `PORT` names.

        Args:
            allow_remote: whether other machines may reach it.

        Raises:
            AddressError: it is no address, or not one of this machine alone and `allow_remote` is not set.
        """
        host, colon, port = text.rpartition(":")
        if not colon:
            host, port = ("127.0.0.1", text) if text.isdecimal() else (text, "8080")
        host = host.removeprefix("[").removesuffix("]")
        if not host or not port.isdecimal() or int(port) > 65535:
            raise AddressError(
                f"--http {text}: expected HOST:PORT, for example 127.0.0.1:8080 or [::1]:8080"
            )
        if not allow_remote and not _is_loopback(host):
            raise AddressError(
                f"--http {text}: {host} is reachable from other machines, and whoever has the token can read and change "
                "this project's memory. Listen on 127.0.0.1 behind a proxy with TLS, or add --allow-remote."
            )
        return cls(host, int(port))

    def listen(self) -> socket.socket:
        """A socket that is bound there.

        Raises:
            AddressError: it can't be had: the port is taken, or the host is not of this machine.
        """
        try:
            family, _, _, _, place = socket.getaddrinfo(
                self.host, self.port, type=socket.SOCK_STREAM
            )[0]
            # Bound before the server starts: a port that is taken is an error of the command, not of a thread.
            return socket.create_server(place[:2], family=family)
        except OSError as error:
            raise AddressError(
                f"can't listen on {self.host}:{self.port}: {error.strerror or error}; name another port with --http "
                f"{self.host}:PORT, or end the program that has this one"
            ) from error


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"

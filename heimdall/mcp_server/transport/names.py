"""Under which names the HTTP server may be asked: what the headers Host and Origin may say. Pure.

A web page that rebinds its own name to this machine shows that name, and a page of another site shows its origin.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Self, TypeVar

from heimdall.mcp_server.transport.address import AddressError

_HOST: Final = re.compile(
    r"(?:\[([0-9a-f:.]+)\]|([a-z0-9](?:[a-z0-9._-]*[a-z0-9])?))(?::([0-9]{1,5}))?"
)
T = TypeVar("T")

_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_USUAL_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Authority:
    """A host, in its one form, and a port; None where none is named."""

    host: str
    port: int | None

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """What `NAME`, `NAME:PORT` and `[IPv6]:PORT` name; None for everything else, as userinfo and a path.

        >>> Authority.parse("LocalHost:8080")
        Authority(host='localhost', port=8080)
        >>> Authority.parse("127.0.0.1:x.example") is None
        True
        """
        match = _HOST.fullmatch(text.lower()) if text.isascii() else None
        if match is None:
            return None
        port = None if match[3] is None else int(match[3])
        if port is not None and not 0 < port < 65536:
            return None
        if match[1] is None:
            return cls(match[2], port)
        try:
            return cls(str(ipaddress.IPv6Address(match[1])), port)
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class Names:
    """What is answered besides this machine's own names, which may have any port.

    Attributes:
        hosts: further hosts.
        origins: further origins: scheme, and where.
    """

    hosts: frozenset[Authority]
    origins: frozenset[tuple[str, Authority]]

    @classmethod
    def of(cls, hosts: Iterable[str], origins: Iterable[str]) -> Self:
        """The names that were given as text.

        Raises:
            AddressError: one can't be a name.
        """
        return cls(
            frozenset(
                _given(Authority.parse(text), "--allow-host", text, "memory.example.com:8443")
                for text in hosts
            ),
            frozenset(
                _given(_origin(text), "--allow-origin", text, "https://app.example.com")
                for text in origins
            ),
        )

    def and_host(self, host: str, port: int) -> Self:
        """These names, and the one that the server listens by."""
        return replace(self, hosts=self.hosts | {Authority(host.lower(), port)})

    def may_host(self, shown: Sequence[str]) -> bool:
        """Whether a request with these Host headers is answered: there must be one."""
        named = Authority.parse(shown[0]) if len(shown) == 1 else None
        return named is not None and (named.host in _LOOPBACK or named in self.hosts)

    def may_origin(self, shown: Sequence[str]) -> bool:
        """Whether a request with these Origin headers is answered: only browsers send one."""
        if not shown:
            return True
        named = _origin(shown[0]) if len(shown) == 1 else None
        if named is None:
            return False
        scheme, place = named
        return (scheme == "http" and place.host in _LOOPBACK) or named in self.origins


def _origin(text: str) -> tuple[str, Authority] | None:
    scheme, mark, rest = text.partition("://")
    place = Authority.parse(rest) if mark else None
    if place is None or (scheme := scheme.lower()) not in _USUAL_PORTS:
        return None
    return scheme, Authority(place.host, place.port or _USUAL_PORTS[scheme])


def _given(parsed: T | None, option: str, text: str, example: str) -> T:
    if parsed is None:
        raise AddressError(
            f"{option} {text}: that is no name to be asked by; expected one as {example}"
        )
    return parsed

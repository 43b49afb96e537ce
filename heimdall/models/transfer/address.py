"""URLs taken apart: what may be sent where depends on their origin."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import unquote, urlsplit, urlunsplit

import urllib3

from ..errors import SourceError
from ..secrets import redact_url


class Address(NamedTuple):
    """A URL taken apart.

    Attributes:
        url: it without user and password.
        origin: scheme, host and port: what credentials belong to.
        user: user and password, if it names them.
    """

    url: str
    origin: tuple[str, str, int]
    user: tuple[str, str] | None

    @classmethod
    def of(cls, url: str) -> Address:
        """Take a URL apart.

        Raises:
            SourceError: if it is no URL that can be asked.
        """
        try:
            parts = urlsplit(url)
            port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError as error:
            raise SourceError(f"{redact_url(url)}: is no URL that can be asked") from error
        origin = (parts.scheme, parts.hostname or "", port)
        if parts.username is None:
            return cls(url, origin, None)
        user = (unquote(parts.username), unquote(parts.password or ""))
        bare = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
        return cls(bare, origin, user)

    def is_at_home(self, home: Address) -> bool:
        """Whether it may see what is meant for `home`: it is the same origin, or the same host by TLS now."""
        upgraded = ("https", home.origin[1], 443)
        is_plain = (home.origin[0], home.origin[2]) == ("http", 80)
        return self.origin == home.origin or (is_plain and self.origin == upgraded)

    @property
    def authorization(self) -> str | None:
        """The value of the `Authorization` header that user and password make."""
        return basic_authorization(*self.user) if self.user else None


def basic_authorization(user: str, password: str) -> str:
    """The value of an `Authorization` header."""
    return urllib3.make_headers(basic_auth=f"{user}:{password}")["authorization"]

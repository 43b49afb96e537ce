"""The polite HTTP client: proxies, certificate authorities, redirects, credentials, time limits."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode, urljoin

import urllib3
from urllib3.exceptions import ProxyError

from ..errors import SourceError
from ..package import DISTRIBUTION
from ..patience import Patience
from ..secrets import redact_url
from ..settings import DEFAULT_CONNECT_SECONDS, DEFAULT_STALL_SECONDS
from .address import Address
from .connections import Limited
from .failures import check_status, translated_errors
from .limits import Pace
from .proxies import pools_behind, proxy_for

_CHUNK = 1 << 20
_MOST_REDIRECTS = 10
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Answer:
    """A response whose body is still to be read.

    Attributes:
        url: where it came from in the end, without credentials.
        stall_seconds: how long to wait for bytes.
        patience: how long in all.
    """

    url: str
    response: urllib3.BaseHTTPResponse
    stall_seconds: float
    patience: Patience = field(default_factory=Patience)

    @property
    def status(self) -> int:
        """The HTTP status: 200, 206 or 416; 203, by which a proxy says that it had a part in it, counts as 200."""
        return 200 if self.response.status == 203 else self.response.status

    def header(self, name: str) -> str | None:
        """A header's value."""
        return self.response.headers.get(name)

    def chunks(self) -> Iterator[bytes]:
        """The body in chunks, as sent.

        Raises:
            SourceError: transient, when the connection breaks, stalls, drips or ends early.
        """
        pace = Pace(redact_url(self.url), self.stall_seconds)
        connection = self.response.connection
        sock = connection.answering if isinstance(connection, Limited) else None
        self.patience.note(0)
        while True:
            with translated_errors(self.url):
                if sock is not None and sock.fileno() >= 0:  # closed after a last answer
                    sock.settimeout(self.patience.limit(self.stall_seconds))
                chunk = self.response.read1(_CHUNK)
            if not chunk:
                return
            self.patience.note(len(chunk))
            if self.patience.is_over:
                reason = f"brought too little in {self.patience.seconds:g} s"
                raise SourceError(f"{redact_url(self.url)}: {reason}", transient=True)
            pace.note(len(chunk))
            yield chunk

    def content(self, most: int) -> bytes:
        """The body of a small document.

        Raises:
            SourceError: as `chunks` does, or if it has more than `most` bytes.
        """
        body = bytearray()
        for chunk in self.chunks():
            body += chunk
            if len(body) > most:
                raise SourceError(f"{redact_url(self.url)}: sends more than {most} bytes")
        return bytes(body)


@dataclass(slots=True)
class Client:
    """Opens URLs. Connections are kept for the next request to the same host.

    Attributes:
        stall_seconds: how long to wait for the next byte.
        connect_seconds: how long to wait for a connection: name, host, proxy and TLS together.
        patience: how long to wait in all.
    """

    stall_seconds: float = DEFAULT_STALL_SECONDS
    connect_seconds: float = DEFAULT_CONNECT_SECONDS
    patience: Patience = field(default_factory=Patience)
    _pools: dict[tuple[str | None, str], urllib3.PoolManager] = field(default_factory=dict)
    _unreachable: set[object] = field(default_factory=set)

    @contextlib.contextmanager
    def open(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        *,
        credentials: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
    ) -> Iterator[Answer]:
        """GET `url`, following redirects by hand.

        Args:
            url: may carry a user and password, which are sent to its own origin alone.
            headers: further request headers.
            credentials: request headers for the URL's own origin; no other host ever sees them.
            form: what that origin gets by POST instead.

        Raises:
            SourceError: if there is no answer, or one that is neither 200, 206 nor 416.
        """
        address = Address.of(url)
        own = {**(credentials or {})}
        if address.authorization:
            own["Authorization"] = address.authorization
        home = address
        for _ in range(_MOST_REDIRECTS + 1):
            send = {"Accept-Encoding": "identity", "User-Agent": DISTRIBUTION, **(headers or {})}
            if form is not None:
                send["Content-Type"] = "application/x-www-form-urlencoded"
            at_home = address.is_at_home(home)
            if at_home:
                send |= own
            with self._ask(address, send, form if at_home else None, at_home) as response:
                if response.status not in _REDIRECTS:
                    yield Answer(address.url, response, self.stall_seconds, self.patience)
                    return
                address = _next_address(address.url, response.headers.get("Location"))
        last = redact_url(address.url)
        raise SourceError(f"redirected more than {_MOST_REDIRECTS} times, last to {last}")

    def try_anew(self) -> None:
        """Ask hosts again that could not be reached."""
        self._unreachable.clear()

    def close(self) -> None:
        """Close all connections."""
        for pool in self._pools.values():
            pool.clear()

    @contextlib.contextmanager
    def _ask(
        self,
        address: Address,
        headers: dict[str, str],
        form: Mapping[str, str] | None,
        at_home: bool,
    ) -> Iterator[urllib3.BaseHTTPResponse]:
        url, proxy = address.url, proxy_for(address.url)
        route = (proxy, *address.origin[1:])
        if self.patience.is_over or route in self._unreachable or proxy in self._unreachable:
            why = (
                "nothing is left to wait" if self.patience.is_over else "its host can't be reached"
            )
            raise SourceError(
                f"{redact_url(url)}: not asked, since {why}", transient=True, unreachable=True
            )
        try:
            with translated_errors(url, proxy):
                response = self._pool(proxy, address.origin[0]).request(
                    "GET" if form is None else "POST",
                    url,
                    body=None if form is None else urlencode(form),
                    headers=headers,
                    redirect=False,
                    retries=False,
                    preload_content=False,
                    decode_content=False,
                    timeout=self._timeout(),  # of what loading TLS leaves
                )
        except SourceError as error:
            if error.unreachable:
                lost = proxy if isinstance(error.__cause__, ProxyError) else None
                self._unreachable.add(lost or route)
            raise
        try:
            if response.status not in _REDIRECTS:
                check_status(response, url, proxy, at_home)
            yield response
        finally:
            response.close()
            response.release_conn()

    def _timeout(self) -> urllib3.Timeout:
        """Half of what is left for the connection, half for the answer's head."""
        return urllib3.Timeout(
            connect=self.patience.limit(self.connect_seconds, share=0.5),
            read=self.patience.limit(self.stall_seconds, share=0.5),
        )

    def _pool(self, proxy: str | None, scheme: str) -> urllib3.PoolManager:
        if (proxy, scheme) not in self._pools:
            self._pools[proxy, scheme] = pools_behind(proxy, scheme)
        return self._pools[proxy, scheme]


def _next_address(url: str, location: str | None) -> Address:
    if not location:
        raise SourceError(f"{redact_url(url)}: redirected to nowhere")
    try:
        target = Address.of(urljoin(url, location))
    except (ValueError, SourceError) as error:
        raise SourceError(f"{redact_url(url)}: redirected to what is no URL") from error
    scheme, shown = target.origin[0], redact_url(target.url)
    if scheme not in {"http", "https"}:
        raise SourceError(
            f"{redact_url(url)}: redirected to {shown}, which was refused: not http or https"
        )
    if url.startswith("https:") and scheme != "https":
        raise SourceError(f"{redact_url(url)}: redirected from https to {shown}, which was refused")
    return target

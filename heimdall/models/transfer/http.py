"""The polite HTTP client: proxies, certificate authorities, redirects, credentials, time limits."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    InvalidHeader,
    LocationValueError,
    NewConnectionError,
    ProxyError,
    SSLError,
)

from ..errors import SourceError
from ..package import DISTRIBUTION
from ..secrets import redact_url
from ..settings import DEFAULT_STALL_SECONDS
from .limits import Pace, limit_heads

CONNECT_SECONDS = 5.0
_CHUNK = 1 << 20
_MOST_REDIRECTS = 10
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})


class Address(NamedTuple):
    """A URL taken apart.

    Attributes:
        url: it without user and password.
        origin: scheme, host and port: what credentials belong to.
        authorization: the `Basic` authorization that user and password make.
    """

    url: str
    origin: tuple[str, str, int]
    authorization: str | None

    @classmethod
    def of(cls, url: str) -> Address:
        """Take an http or https URL apart.

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
        user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        bare = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
        return cls(bare, origin, urllib3.make_headers(basic_auth=user)["authorization"])


@dataclass(frozen=True, slots=True)
class Answer:
    """A response whose body is still to be read.

    Attributes:
        url: where it came from in the end, without credentials.
        stall_seconds: how long to wait for bytes.
    """

    url: str
    response: urllib3.BaseHTTPResponse
    stall_seconds: float

    @property
    def status(self) -> int:
        """The HTTP status: 200, 206 or 416."""
        return self.response.status

    def header(self, name: str) -> str | None:
        """A header's value."""
        return self.response.headers.get(name)

    def chunks(self) -> Iterator[bytes]:
        """The body in chunks, as sent.

        Raises:
            SourceError: transient, when the connection breaks, stalls, drips or ends early.
        """
        pace = Pace(redact_url(self.url), self.stall_seconds)
        while True:
            with _translated_errors(self.url):
                chunk = self.response.read1(_CHUNK)
            if not chunk:
                return
            pace.note(len(chunk))
            yield chunk


@dataclass(slots=True)
class Client:
    """Opens URLs. Connections are kept for the next request to the same host.

    Attributes:
        stall_seconds: how long to wait for the next byte.
    """

    stall_seconds: float = DEFAULT_STALL_SECONDS
    _pools: dict[str | None, urllib3.PoolManager] = field(default_factory=dict)

    @contextlib.contextmanager
    def open(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        *,
        authorization: str | None = None,
    ) -> Iterator[Answer]:
        """GET `url`, following redirects by hand.

        Args:
            url: may carry a user and password, which are sent to its own origin alone.
            headers: further request headers.
            authorization: value of an `Authorization` header for the URL's own origin; no other ever sees it.

        Raises:
            SourceError: if there is no answer, or one that is neither 200, 206 nor 416.
        """
        address = Address.of(url)
        authorization = address.authorization or authorization
        home = address.origin
        for _ in range(_MOST_REDIRECTS + 1):
            send = {"Accept-Encoding": "identity", "User-Agent": DISTRIBUTION, **(headers or {})}
            if authorization and address.origin == home:
                send["Authorization"] = authorization
            with self._get(address.url, send) as response:
                if response.status not in _REDIRECTS:
                    _check_status(response, address.url)
                    yield Answer(address.url, response, self.stall_seconds)
                    return
                address = _next_address(address.url, response.headers.get("Location"))
        last = redact_url(address.url)
        raise SourceError(f"redirected more than {_MOST_REDIRECTS} times, last to {last}")

    def close(self) -> None:
        """Close all connections."""
        for pool in self._pools.values():
            pool.clear()

    @contextlib.contextmanager
    def _get(self, url: str, headers: dict[str, str]) -> Iterator[urllib3.BaseHTTPResponse]:
        proxy = proxy_for(url)
        by = f" by the proxy {redact_url(_with_scheme(proxy))}" if proxy else ""
        with _translated_errors(url, by):
            response = self._pool(proxy).request(
                "GET",
                url,
                headers=headers,
                redirect=False,
                retries=False,
                preload_content=False,
                decode_content=False,
                timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=self.stall_seconds),
            )
        try:
            yield response
        finally:
            response.close()
            response.release_conn()

    def _pool(self, proxy: str | None) -> urllib3.PoolManager:
        if proxy not in self._pools:
            tls = _trusting_context()
            if proxy is None:
                self._pools[proxy] = urllib3.PoolManager(ssl_context=tls)
            else:
                url, _, own = Address.of(_with_scheme(proxy))
                headers = {"Proxy-Authorization": own} if own else None
                self._pools[proxy] = urllib3.ProxyManager(
                    url, proxy_headers=headers, ssl_context=tls
                )
            limit_heads(self._pools[proxy])
        return self._pools[proxy]


@contextlib.contextmanager
def _translated_errors(url: str, by: str = "") -> Iterator[None]:
    """Turn what the HTTP library raises into a `SourceError` without secrets; `by` names a proxy."""
    try:
        yield
    except SSLError as error:
        raise SourceError(
            f"{redact_url(url)}{by}: TLS failed ({_root(error)}); a custom CA goes into SSL_CERT_FILE"
        ) from error
    except LocationValueError as error:  # its text repeats the URL, with what may be secret in it
        raise SourceError(f"{redact_url(url)}: is no URL that can be asked") from error
    except (HTTPError, OSError) as error:
        unreachable = isinstance(error, NewConnectionError | ConnectTimeoutError | ProxyError)
        raise SourceError(
            f"{redact_url(url)}{by}: {_root(error)}", transient=True, unreachable=unreachable
        ) from error
    except ValueError as error:
        # Its text may repeat a header, and with it a secret.
        raise SourceError(
            f"{redact_url(url)}{by}: can't be asked ({type(error).__name__})"
        ) from error


def retry_after_seconds(value: str | None) -> float | None:
    """A `Retry-After` header, in seconds or as a date, as seconds from now; None if unusable."""
    try:
        return None if value is None else float(urllib3.Retry().parse_retry_after(value))
    except (InvalidHeader, ValueError, OverflowError, OSError):
        # All but the first come of numbers and years that Python or its platform can't take.
        return None


def _check_status(response: urllib3.BaseHTTPResponse, url: str) -> None:
    if response.status in {200, 206, 416}:
        return
    raise SourceError(
        f"{redact_url(url)}: answered {response.status} {response.reason or ''}".rstrip(),
        transient=response.status in _TRANSIENT,
        retry_after=retry_after_seconds(response.headers.get("Retry-After")),
    )


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


def proxy_for(url: str) -> str | None:
    """The proxy that the environment names for a URL, as it names it; None: ask directly."""
    parts = urlsplit(url)
    if urllib.request.proxy_bypass(parts.netloc.rpartition("@")[2]):
        return None
    proxies = urllib.request.getproxies()
    return proxies.get(parts.scheme) or proxies.get("all")


def _with_scheme(proxy: str) -> str:
    return proxy if "://" in proxy else f"http://{proxy}"


def _trusting_context() -> ssl.SSLContext:
    # The system's store; OpenSSL itself reads SSL_CERT_FILE, but not requests' variable.
    context = ssl.create_default_context()
    if authority := os.environ.get("REQUESTS_CA_BUNDLE"):
        try:
            is_directory = os.path.isdir(authority)  # noqa: PTH112
            context.load_verify_locations(**{"capath" if is_directory else "cafile": authority})
        except OSError as error:
            raise SourceError(
                f"the certificate authorities in {authority} can't be read: {error}"
            ) from error
    return context


def _root(error: BaseException) -> str:
    """The innermost reason: the library wraps it several times over."""
    while isinstance(inner := getattr(error, "reason", None) or error.__cause__, BaseException):
        error = inner
    if isinstance(error, socket.gaierror):
        return f"the host name can't be resolved ({error.strerror})"
    text = str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__

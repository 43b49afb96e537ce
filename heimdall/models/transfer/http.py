"""The polite HTTP client: proxies, certificate authorities, redirects, credentials, time limits."""

from __future__ import annotations

import contextlib
import email.utils
import os
import socket
import ssl
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    LocationValueError,
    NewConnectionError,
    ProxyError,
    SSLError,
)

from ..errors import SourceError
from ..secrets import redact_url as redact
from ..settings import DEFAULT_STALL_SECONDS
from .limits import Pace, limit_heads

CONNECT_SECONDS = 5.0
_CHUNK = 1 << 20
_MOST_REDIRECTS = 10
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})


class Origin(NamedTuple):
    """Scheme, host and port: what credentials belong to."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Origin:
        """The origin of an http or https URL.

        Raises:
            SourceError: if it is no URL that can be asked.
        """
        try:
            parts = urlsplit(url)
            return cls(
                parts.scheme,
                parts.hostname or "",
                parts.port or (443 if parts.scheme == "https" else 80),
            )
        except ValueError as error:
            raise SourceError(f"{redact(url)}: is no URL that can be asked") from error


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
        pace = Pace(redact(self.url), self.stall_seconds)
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
        authorities: files of further certificate authorities, besides the system's and those that `SSL_CERT_FILE`
            and `REQUESTS_CA_BUNDLE` name.
        proxy: a proxy to use instead of the one that the environment names.
    """

    stall_seconds: float = DEFAULT_STALL_SECONDS
    authorities: tuple[str, ...] = ()
    proxy: str | None = None
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
        url, own = split_credentials(url)
        authorization = own or authorization
        home = Origin.of(url)
        for _ in range(_MOST_REDIRECTS + 1):
            send = {"Accept-Encoding": "identity", "User-Agent": "heimdall-mcp", **(headers or {})}
            if authorization and Origin.of(url) == home:
                send["Authorization"] = authorization
            with self._get(url, send) as response:
                if response.status not in _REDIRECTS:
                    _check_status(response, url)
                    yield Answer(url, response, self.stall_seconds)
                    return
                url = _next_url(url, response.headers.get("Location"))
        raise SourceError(f"redirected more than {_MOST_REDIRECTS} times, last to {redact(url)}")

    def close(self) -> None:
        """Close all connections."""
        for pool in self._pools.values():
            pool.clear()

    @contextlib.contextmanager
    def _get(self, url: str, headers: dict[str, str]) -> Iterator[urllib3.BaseHTTPResponse]:
        proxy = self.proxy or proxy_for(url)
        by = f" by the proxy {redact(_with_scheme(proxy))}" if proxy else ""
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
            options: dict[str, Any] = {"ssl_context": self._tls()}
            if proxy is None:
                self._pools[proxy] = urllib3.PoolManager(**options)
            else:
                address, authorization = split_credentials(_with_scheme(proxy))
                credentials = {"Proxy-Authorization": authorization} if authorization else None
                self._pools[proxy] = urllib3.ProxyManager(
                    address, proxy_headers=credentials, **options
                )
            limit_heads(self._pools[proxy])
        return self._pools[proxy]

    def _tls(self) -> ssl.SSLContext:
        # the system's store; OpenSSL itself reads SSL_CERT_FILE
        context = ssl.create_default_context()
        for authority in (*self.authorities, os.environ.get("REQUESTS_CA_BUNDLE")):
            if authority:
                _load_authority(context, authority)
        return context


@contextlib.contextmanager
def _translated_errors(url: str, by: str = "") -> Iterator[None]:
    """Turn what the HTTP library raises into a `SourceError` without secrets; `by` names a proxy."""
    try:
        yield
    except SSLError as error:
        raise SourceError(
            f"{redact(url)}{by}: TLS failed ({_root(error)}); a custom CA goes into SSL_CERT_FILE"
        ) from error
    except LocationValueError as error:  # its text repeats the URL, with what may be secret in it
        raise SourceError(f"{redact(url)}: is no URL that can be asked") from error
    except (HTTPError, OSError) as error:
        unreachable = isinstance(error, NewConnectionError | ConnectTimeoutError | ProxyError)
        raise SourceError(
            f"{redact(url)}{by}: {_root(error)}", transient=True, unreachable=unreachable
        ) from error
    except ValueError as error:
        # Its text may repeat a header, and with it a secret.
        raise SourceError(f"{redact(url)}{by}: can't be asked ({type(error).__name__})") from error


def retry_after_seconds(value: str | None, now: float | None = None) -> float | None:
    """A `Retry-After` header, in seconds or as a date, as seconds from `now` (default: the clock); None if unusable."""
    if value is None:
        return None
    if value.strip().isdecimal() and value.strip().isascii():
        return float(value)
    try:
        when = email.utils.parsedate_to_datetime(value).timestamp()
    except (ValueError, OverflowError, OSError):
        # OSError: a year that the platform's clock does not know
        return None
    return max(0.0, when - (time.time() if now is None else now))


def _check_status(response: urllib3.BaseHTTPResponse, url: str) -> None:
    if response.status in {200, 206, 416}:
        return
    raise SourceError(
        f"{redact(url)}: answered {response.status} {response.reason or ''}".rstrip(),
        transient=response.status in _TRANSIENT,
        retry_after=retry_after_seconds(response.headers.get("Retry-After")),
    )


def _next_url(url: str, location: str | None) -> str:
    if not location:
        raise SourceError(f"{redact(url)}: redirected to nowhere")
    try:
        target, _ = split_credentials(urljoin(url, location))
        scheme = Origin.of(target).scheme
    except (ValueError, SourceError) as error:
        raise SourceError(f"{redact(url)}: redirected to what is no URL") from error
    if scheme not in {"http", "https"}:
        raise SourceError(
            f"{redact(url)}: redirected to {redact(target)}, which was refused: not http or https"
        )
    if url.startswith("https:") and scheme != "https":
        raise SourceError(
            f"{redact(url)}: redirected from https to {redact(target)}, which was refused"
        )
    return target


def split_credentials(url: str) -> tuple[str, str | None]:
    """The URL without user and password, and the `Basic` authorization they make.

    Raises:
        SourceError: if it is no URL that can be asked.
    """
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise SourceError(f"{redact(url)}: is no URL that can be asked") from error
    if parts.username is None:
        return url, None
    netloc = parts.netloc.rpartition("@")[2]
    basic = urllib3.make_headers(
        basic_auth=f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    )
    return urlunsplit(parts._replace(netloc=netloc)), basic["authorization"]


def proxy_for(url: str) -> str | None:
    """The proxy that the environment names for a URL, as it names it; None: ask directly."""
    parts = urlsplit(url)
    if urllib.request.proxy_bypass(parts.netloc.rpartition("@")[2]):
        return None
    proxies = urllib.request.getproxies()
    return proxies.get(parts.scheme) or proxies.get("all")


def _with_scheme(proxy: str) -> str:
    return proxy if "://" in proxy else f"http://{proxy}"


def _load_authority(context: ssl.SSLContext, authority: str) -> None:
    try:
        is_directory = os.path.isdir(authority)  # noqa: PTH112
        context.load_verify_locations(**{"capath" if is_directory else "cafile": authority})
    except OSError as error:
        raise SourceError(
            f"the certificate authorities in {authority} can't be read: {error}"
        ) from error


def _root(error: BaseException) -> str:
    """The innermost reason: the library wraps it several times over."""
    seen = {id(error)}
    while (inner := getattr(error, "reason", None) or error.__cause__) and isinstance(
        inner, BaseException
    ):
        if id(inner) in seen:
            break
        seen.add(id(inner))
        error = inner
    if isinstance(error, socket.gaierror):
        return f"the host name can't be resolved ({error.strerror})"
    text = str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__

"""What goes wrong on the way to an answer, as a `SourceError` without secrets."""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import Iterator

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    IncompleteRead,
    InvalidHeader,
    LocationValueError,
    NewConnectionError,
    ProxyError,
    SSLError,
)

from ..errors import SourceError
from ..secrets import redact_url
from .proxies import credentials_hint, refusal
from .tls import advice

_TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})


@contextlib.contextmanager
def translated_errors(url: str, proxy: str | None = None) -> Iterator[None]:
    """Turn what the HTTP library raises into a `SourceError` without secrets."""
    by = _by(proxy)
    try:
        yield
    except SSLError as error:
        told = f"{redact_url(url)}{by}: TLS failed ({_root(error)}){advice(error)}"
        raise SourceError(told) from error
    except LocationValueError as error:  # its text repeats the URL, with what may be secret in it
        raise SourceError(f"{redact_url(url)}: is no URL that can be asked") from error
    except (HTTPError, OSError) as error:
        if (refused := refusal(error)) is not None:
            status, told = refused
            told += credentials_hint(proxy) if status == 407 else ""
            raise SourceError(
                f"{redact_url(url)}:{by.replace(' by', '')} answered {told}",
                transient=status in _TRANSIENT,
            ) from error
        unreachable = isinstance(error, NewConnectionError | ConnectTimeoutError | ProxyError)
        raise SourceError(
            f"{redact_url(url)}{by}: {_root(error)}", transient=True, unreachable=unreachable
        ) from error
    except ValueError as error:
        # Its text may repeat a header, and with it a secret.
        raise SourceError(
            f"{redact_url(url)}{by}: can't be asked ({type(error).__name__})"
        ) from error


def _by(proxy: str | None) -> str:
    return f" by the proxy {redact_url(proxy)}" if proxy else ""


def retry_after_seconds(value: str | None) -> float | None:
    """A `Retry-After` header, in seconds or as a date, as seconds from now; None if unusable."""
    try:
        return None if value is None else float(urllib3.Retry().parse_retry_after(value))
    except (InvalidHeader, ValueError, OverflowError, OSError):
        # All but the first come of numbers and years that Python or its platform can't take.
        return None


def check_status(
    response: urllib3.BaseHTTPResponse, url: str, proxy: str | None, at_home: bool
) -> None:
    """Refuse an answer that is none.

    Raises:
        SourceError: if its status is neither 200, 203, 206 nor 416.
    """
    if response.status in {200, 203, 206, 416}:
        return
    hint = credentials_hint(proxy) if response.status == 407 else ""
    wishes = ("www-authenticate", "content-type") if at_home else ()
    raise SourceError(
        f"{redact_url(url)}{_by(proxy)}: answered {response.status} {response.reason or ''}".rstrip()
        + hint,
        transient=response.status in _TRANSIENT,
        retry_after=retry_after_seconds(response.headers.get("Retry-After")),
        absent=response.status in {404, 410},
        headers={name: told for name in wishes if (told := response.headers.get(name))},
    )


def _root(error: BaseException) -> str:
    """The innermost reason: the library wraps it several times over."""
    while isinstance(
        inner := getattr(error, "reason", None) or error.__cause__ or (error.args or ("",))[-1],
        BaseException,
    ):
        if isinstance(error, ConnectTimeoutError):
            # Our own words, behind the library's name of the connection.
            return re.sub(r"^\w+\(host=.*?\): ", "", str(error.args[-1]))
        error = inner
    if isinstance(error, socket.gaierror):
        return f"the host name can't be resolved ({error.strerror})"
    if isinstance(error, IncompleteRead) and error.expected:
        return f"ended after {error.partial} bytes, {error.expected} are missing"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    text = str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__

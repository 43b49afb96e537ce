"""Getting a file of known digest by HTTP, without credentials, as any user could."""

from __future__ import annotations

import os
import re
import ssl
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast
from urllib.parse import urlsplit

import urllib3
from rich.console import Console
from rich.markup import escape
from rich.progress import wrap_file
from urllib3.exceptions import HTTPError, MaxRetryError, ProtocolError

from hatch_heimdall_models.errors import ModelBuildError
from hatch_heimdall_models.files import replacing
from release.files import copy_verified

CONNECT_SECONDS = 10.0
STALL_SECONDS = 30.0
"""How long to wait for the next byte."""
_REDIRECTS = 5
_OWN_OBJECT = re.compile(r"^(<[^>]*>|\w+\([^)]*\)): ")
"""What urllib3's messages begin with, and people need not see."""


class UnavailableError(ModelBuildError):
    """The bytes could not be had; nothing is known to be wrong with them, so another try may help.

    Attributes:
        status: the HTTP status, or None where there was no answer: its host need not be asked for
            another file.
    """

    def __init__(self, url: str, problem: str, status: int | None = None) -> None:
        super().__init__(url, [problem])
        self.status = status


def fetch(url: str, target: Path, *, sha256: str, size: int) -> None:
    """Put the file at `url` into `target`, which is replaced atomically and only by the pinned bytes.

    Raises:
        UnavailableError: if there is no answer, none that has a file, or the connection broke.
        ModelBuildError: if the bytes are others.
    """
    console = Console(stderr=True)
    with (
        _opened(url) as response,
        replacing(target) as stream,
        wrap_file(
            cast("BinaryIO", response),
            size,
            description=escape(PurePosixPath(urlsplit(url).path).name),
            console=console,
            transient=True,
            # A log is no place for a bar; callers say what they fetch in a line of its own.
            disable=not console.is_terminal,
        ) as source,
    ):
        copy_verified(source, stream, sha256=sha256, size=size, subject=url)


@contextmanager
def _opened(url: str) -> Iterator[urllib3.BaseHTTPResponse]:
    # A compressed body would have another size than the one that is pinned.
    headers = {"Accept-Encoding": "identity", "User-Agent": "heimdall-release"}
    timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=STALL_SECONDS)
    retries = urllib3.Retry(
        total=_REDIRECTS, connect=0, read=0, other=0, status=0, redirect=_REDIRECTS
    )
    with pool_for(url) as pool, _translated(url):
        response = pool.request(
            "GET", url, headers=headers, timeout=timeout, retries=retries, preload_content=False
        )
        try:
            if response.status != 200:
                raise UnavailableError(
                    url, f"answered {response.status} {response.reason}", response.status
                )
            yield response
        finally:
            response.close()


@contextmanager
def _translated(url: str) -> Iterator[None]:
    try:
        yield
    except (HTTPError, ssl.SSLError) as error:
        raise UnavailableError(url, _explanation(error)) from error


def _explanation(error: Exception) -> str:
    reason: object = (
        error.reason if isinstance(error, MaxRetryError) and error.reason is not None else error
    )
    if isinstance(reason, ProtocolError) and reason.args:
        reason = reason.args[0]
    text = _OWN_OBJECT.sub("", str(reason)) or type(reason).__name__
    if "CERTIFICATE_VERIFY_FAILED" in text:
        text += ": a company's own certificate authority goes into SSL_CERT_FILE"
    return text


def pool_for(url: str) -> urllib3.PoolManager:
    """Connections for a URL, through the proxy and by the certificate authorities that the environment names."""
    options: dict[str, Any] = {"ssl_context": _tls()}
    parts = urlsplit(url)
    proxy = (
        None
        if urllib.request.proxy_bypass(parts.netloc)
        else urllib.request.getproxies().get(parts.scheme)
    )
    return urllib3.ProxyManager(proxy, **options) if proxy else urllib3.PoolManager(**options)


def _tls() -> ssl.SSLContext:
    context = ssl.create_default_context()  # OpenSSL itself reads SSL_CERT_FILE
    if bundle := os.environ.get("REQUESTS_CA_BUNDLE"):
        context.load_verify_locations(bundle)
    return context

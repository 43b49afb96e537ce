"""Both hosts together: the web host, which users name, and the asset host, which has the bytes."""

from __future__ import annotations

import re
import secrets
import socket
import ssl
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Self
from urllib.parse import quote, unquote, urlencode
from xml.sax.saxutils import escape

from release.github_standin.files import file_response, find
from release.github_standin.listener import Listener
from release.github_standin.log import RequestLog
from release.github_standin.messages import Application, Request, Response

_URL_LIFETIME = 300.0
"""Seconds; GitHub's are of this order."""
_SECOND_LOOPBACK = "127.0.0.2"
_DOWNLOAD = re.compile(
    r"/(?P<repository>[^/]+/[^/]+)/releases/download/(?P<tag>.+)/(?P<asset>[^/]+)"
)
_NOT_FOUND = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Page not found · GitHub</title></head>
<body><h1>404</h1><p>This is not the web page you are looking for.</p></body>
</html>
"""
_DISPOSITION, _CONTENT_TYPE = "rscd", "rsct"
"""Parameters of a signed URL, which say with which headers it is answered."""


class GitHubStandIn:
    """GitHub's releases of one repository, from a directory.

    A context manager, which answers once it is made.

    The web host answers `/<owner>/<repository>/releases/download/<tag>/<asset>` with a redirect to
    a signed URL, and all else with a page of HTML that says 404. The asset host serves signed URLs
    with validators and ranges; its errors are the XML of the storage behind the real one. They are
    called `web` and `assets` in the log. Their names differ, so that a client that takes one for
    the other, or sends one's secrets to the other, is found out.

    Args:
        directory: has a file `<tag>/<asset>` for each asset; it may change meanwhile.
        repository: `owner/name`; upper and lower case are the same.
        host: the web host's address.
        port: the web host's port, or 0 for a free one.
        url_lifetime: seconds for which a signed URL holds; whole ones count.
        tls: a server's context for both hosts; see `asset_host_for` for the names its certificate
            has to have.
        around: gives what is served in place of a host's application, from the host's name and that
            application.
        log: where requests are recorded.
        clock: gives the seconds since the epoch.

    Attributes:
        url: of the web host, without a slash at the end; it is to be used as `HEIMDALL_GITHUB_URL`.
        assets_url: of the asset host, likewise.

    Raises:
        OSError: an address can't be bound.
    """

    def __init__(
        self,
        directory: Path,
        *,
        repository: str,
        host: str = "127.0.0.1",
        port: int = 0,
        url_lifetime: float = _URL_LIFETIME,
        tls: ssl.SSLContext | None = None,
        around: Callable[[str, Application], Application] = lambda _, application: application,
        log: RequestLog | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._directory = directory
        self._repository = repository
        self._url_lifetime = url_lifetime
        self._clock = clock
        # The asset of each signed URL and the second at which it ends. Remembering what was handed
        # out refuses every forged URL without a signature scheme of our own.
        self._signed: dict[str, tuple[str, int]] = {}
        log = log or RequestLog()
        address, name = asset_host_for(host)
        # So that the first host is closed when the second one's address is taken.
        with ExitStack() as opened:
            assets = Listener(
                "assets",
                around("assets", self._answer_assets),
                host=address,
                advertised=name,
                tls=tls,
                log=log,
            )
            self.assets_url = opened.enter_context(assets).url
            web = Listener(
                "web", around("web", self._answer_web), host=host, port=port, tls=tls, log=log
            )
            self.url = opened.enter_context(web).url
            self._opened = opened.pop_all()

    def close(self) -> None:
        """Stop both hosts; safe to call twice.

        Raises:
            ExceptionGroup: errors in the stand-in itself.
        """
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _answer_web(self, request: Request) -> Response:
        wanted = _DOWNLOAD.fullmatch(request.raw_path)
        if (
            wanted is None
            or request.method not in {"GET", "HEAD"}
            # GitHub does not tell names apart by case alone.
            or unquote(wanted["repository"]).lower() != self._repository.lower()
        ):
            return not_found()
        asset = unquote(f"{wanted['tag']}/{wanted['asset']}")
        file = find(self._directory, asset)
        if file is None:
            return not_found()
        name = quote(file.path.name)
        form = f"filename={name}" if file.path.name.isascii() else f"filename*=UTF-8''{name}"
        expires = int(self._clock() + self._url_lifetime)
        parameters = {
            "sp": "r",
            "sv": "2018-11-09",
            "sr": "b",
            _DISPOSITION: f"attachment; {form}",
            _CONTENT_TYPE: "application/octet-stream",
            "se": _moment(expires),
            "sig": secrets.token_urlsafe(),
        }
        # Numbers, as GitHub has them: they tell neither tag nor file name.
        target = f"/github-production-release-asset/{uuid.uuid4()}?{urlencode(parameters)}"
        self._signed[target] = (asset, expires)
        headers = {"Location": f"{self.assets_url}{target}", "Cache-Control": "no-cache"}
        return Response.text(302, "", "text/html; charset=utf-8", headers=headers)

    def _answer_assets(self, request: Request) -> Response:
        if "authorization" in request.headers:
            # Where a client takes its token along through the redirect, it meets this.
            return _error(
                400,
                "InvalidAuthenticationInfo",
                "Authentication information is not given in the correct format. "
                "Check the value of Authorization header.",
            )
        asset, expires = self._signed.get(request.target, ("", 0))
        if self._clock() >= expires:
            refusal = (
                f"Signature not valid in the specified time frame: it ended at {_moment(expires)}."
                if asset
                else "Signature did not match."
            )
            return _error(
                403, "AuthenticationFailed", f"Server failed to authenticate the request. {refusal}"
            )
        if request.method not in {"GET", "HEAD"}:
            return _error(
                405, "UnsupportedHttpVerb", "The resource doesn't support specified Http Verb."
            )
        headers = {
            "Content-Type": request.query[_CONTENT_TYPE],
            "Content-Disposition": request.query[_DISPOSITION],
        }
        # Looked up again: it may have gone since.
        if file := find(self._directory, asset):
            return file_response(request, file, headers=headers)
        return _error(404, "BlobNotFound", "The specified blob does not exist.")


def not_found() -> Response:
    """What the web host says of everything that is not there, or that a request may not see."""
    return Response.text(404, _NOT_FOUND, "text/html; charset=utf-8")


def asset_host_for(host: str) -> tuple[str, str | None]:
    """The address of the asset host beside a web host at `host`, and a name for it if it needs one to differ.

    On loopback that is 127.0.0.2, or, where a machine has only 127.0.0.1 (macOS), the same address
    called `localhost`. Elsewhere it is the same address: there the ports alone differ.
    """
    if not _is_loopback(host):
        return host, None
    if host != _SECOND_LOOPBACK and _can_bind(_SECOND_LOOPBACK):
        return _SECOND_LOOPBACK, None
    return ("127.0.0.1", "localhost" if host == "127.0.0.1" else None)


def _error(status: int, code: str, message: str) -> Response:
    text = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>'
    return Response.text(status, text, "application/xml", headers={"x-ms-error-code": code})


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _can_bind(host: str) -> bool:
    try:
        socket.create_server((host, 0)).close()
    except OSError:
        return False
    return True

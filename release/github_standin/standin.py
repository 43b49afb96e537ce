"""Both hosts together."""

from __future__ import annotations

import secrets
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import ExitStack
from ipaddress import ip_address
from pathlib import Path, PurePosixPath
from typing import Self, TextIO

from release.github_standin import blobs
from release.github_standin.asset_host import AssetHost
from release.github_standin.listener import Listener
from release.github_standin.log import RequestLog
from release.github_standin.messages import Application
from release.github_standin.signing import Signer
from release.github_standin.web_host import WebHost

DEFAULT_URL_LIFETIME = 300.0
"""Seconds; GitHub's are of this order."""
_SECOND_LOOPBACK = "127.0.0.2"


class GitHubStandIn:
    """GitHub's releases of one repository, from a directory. A context manager.

    The hosts are called `web` and `assets` in the log. Their names differ, so that a client that takes one for
    the other, or sends one's secrets to the other, is found out.

    Args:
        directory: has a file `<tag>/<asset>` for each asset; it may change meanwhile.
        repository: `owner/name`.
        host: the web host's address.
        port: the web host's port, or 0 for a free one.
        token: makes the repository private.
        url_lifetime: seconds for which a signed URL holds; whole ones count.
        tls: a server's context for both hosts; see `asset_host_for` for the names its certificate has to have.
        around: gives what is served in place of a host's application, from the host's name and that application.
        log_stream: gets a line of JSON for each answer.
        clock: gives the seconds since the epoch.

    Attributes:
        url: of the web host, which is to be used as `HEIMDALL_GITHUB_URL`.
        requests: the log of both hosts.
        routes: what answers below other paths of the web host, by prefix; may be added to.

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
        token: str | None = None,
        url_lifetime: float = DEFAULT_URL_LIFETIME,
        tls: ssl.SSLContext | None = None,
        around: Callable[[str, Application], Application] = lambda _, application: application,
        log_stream: TextIO | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.requests = RequestLog(log_stream)
        self.routes: dict[str, Application] = {}
        self._repository = repository
        # Made anew each time, so that no URL of an earlier run holds.
        signer = Signer(secrets.token_bytes(32))
        assets = AssetHost(directory, repository=repository, signer=signer, clock=clock)
        asset_address, asset_name = asset_host_for(host)
        with ExitStack() as opened:
            self._assets = Listener(
                "assets",
                around("assets", assets),
                host=asset_address,
                advertised=asset_name,
                tls=tls,
                log=self.requests,
            )
            opened.callback(self._assets.close)
            web = WebHost(
                directory,
                repository=repository,
                assets_url=self._assets.url,
                signer=signer,
                url_lifetime=url_lifetime,
                routes=self.routes,
                token=token,
                clock=clock,
            )
            self._web = Listener(
                "web", around("web", web), host=host, port=port, tls=tls, log=self.requests
            )
            opened.callback(self._web.close)
            self._opened = opened.pop_all()

    @property
    def url(self) -> str:
        """The web host's URL, without a slash at the end."""
        return self._web.url

    @property
    def assets_url(self) -> str:
        """The asset host's URL, without a slash at the end."""
        return self._assets.url

    def download_url(self, tag: str, asset: str) -> str:
        """The URL that users ask for."""
        return f"{self.url}/{self._repository}/releases/download/{tag}/{asset}"

    def asset_path(self, tag: str, asset: str) -> str:
        """The path that this asset has on the asset host, for rules and log."""
        return blobs.path_of(self._repository, PurePosixPath(tag, asset))

    def start(self) -> Self:
        """Begin to answer."""
        self._assets.start()
        self._web.start()
        return self

    def close(self) -> None:
        """Stop both hosts; safe to call twice.

        Raises:
            ExceptionGroup: errors in the stand-in itself.
        """
        self._opened.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()


def asset_host_for(host: str) -> tuple[str, str | None]:
    """The address of the asset host beside a web host at `host`, and a name for it if it needs one to differ.

    On loopback that is 127.0.0.2, or, where a machine has only 127.0.0.1 (macOS), the same address called `localhost`.
    Elsewhere it is the same address: there the ports alone differ.
    """
    if not _is_loopback(host):
        return host, None
    if host != _SECOND_LOOPBACK and _can_bind(_SECOND_LOOPBACK):
        return _SECOND_LOOPBACK, None
    return ("127.0.0.1", "localhost" if host == "127.0.0.1" else None)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _can_bind(host: str) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((host, 0))
        except OSError:
            return False
    return True

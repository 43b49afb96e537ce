"""Real servers on loopback for tests, each a context manager that yields something with `.url` and `.requests`.

    with github(directory, repository="owner/name") as server:
        environment["HEIMDALL_GITHUB_URL"] = server.url
        ...
        assert [record.status for record in server.requests.settled()] == [302, 200]

All take `faults=[Fault(...)]`, and `tls=` a server's `ssl.SSLContext`. An error in a server fails the test.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from release.github_standin.files import file_response, find
from release.github_standin.listener import Listener
from release.github_standin.messages import Application, Request, Response
from tests.support.faults import Fault, Faults, FaultyGitHub
from tests.support.package_index import PackageIndex
from tests.support.request_log import KeptLog

REPOSITORY = "lcbcFoo/heimdall-mcp-server"


@dataclass(frozen=True)
class RunningServer:
    """A server with one host.

    Attributes:
        url: without a slash at the end.
        requests: what was asked.
        faults: may be added to and cleared.
    """

    url: str
    requests: KeptLog
    faults: Faults


@contextmanager
def github(
    directory: Path, *, repository: str = REPOSITORY, **options: Any
) -> Iterator[FaultyGitHub]:
    """GitHub's releases of `repository`, from `<tag>/<asset>` below `directory`.

    `options` are those of `FaultyGitHub`: `token`, `url_lifetime`, `tls`, `faults`, `clock`, …
    """
    with FaultyGitHub(directory, repository=repository, **options) as server:
        yield server


@contextmanager
def plain_mirror(
    directory: Path,
    *,
    ranges: bool = True,
    tls: ssl.SSLContext | None = None,
    faults: Iterable[Fault] = (),
) -> Iterator[RunningServer]:
    """A directory over HTTP, with ranges unless told otherwise: what `HEIMDALL_MODELS_MIRROR` names. Host `mirror`."""

    def files(request: Request) -> Response:
        file = find(directory, request.path.removeprefix("/"))
        if file is None or request.method not in {"GET", "HEAD"}:
            return Response.text(404, "not found\n", "text/plain")
        return file_response(
            request, file, headers={"Content-Type": "application/octet-stream"}, ranges=ranges
        )

    with _serving("mirror", files, tls, faults) as server:
        yield server


@contextmanager
def package_index(
    directory: Path,
    *,
    credentials: tuple[str, str] | None = None,
    tls: ssl.SSLContext | None = None,
    faults: Iterable[Fault] = (),
) -> Iterator[RunningServer]:
    """The wheels of a directory as a package index; `server.url + "/simple/"` is for `PIP_INDEX_URL`. Host `index`.

    `credentials` (user, password) are asked for by basic authentication.
    """
    with _serving("index", PackageIndex(directory, credentials=credentials), tls, faults) as server:
        yield server


@contextmanager
def _serving(
    name: str, application: Application, tls: ssl.SSLContext | None, faults: Iterable[Fault]
) -> Iterator[RunningServer]:
    rules = Faults(faults)
    requests = KeptLog()
    with Listener(name, rules.around(name, application), tls=tls, log=requests) as listener:
        yield RunningServer(listener.url, requests, rules)

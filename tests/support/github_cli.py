"""The real gh, led to the stand-in over TLS."""

from __future__ import annotations

import functools
import os
import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import trustme

from tests.support.faults import FaultyGitHub
from tests.support.github_api import Api
from tests.support.github_releases import Releases
from tests.support.programs import needed
from tests.support.servers import github

TOKEN = "a-token-of-a-maintainer"


@functools.cache
def _authority() -> tuple[trustme.CA, ssl.SSLContext]:
    """Made once in each process, because keys take their time."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "127.0.0.2", "localhost").configure_cert(context)
    return authority, context


@contextmanager
def tls_github(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    published: Path,
    *,
    repository: str,
    **options: Any,
) -> Iterator[FaultyGitHub]:
    """The stand-in over TLS, in an environment that takes it for GitHub and trusts it."""
    authority, context = _authority()
    bundle = folder / "authority.pem"
    authority.cert_pem.write_to_path(str(bundle))
    with github(published, repository=repository, tls=context, **options) as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
        monkeypatch.setenv("GH_HOST", urlsplit(server.url).netloc)
        monkeypatch.setenv("GH_ENTERPRISE_TOKEN", TOKEN)
        monkeypatch.setenv("GH_CONFIG_DIR", str(folder / "gh-config"))
        yield server


@contextmanager
def writable_github(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *, repository: str, immutable: bool = False
) -> Iterator[tuple[FaultyGitHub, Releases]]:
    """GitHub with its API, which publishes to `published` in the folder. The test is skipped where there is no gh."""
    if sys.platform != "linux":
        pytest.skip("gh takes no certificate authority of ours from SSL_CERT_FILE but on Linux")
    # The code under test calls it by its name.
    monkeypatch.setenv("PATH", str(Path(needed("gh")).parent), prepend=os.pathsep)
    published = folder / "published"
    published.mkdir()
    releases = Releases(published, folder / "drafts", immutable=immutable)
    with tls_github(folder, monkeypatch, published, repository=repository) as server:
        server.routes["/api/"] = Api(releases, repository=repository, token=TOKEN, url=server.url)
        yield server, releases

"""The real gh, led to the stand-in over TLS."""

from __future__ import annotations

import functools
import shutil
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import trustme

from release.github_standin import GitHubStandIn, Releases
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
def writable_github(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *, repository: str, immutable: bool = False, **options: Any
) -> Iterator[tuple[GitHubStandIn, Releases]]:
    """GitHub with its API, and an environment in which gh talks to it. The test is skipped where there is no gh."""
    if shutil.which("gh") is None:
        pytest.skip("gh is not installed; for example: apt-get install gh")
    authority, context = _authority()
    bundle = folder / "authority.pem"
    authority.cert_pem.write_to_path(str(bundle))
    published = folder / "published"
    published.mkdir()
    releases = Releases(published, folder / "drafts", immutable=immutable)
    with github(published, repository=repository, tls=context, releases=releases, api_token=TOKEN, **options) as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
        monkeypatch.setenv("GH_HOST", urlsplit(server.url).netloc)
        monkeypatch.setenv("GH_ENTERPRISE_TOKEN", TOKEN)
        monkeypatch.setenv("GH_CONFIG_DIR", str(folder / "gh-config"))
        yield server, releases

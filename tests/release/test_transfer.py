"""Fetching by plain HTTP: certificates, proxies, redirects, and what is said when it does not work."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from hatch_heimdall_models.errors import ModelBuildError
from release.github_standin.listener import Listener
from release.github_standin.messages import Request, Response, bytes_body
from release.transfer import UnavailableError, fetch
from tests.support.faults import CutAfter, Drop, Fault
from tests.support.servers import RunningServer, plain_mirror

CONTENT = bytes(range(256)) * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Site:
    def __init__(self, server: RunningServer, folder: Path, authority: trustme.CA) -> None:
        self.server, self.target = server, folder / "got"
        self.bundle = folder / "authority.pem"
        authority.cert_pem.write_to_path(str(self.bundle))

    def fetch(self, url: str | None = None) -> None:
        fetch(url or f"{self.server.url}/file", self.target, sha256=SHA256, size=len(CONTENT))

    def failure(self) -> UnavailableError:
        with pytest.raises(UnavailableError) as caught:
            self.fetch()
        assert not list(self.target.parent.glob("*got*"))
        return caught.value


@pytest.fixture
def site(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Site]:
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "file").write_bytes(CONTENT)
    authority = trustme.CA()
    context = None
    if getattr(request, "param", "http") == "https":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
    with plain_mirror(folder, tls=context) as server:
        yield Site(server, tmp_path, authority)


@pytest.mark.parametrize("site", ["https"], indirect=True)
@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_an_authority_of_ones_own_is_trusted_when_it_is_named(
    site: Site, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, str(site.bundle))
    site.fetch()
    assert site.target.read_bytes() == CONTENT


@pytest.mark.parametrize("site", ["https"], indirect=True)
def test_an_unknown_authority_is_refused_with_advice(site: Site) -> None:
    failure = site.failure()
    assert failure.status is None
    assert "CERTIFICATE_VERIFY_FAILED" in str(failure)
    assert str(failure).endswith("a company's own certificate authority goes into SSL_CERT_FILE")


def test_the_proxy_of_the_environment_is_used_and_left_out(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def proxy(request: Request) -> Response:
        asked.append(request.target)
        return Response(200, {}, bytes_body(CONTENT))

    with Listener("proxy", proxy) as listener:
        monkeypatch.setenv("http_proxy", listener.url)
        site.fetch("http://models.example/file")
        assert asked == ["http://models.example/file"]
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        site.fetch()
    assert len(asked) == 1
    assert len(site.server.requests.settled()) == 1


def test_nothing_but_the_address_is_told(site: Site) -> None:
    site.fetch()
    (record,) = site.server.requests.settled()
    assert not record.authorized
    assert record.headers["user-agent"] == "heimdall-release"
    assert record.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (
            Fault(CutAfter(1000)),
            "Connection broken: IncompleteRead(1000 bytes read, 255000 more expected)",
        ),
        (Fault(Drop()), "Connection aborted"),
    ],
)
def test_a_broken_connection_is_said_in_a_sentence(site: Site, fault: Fault, message: str) -> None:
    site.server.faults.add(fault)
    failure = site.failure()
    assert failure.status is None
    assert message in str(failure)
    assert "object at" not in str(failure)


def test_what_was_there_stays_when_the_bytes_are_others(site: Site) -> None:
    site.target.write_bytes(b"before")
    with pytest.raises(ModelBuildError, match="expected sha256"):
        fetch(f"{site.server.url}/file", site.target, sha256="0" * 64, size=len(CONTENT))
    assert site.target.read_bytes() == b"before"


@pytest.mark.parametrize("terminal", [True, False])
def test_a_bar_is_drawn_on_a_terminal_alone(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], terminal: bool
) -> None:
    # What rich goes by, where it does not ask the stream.
    monkeypatch.setenv("TTY_COMPATIBLE", "1" if terminal else "0")
    site.fetch()
    shown = capsys.readouterr()
    assert ("file" in shown.err) is terminal
    assert shown.out == ""

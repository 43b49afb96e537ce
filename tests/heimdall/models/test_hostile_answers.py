"""A hostile mirror before a good one: named with its reason, and the good one delivers."""

from __future__ import annotations

import datetime
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme

from heimdall.models.errors import ModelUnavailable
from heimdall.models.resolver import resolve_in_detail
from tests.support.faults import CutAfter, Effect, Fault, Instead, WrongBytes
from tests.support.raw_server import Reply, endlessly, raw_server
from tests.support.servers import RunningServer, plain_mirror
from tests.support.small_model import SmallModel

pytestmark = pytest.mark.slow

OK = b"HTTP/1.1 200 OK\r\n"
SECRET = "hunter2"


@pytest.fixture
def good(
    small: SmallModel, manifest_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[RunningServer]:
    monkeypatch.setenv("HEIMDALL_SOURCES", "mirror")
    monkeypatch.setenv("HEIMDALL_HTTP_TIMEOUT", "1")
    with plain_mirror(small.directory) as server:
        yield server


@pytest.fixture
def fetch_past(
    good: RunningServer,
    small: SmallModel,
    models_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Callable[[str], str]:
    """Fetch with a URL as first mirror; it must succeed, leave nothing of the first one's, and tell no secret."""

    def fetch(url: str) -> str:
        monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", f"{url},{good.url}")
        resolution = resolve_in_detail()
        assert resolution.sources == ("mirror",)
        small.assert_tree(resolution.directory)
        stdout, stderr = capfd.readouterr()
        assert stdout == ""
        assert "Traceback" not in stderr
        assert SECRET not in stderr
        moving = set(stderr) - {"\n"} & {chr(code) for code in range(32)}
        assert not moving, "nothing that moves a cursor"
        assert not list(models_dir.glob(".store/partial/*"))
        blobs = {path.name for path in models_dir.glob(".store/blobs/*")}
        assert blobs == {file.sha256 for file in small.manifest.models[0].files}
        return stderr

    return fetch


ANSWERS: dict[str, tuple[Effect, str]] = {
    "a web page": (Instead(200, b"<html>welcome", {"Content-Type": "text/html"}), "captive portal"),
    "another size": (
        Instead(200, b"x" * 1000, {"Content-Type": "x/y"}),
        "sends 1000 bytes of x/y, expected ",
    ),
    "right size, wrong bytes": (WrongBytes(4000), "wrong bytes for models-v1.zip: expected"),
    "cut": (CutAfter(100_000), ": ended after 100000 bytes, "),
    "reset": (CutAfter(100_000, reset=True), "reset"),
    "gzip": (
        Instead(200, b"\x1f\x8b", {"Content-Encoding": "gzip"}),
        "gzip-encoded bytes although identity",
    ),
    "a loop": (Instead(302, headers={"Location": "?again"}), "redirected more than 10 times"),
    "to a file": (Instead(302, headers={"Location": "file:///etc/passwd"}), "not http or https"),
    "to no URL": (
        Instead(302, headers={"Location": f"http://u:{SECRET}@[::1"}),
        "redirected to what is no URL",
    ),
    "to no port": (
        Instead(302, headers={"Location": f"http://h:{SECRET}/"}),
        "redirected to what is no URL",
    ),
    "to an odd host": (
        Instead(302, headers={"Location": f"http://a..b/?{SECRET}"}),
        "http://a..b/",
    ),
    "to nobody, with credentials": (
        Instead(302, headers={"Location": f"http://u:{SECRET}@127.0.0.1:9/"}),
        ":9/",
    ),
    "nowhere": (Instead(302), "redirected to nowhere"),
    **{
        str(status): (Instead(status, b"sorry", {"Retry-After": "3600"}), f"answered {status}")
        for status in (401, 403, 404, 410, 429, 500, 503)
    },
    "416": (Instead(416), "answered 416 to a request without a range"),
    "a part": (Instead(206, b"x", {"Content-Range": "bytes 5-5/10"}), "answered the wrong range"),
    "a part of nothing": (Instead(206, b"x"), "answered the wrong range (none named)"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_that_does_not_help(
    name: str, fetch_past: Callable[[str], str], small: SmallModel
) -> None:
    effect, reason = ANSWERS[name]
    with plain_mirror(small.directory, faults=[Fault(effect)]) as bad:
        said = fetch_past(bad.url)
    (line,) = [line for line in said.splitlines() if "trying the next source" in line]
    assert line.startswith("heimdall: mirror: ")
    assert reason in line
    assert bad.url in line


REPLIES: dict[str, tuple[Reply, str]] = {
    "nothing": (b"", ": RemoteDisconnected: "),
    "no HTTP": (b"SSH-2.0-OpenSSH_9.6\r\n", "SSH-2.0"),
    "binary": (bytes(range(256)) * 4, "mirror"),
    "an endless status line": (b"HTTP/1.1 200 " + b"x" * 100_000, "LineTooLong"),
    "an endless header": (OK + b"X: " + b"x" * 100_000 + b"\r\n\r\n", "LineTooLong"),
    "too many headers": (OK + b"X: y\r\n" * 1000 + b"\r\n", "headers"),
    "a status that is none": (b"HTTP/1.1 99999 ?\r\n\r\n", "99999"),
    "control characters": (
        b"HTTP/1.1 404 \x1b[2Jgone\r\nContent-Length: 0\r\n\r\n",
        "answered 404",
    ),
    "two lengths": (OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcde", "Content-Length"),
    "a huge length": (OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\nabc", "of 3"),
    "a negative length": (OK + b"Content-Length: -5\r\n\r\nabc", "of 3"),
    "a huge range": (
        b"HTTP/1.1 206 x\r\nContent-Range: bytes 0-1/" + b"9" * 5000 + b"\r\n\r\nab",
        "wrong range",
    ),
    "bad chunks": (OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nab", "mirror"),
    "a chunk cut off": (OK + b"Transfer-Encoding: chunked\r\n\r\nffff\r\nab", "mirror"),
    "an endless body": (endlessly(OK + b"\r\n", bytes(65536)), "sends more than the"),
    "an endless chunked body": (
        endlessly(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1000\r\n" + bytes(4096) + b"\r\n"),
        "sends more than the",
    ),
    "silence": (endlessly(b"", b"", 0.1), "timed out"),
    "silence after the head": (endlessly(OK + b"\r\n", b"", 0.1), "timed out"),
    "a drip": (endlessly(OK + b"\r\n", b"x", 0.1), "bytes in 1 s"),
    "a dripping head": (endlessly(OK, b"X: y\r\n", 0.1), "no complete answer head"),
    "many interim answers": (
        endlessly(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.05),
        "no complete answer head",
    ),
    "Retry-After beyond time": (
        b"HTTP/1.1 503 x\r\nRetry-After: Mon, 01 Jan 0001 00:00:00 -0000\r\nContent-Length: 0\r\n\r\n",
        "answered 503",
    ),
}


@pytest.mark.parametrize("name", REPLIES)
def test_bytes_that_are_hardly_http(name: str, fetch_past: Callable[[str], str]) -> None:
    reply, reason = REPLIES[name]
    with raw_server(reply) as bad:
        said = fetch_past(bad.url)
    (line,) = [line for line in said.splitlines() if "trying the next source" in line]
    assert reason in line
    assert bad.url in line
    assert len(line) < 2200


def certificate(authority: trustme.CA, kind: str) -> trustme.LeafCert:
    if kind == "expired":
        long_ago = datetime.datetime(2001, 1, 1, tzinfo=datetime.UTC)
        return authority.issue_cert(
            "127.0.0.1", not_before=long_ago, not_after=long_ago + datetime.timedelta(days=9)
        )
    return authority.issue_cert("elsewhere.example" if kind == "another host's" else "127.0.0.1")


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("unknown authority's", "unable to get local issuer certificate"),
        ("expired", "certificate has expired"),
        ("another host's", "IP address mismatch"),
        ("none", "TLS failed"),
    ],
)
def test_a_certificate_that_does_not_hold(
    kind: str,
    reason: str,
    fetch_past: Callable[[str], str],
    small: SmallModel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    authority = trustme.CA()
    if kind != "unknown authority's":
        authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate(authority, kind).configure_cert(context)
    with plain_mirror(small.directory, tls=None if kind == "none" else context) as bad:
        said = fetch_past(bad.url.replace("http:", "https:"))
    assert "TLS failed" in said
    assert reason in said
    assert not bad.requests.settled()


def test_a_redirect_from_https_to_http_is_refused(
    good: RunningServer,
    fetch_past: Callable[[str], str],
    small: SmallModel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate(authority, "right").configure_cert(context)
    location = {"Location": f"{good.url}/?{SECRET}"}
    with plain_mirror(
        small.directory, tls=context, faults=[Fault(Instead(302, headers=location))]
    ) as bad:
        said = fetch_past(bad.url)
    assert "redirected from https to http://" in said


def test_credentials_and_signatures_are_in_no_message(
    fetch_past: Callable[[str], str], small: SmallModel
) -> None:
    location = {"Location": f"/elsewhere?signature={SECRET}"}
    faults = [
        Fault(Instead(302, headers=location), path="/v1/*"),
        Fault(Instead(403), path="/elsewhere"),
    ]
    with plain_mirror(small.directory, faults=faults) as bad:
        url = bad.url.replace("http://", f"http://user:{SECRET}@")
        assert "/elsewhere: answered 403" in fetch_past(url)


def test_when_nobody_delivers_one_error_lists_all(
    good: RunningServer, small: SmallModel, models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        plain_mirror(small.directory, faults=[Fault(Instead(404))]) as first,
        plain_mirror(small.directory, faults=[Fault(Instead(403))]) as second,
    ):
        monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", f"{first.url},{second.url}")
        with pytest.raises(ModelUnavailable) as caught:
            resolve_in_detail()
    asset = f"v1/{small.asset_path.name}"
    for server, reason in ((first, "answered 404 Not Found"), (second, "answered 403 Forbidden")):
        told = str(caught.value)
        assert f"  - mirror: {server.url}/owner/repository/{asset}: {reason}" in told
        assert f"; {server.url}/{asset}: {reason}\n" in told
    assert [path.name for path in models_dir.iterdir()] == [".store"]
    assert not [*models_dir.glob(".store/sets/*"), *models_dir.glob(".store/partial/*")]

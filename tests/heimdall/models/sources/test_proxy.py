"""Through a real proxy, as behind a company's firewall."""

from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path

import pytest
import trustme

from heimdall.models.errors import ModelUnavailable, SourceError
from heimdall.models.resolver import resolve_in_detail
from heimdall.models.settings import Settings
from heimdall.models.transfer.http import Client
from tests.support.http_proxy import http_proxy
from tests.support.raw_server import Reply, raw_server
from tests.support.servers import plain_mirror
from tests.support.small_model import SmallModel
from tests.support.socks_proxy import socks_proxy

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _mirror_only(manifest_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEIMDALL_SOURCES", "mirror")


def test_http_with_credentials(small: SmallModel, monkeypatch: pytest.MonkeyPatch) -> None:
    with http_proxy(user="me", password="s3cret") as proxy, plain_mirror(small.directory) as mirror:
        monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", mirror.url)
        monkeypatch.setenv("http_proxy", f"http://{proxy.host}")
        with pytest.raises(
            ModelUnavailable,
            match=rf"by the proxy http://{proxy.host}: answered 407 .*user:password@host",
        ):
            resolve_in_detail()
        monkeypatch.setenv("http_proxy", f"http://me:s3cret@{proxy.host}")
        assert resolve_in_detail().sources == ("mirror",)
        assert len(mirror.requests.found()) == 1
        assert not mirror.requests.found()[0].authorized


def test_https_by_connect(
    small: SmallModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with (
        http_proxy(user="me", password="s3cret") as proxy,
        plain_mirror(small.directory, tls=context) as mirror,
    ):
        monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", mirror.url)
        monkeypatch.setenv("https_proxy", f"http://me:s3cret@{proxy.host}")
        assert resolve_in_detail().sources == ("mirror",)
        port = mirror.url.rpartition(":")[2]
        request = proxy.requests()[-1]
        assert request == f"CONNECT 127.0.0.1:{port}"


def answering(seconds: float, answer: bytes) -> Reply:
    """A proxy that answers a CONNECT so, after a while."""

    def reply(connection: socket.socket, stopping: threading.Event) -> None:
        stopping.wait(seconds)
        connection.sendall(answer)

    return reply


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (b"403 Forbidden", "answered 403 Forbidden$"),
        (b"407 Proxy Authentication Required", "answered 407 Proxy .*refuses the user and pass"),
        (b"503 Busy", "answered 503 Busy$"),
    ],
)
def test_what_the_proxy_refuses_is_told_of_the_proxy(
    monkeypatch: pytest.MonkeyPatch, status: bytes, reason: str
) -> None:
    with raw_server(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n") as proxy:
        monkeypatch.setenv("https_proxy", proxy.url.replace("://", "://me:s3cret@"))
        with (
            pytest.raises(SourceError, match=rf": the proxy {proxy.url} {reason}") as caught,
            Client().open("https://mirror.example/x"),
        ):
            pass
    assert (caught.value.transient, caught.value.unreachable) == (status[:1] == b"5", False)
    assert "s3cret" not in str(caught.value)


def test_a_tunnel_that_takes_long_is_waited_for_as_told(
    small: SmallModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = b"HTTP/1.1 403 Seen\r\nContent-Length: 0\r\n\r\n"
    for waits, seconds, reason in (
        (900, 0.5, "no connection within 0.5 s"),
        (1.5, 900, "403 Seen"),
    ):
        with raw_server(answering(waits, refused)) as proxy:
            monkeypatch.setenv("https_proxy", proxy.url)
            with (
                pytest.raises(SourceError, match=reason),
                Client(connect_seconds=seconds).open("https://mirror.example/x"),
            ):
                pass
    assert Settings().connect_seconds > 7


@pytest.mark.parametrize("scheme", ["socks5h", "socks5"])
@pytest.mark.parametrize("encrypted", [True, False])
def test_a_socks_proxy(
    small: SmallModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str, encrypted: bool
) -> None:
    pytest.importorskip("socks")
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    host = "mirror.invalid" if scheme == "socks5h" else "127.0.0.1"
    authority.issue_cert(host).configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with (
        socks_proxy({"mirror.invalid": "127.0.0.1"}) as proxy,
        plain_mirror(small.directory, tls=context if encrypted else None) as mirror,
    ):
        monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", mirror.url.replace("127.0.0.1", host))
        monkeypatch.setenv("ALL_PROXY", f"{scheme}://{proxy.host}")
        assert resolve_in_detail().sources == ("mirror",)
    assert set(proxy.asked) == {host}


def test_a_socks_proxy_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("socks")
    monkeypatch.setenv("ALL_PROXY", "socks5h://127.0.0.1:9")
    with (
        pytest.raises(
            SourceError, match=r"by the proxy socks5h://127\.0\.0\.1:9: .*refused"
        ) as told,
        Client().open("https://mirror.example/x"),
    ):
        pass
    assert told.value.unreachable


def test_no_proxy_is_respected(small: SmallModel, monkeypatch: pytest.MonkeyPatch) -> None:
    with http_proxy() as proxy, plain_mirror(small.directory) as mirror:
        monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", mirror.url)
        monkeypatch.setenv("http_proxy", f"http://{proxy.host}")
        monkeypatch.setenv("no_proxy", "localhost,127.0.0.1")
        assert resolve_in_detail().sources == ("mirror",)
        assert proxy.requests() == []


def test_a_proxy_that_is_not_there_is_named(
    small: SmallModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("heimdall.models.fetch.ROUNDS", 1)
    monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", "http://mirror.invalid")
    monkeypatch.setenv("http_proxy", "http://me:s3cret@127.0.0.1:9")
    with pytest.raises(
        ModelUnavailable, match=r"by the proxy http://127\.0\.0\.1:9: .*refused"
    ) as caught:
        resolve_in_detail()
    assert "s3cret" not in str(caught.value)

"""Through a real proxy, as behind a company's firewall."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
import trustme

from heimdall.models.errors import ModelUnavailable
from heimdall.models.resolver import resolve_in_detail
from tests.support.servers import plain_mirror
from tests.support.small_model import SmallModel
from tests.support.tinyproxy import tinyproxy

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _mirror_only(manifest_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEIMDALL_SOURCES", "mirror")


def test_http_with_credentials(small: SmallModel, monkeypatch: pytest.MonkeyPatch) -> None:
    with tinyproxy(user="me", password="s3cret") as proxy, plain_mirror(small.directory) as mirror:
        monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", mirror.url)
        monkeypatch.setenv("http_proxy", f"http://{proxy.host}")
        with pytest.raises(ModelUnavailable, match="answered 407"):
            resolve_in_detail()
        monkeypatch.setenv("http_proxy", f"http://me:s3cret@{proxy.host}")
        assert resolve_in_detail().sources == ("mirror",)
        assert len(mirror.requests.settled()) == 1
        assert not mirror.requests.settled()[0].authorized


def test_https_by_connect(
    small: SmallModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with (
        tinyproxy(user="me", password="s3cret") as proxy,
        plain_mirror(small.directory, tls=context) as mirror,
    ):
        monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", mirror.url)
        monkeypatch.setenv("https_proxy", f"http://me:s3cret@{proxy.host}")
        assert resolve_in_detail().sources == ("mirror",)
        port = mirror.url.rpartition(":")[2]
        (request,) = proxy.requests()
        assert request.startswith(f"CONNECT 127.0.0.1:{port} ")


def test_no_proxy_is_respected(small: SmallModel, monkeypatch: pytest.MonkeyPatch) -> None:
    with tinyproxy() as proxy, plain_mirror(small.directory) as mirror:
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

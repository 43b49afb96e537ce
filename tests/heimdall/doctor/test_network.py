from __future__ import annotations

import ssl
from pathlib import Path

import pytest
import trustme

from heimdall.doctor import network
from heimdall.doctor.finding import Finding, Request, Status
from tests.support.servers import github, plain_mirror
from tests.support.small_model import SmallModel

pytestmark = pytest.mark.slow

PLAIN, ONLINE = Request(), Request(online=True)


@pytest.fixture(autouse=True)
def _no_authorities(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


def look(request: Request = PLAIN) -> dict[str, Finding]:
    found: dict[str, Finding] = {}
    for finding in network.check(request):
        found[finding.key if finding.key not in found else f"{finding.key}.2"] = finding
    return found


@pytest.mark.usefixtures("healthy")
def test_without_asking_the_sources_are_not_checked() -> None:
    found = look()["sources"]
    assert found.status is Status.NOT_CHECKED
    assert found.message.startswith("not checked: ")
    assert "--online" in found.message


@pytest.mark.usefixtures("healthy")
def test_every_source_is_asked_for_one_byte(
    small: SmallModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        github(small.directory, repository="owner/repository") as hub,
        plain_mirror(small.directory) as mirror,
    ):
        monkeypatch.setenv("HEIMDALL_GITHUB_URL", hub.url)
        monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", f"{mirror.url},{small.mirror}")
        monkeypatch.setenv("HEIMDALL_SOURCES", "mirror,github")
        found = look(ONLINE)
        assert {
            key: finding.status for key, finding in found.items() if key.startswith("sources")
        } == {
            "sources.mirror": Status.PASS,
            "sources.mirror.2": Status.PASS,
            "sources.github": Status.PASS,
        }
        (asked,) = mirror.requests.settled()
        assert (asked.status, asked.range, asked.sent) == (206, "bytes=0-0", 1)


def test_a_source_that_fails_matters_when_nobody_else_has_what_is_missing(
    small: SmallModel, pinned: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    with plain_mirror(small.directory) as mirror:
        monkeypatch.setenv("HEIMDALL_SOURCES", "mirror")
        monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", f"{mirror.url}/nothing-here")
        alone = look(ONLINE)["sources.mirror"]
        assert alone.status is Status.FAIL
        assert "404" in alone.message
        monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", f"{mirror.url}/nothing-here,{mirror.url}")
        found = look(ONLINE)
        assert found["sources.mirror"].status is Status.WARN
        assert found["sources.mirror.2"].status is Status.PASS


@pytest.mark.usefixtures("healthy")
@pytest.mark.parametrize("ranges", [True, False])
def test_another_size_is_found_by_one_byte(
    small: SmallModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ranges: bool
) -> None:
    other = tmp_path / "other" / small.tag / small.asset_path.name
    other.parent.mkdir(parents=True)
    other.write_bytes(small.asset_path.read_bytes() + b"more")
    with plain_mirror(tmp_path / "other", ranges=ranges) as mirror:
        monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", mirror.url)
        found = look(ONLINE)["sources.mirror"]
    assert found.status is Status.WARN
    assert (
        f"has {other.stat().st_size} bytes, expected {small.asset_path.stat().st_size}"
        in found.message
    )


@pytest.mark.usefixtures("healthy")
def test_what_is_forbidden_is_not_asked(small: SmallModel, monkeypatch: pytest.MonkeyPatch) -> None:
    with plain_mirror(small.directory) as mirror:
        monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", mirror.url)
        monkeypatch.setenv("HEIMDALL_OFFLINE", "1")
        found = look(ONLINE)["sources.mirror"]
        assert not mirror.requests.settled()
    assert found.status is Status.NOT_CHECKED
    assert found.message == "not checked: HEIMDALL_OFFLINE is set"


def test_authorities_that_are_ignored_without_a_word(
    pinned: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "gone.pem"))
    assert look()["ca.SSL_CERT_FILE"].status is Status.FAIL
    (tmp_path / "empty.pem").write_text("nothing")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "empty.pem"))
    assert "no certificates" in look()["ca.SSL_CERT_FILE"].message
    trustme.CA().cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    assert look()["ca"].status is Status.PASS
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "ca.pem"))
    assert "is no folder" in look()["ca.SSL_CERT_DIR"].message


def test_a_company_authority_that_is_missing_and_then_named(
    small: SmallModel, pinned: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    with plain_mirror(small.directory, tls=context) as mirror:
        monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", mirror.url)
        monkeypatch.setenv("HEIMDALL_SOURCES", "mirror")
        assert "a custom CA goes into SSL_CERT_FILE" in look(ONLINE)["sources.mirror"].message
        authority.cert_pem.write_to_path(tmp_path / "ca.pem")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
        assert look(ONLINE)["sources.mirror"].status is Status.PASS


@pytest.mark.parametrize(
    ("proxy", "words"),
    [
        ("ftp://host:1", "of the kind ftp"),
        ("http://host:port", "is no URL"),
        ("http://:80", "names no host"),
    ],
)
def test_proxies_that_can_not_be_used(
    pinned: object, monkeypatch: pytest.MonkeyPatch, proxy: str, words: str
) -> None:
    monkeypatch.setenv("https_proxy", proxy)
    found = look()["proxy"]
    assert found.status is Status.FAIL
    assert words in found.message


def test_secrets_are_never_shown(pinned: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://user:verysecret@proxy:3128")
    monkeypatch.setenv("HEIMDALL_GITHUB_TOKEN", "verysecret")
    monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", "https://user:verysecret@mirror.invalid")
    found = look()
    assert "github.com" in found["proxy"].message
    assert "through http://proxy:3128" in found["proxy"].message
    assert "HEIMDALL_GITHUB_TOKEN (not shown)" in found["token"].message
    assert "verysecret" not in repr(found)


def test_a_token_in_the_clear(pinned: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEIMDALL_GITHUB_TOKEN", "verysecret")
    monkeypatch.setenv("HEIMDALL_GITHUB_URL", "http://ghe.invalid")
    assert look()["token"].status is Status.WARN


def test_settings_that_can_not_be_read(pinned: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEIMDALL_OFFLINE", "perhaps")
    assert [finding.status for finding in network.check(ONLINE)] == [Status.NOT_CHECKED]

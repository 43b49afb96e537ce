"""The two hosts as clients meet them, over real sockets."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trustme
import urllib3

from release.github_standin.standin import asset_host_for
from tests.support.faults import FaultyGitHub
from tests.support.programs import needs
from tests.support.servers import github

pytestmark = pytest.mark.slow

CONTENT = bytes(range(256)) * 40


@pytest.fixture
def assets(tmp_path: Path) -> Path:
    directory = tmp_path / "assets"
    (directory / "v1").mkdir(parents=True)
    (directory / "v1" / "model.zip").write_bytes(CONTENT)
    return directory


@pytest.fixture
def server(assets: Path) -> Iterator[FaultyGitHub]:
    with github(assets) as server:
        yield server


@pytest.fixture
def pool() -> Iterator[urllib3.PoolManager]:
    with urllib3.PoolManager(retries=False, timeout=900) as pool:
        yield pool


def located(server: FaultyGitHub, pool: urllib3.PoolManager, **headers: str) -> str:
    """Where the web host sends a client to."""
    answer = pool.request(
        "GET", server.download_url("v1", "model.zip"), headers=headers, redirect=False
    )
    assert answer.status == 302, answer.data
    return answer.headers["Location"]


def test_a_client_that_follows_the_redirect_has_the_asset(
    server: FaultyGitHub, pool: urllib3.PoolManager
) -> None:
    answer = pool.request("GET", server.download_url("v1", "model.zip"), redirect=True, retries=3)
    assert answer.data == CONTENT
    web, asset = server.requests.settled()
    assert (web.host, web.method, web.status, web.sent) == ("web", "GET", 302, 0)
    assert web.path == "/lcbcFoo/heimdall-mcp-server/releases/download/v1/model.zip"
    assert (asset.host, asset.status, asset.sent) == ("assets", 200, len(CONTENT))
    assert asset.path.startswith("/github-production-release-asset/")


def test_the_asset_comes_with_the_headers_of_the_real_one(
    server: FaultyGitHub, pool: urllib3.PoolManager
) -> None:
    redirect = pool.request("HEAD", server.download_url("v1", "model.zip"), redirect=False)
    assert redirect.status == 302
    location = redirect.headers["Location"]
    assert location.startswith(server.assets_url + "/")
    assert urlsplit(location).hostname != urlsplit(server.url).hostname
    assert "model.zip" not in urlsplit(location).path
    head, get = pool.request("HEAD", location), pool.request("GET", location)
    assert head.data == b""
    for answer in (head, get):
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert answer.headers["Content-Disposition"] == "attachment; filename=model.zip"
        assert answer.headers["Accept-Ranges"] == "bytes"
        assert answer.headers["Content-Length"] == str(len(CONTENT))
        assert answer.headers["ETag"].startswith('"')
        assert answer.headers["Last-Modified"].endswith(" GMT")
    past = pool.request("GET", location, headers={"Range": f"bytes={len(CONTENT)}-"})
    assert (past.status, past.headers["Content-Range"]) == (416, f"bytes */{len(CONTENT)}")


def test_if_range_gives_the_rest_of_the_same_file_and_all_of_another(
    server: FaultyGitHub, pool: urllib3.PoolManager, assets: Path
) -> None:
    location = located(server, pool)
    etag = pool.request("HEAD", location).headers["ETag"]
    resume = {"Range": "bytes=100-", "If-Range": etag}
    assert pool.request("GET", location, headers=resume).status == 206
    replacement = assets / "v1" / "new"
    replacement.write_bytes(CONTENT[::-1])
    replacement.replace(assets / "v1" / "model.zip")
    answer = pool.request("GET", location, headers=resume)
    assert answer.status == 200
    assert answer.data == CONTENT[::-1]
    assert answer.headers["ETag"] != etag
    assert [record.range for record in server.requests.settled() if record.method == "GET"] == [
        None,
        *["bytes=100-"] * 2,
    ]


@pytest.mark.parametrize("scheme", ["Bearer", "Basic"])
def test_a_token_that_is_carried_through_the_redirect_is_refused(
    server: FaultyGitHub, pool: urllib3.PoolManager, scheme: str
) -> None:
    headers = {"Authorization": f"{scheme} c2VjcmV0"}
    answer = pool.request("GET", located(server, pool, **headers), headers=headers)
    assert answer.status == 400
    assert b"<Code>InvalidAuthenticationInfo</Code>" in answer.data
    records = server.requests.settled()
    assert [record.authorized for record in records] == [True, True]
    assert "c2VjcmV0" not in repr(records)


def test_a_signed_url_expires(assets: Path, pool: urllib3.PoolManager) -> None:
    now = [1_800_000_000.0]
    with github(assets, url_lifetime=60, clock=lambda: now[0]) as server:
        location = located(server, pool)
        now[0] += 59
        assert pool.request("GET", location).status == 200
        now[0] += 1
        answer = pool.request("GET", location, headers={"Range": "bytes=5-"})
        assert answer.status == 403
        assert answer.headers["Content-Type"] == "application/xml"
        assert b"<Code>AuthenticationFailed</Code>" in answer.data
        assert pool.request("GET", located(server, pool)).status == 200


@pytest.mark.parametrize(
    "change",
    [("sig=", "sig=A"), ("rscd=", "rscd=x"), ("se=2", "se=3"), ("?", "x?"), ("sig", "gis")],
)
def test_a_forged_url_is_refused(
    server: FaultyGitHub, pool: urllib3.PoolManager, change: tuple[str, str]
) -> None:
    answer = pool.request("GET", located(server, pool).replace(*change))
    assert answer.status == 403
    assert b"Signature did not match." in answer.data


def test_a_signed_url_of_an_asset_that_has_gone_is_not_found(
    server: FaultyGitHub, pool: urllib3.PoolManager, assets: Path
) -> None:
    location = located(server, pool)
    (assets / "v1" / "model.zip").unlink()
    answer = pool.request("GET", location)
    assert answer.status == 404
    assert b"<Code>BlobNotFound</Code>" in answer.data


@pytest.mark.parametrize(
    "path",
    [
        "/lcbcFoo/heimdall-mcp-server/releases/download/v1/other.zip",
        "/lcbcFoo/heimdall-mcp-server/releases/download/v2/model.zip",
        "/lcbcFoo/heimdall-mcp-server/releases/download/v1/",
        "/lcbcFoo/heimdall-mcp-server/releases/download/v1",
        "/lcbcFoo/heimdall-mcp-server/releases/download/../assets/v1/model.zip",
        "/lcbcFoo/heimdall-mcp-server/releases/download/..%2Fassets%2Fv1/model.zip",
        "/lcbcFoo/heimdall-mcp-server/releases/download/v1/..%2F..%2Fsecret",
        "/lcbcFoo/heimdall-mcp-server/releases/download//etc/passwd",
        "/lcbcFoo/heimdall-mcp-server/releases/download/v1/%00",
        "/lcbcFoo/heimdall-mcp-server/releases/download/v1/" + "x" * 5000,
        "/somebody/else/releases/download/v1/model.zip",
        "/v1/model.zip",
        "/",
        "//[",
    ],
)
def test_what_is_not_there_is_a_page_of_html(
    server: FaultyGitHub, tmp_path: Path, path: str
) -> None:
    (tmp_path / "secret").write_text("secret")
    with urllib3.HTTPConnectionPool(
        urlsplit(server.url).hostname or "", urlsplit(server.url).port, retries=False
    ) as pool:
        answer = pool.urlopen("GET", path, assert_same_host=False)
    assert answer.status == 404
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.data.startswith(b"<!DOCTYPE html>")


def test_owner_and_repository_are_found_in_any_case(
    server: FaultyGitHub, pool: urllib3.PoolManager
) -> None:
    url = server.download_url("v1", "model.zip").replace("lcbcFoo", "LCBCFOO")
    assert pool.request("GET", url, redirect=True, retries=1).data == CONTENT


def test_a_tag_may_have_a_slash_escaped_or_not(
    assets: Path, server: FaultyGitHub, pool: urllib3.PoolManager
) -> None:
    (assets / "models" / "v1").mkdir(parents=True)
    (assets / "models" / "v1" / "größe.zip").write_bytes(b"content")
    for tag in ("models/v1", "models%2Fv1"):
        answer = pool.request(
            "GET", server.download_url(tag, "gr%C3%B6%C3%9Fe.zip"), redirect=True, retries=1
        )
        assert answer.data == b"content"
        assert (
            answer.headers["Content-Disposition"]
            == "attachment; filename*=UTF-8''gr%C3%B6%C3%9Fe.zip"
        )


def test_other_methods_change_nothing(server: FaultyGitHub, pool: urllib3.PoolManager) -> None:
    location = located(server, pool)
    assert pool.request("POST", server.download_url("v1", "model.zip"), body=b"x").status == 404
    assert pool.request("PUT", location, body=os.urandom(3_000_000)).status == 405
    assert pool.request("GET", location).data == CONTENT


@pytest.mark.parametrize("scheme", ["Bearer", "token"])
def test_a_private_repository_shows_itself_to_its_token_alone(
    assets: Path, pool: urllib3.PoolManager, scheme: str
) -> None:
    with github(assets, token="right") as server:
        for headers in ({}, {"Authorization": f"{scheme} wrong"}, {"Authorization": "right"}):
            answer = pool.request(
                "GET", server.download_url("v1", "model.zip"), headers=headers, redirect=False
            )
            assert answer.status == 404
            assert b"<!DOCTYPE html>" in answer.data
        location = located(server, pool, Authorization=f"{scheme} right")
        assert pool.request("GET", location).data == CONTENT


def test_tls_on_both_hosts(assets: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "127.0.0.2", "localhost").configure_cert(context)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    big = os.urandom(3_000_000)
    (assets / "v1" / "big").write_bytes(big)
    with github(assets, tls=context) as server:
        assert server.url.startswith("https://")
        assert server.assets_url.startswith("https://")
        with urllib3.PoolManager(ssl_context=trusting, timeout=900) as pool:
            assert pool.request("GET", server.download_url("v1", "big")).data == big
        with (
            urllib3.PoolManager(retries=False, timeout=900) as pool,
            pytest.raises(urllib3.exceptions.SSLError),
        ):
            pool.request("GET", server.download_url("v1", "big"))


@needs("curl")
def test_curl_resumes_and_leaves_the_token_at_home(assets: Path, tmp_path: Path) -> None:
    part = tmp_path / "part"
    part.write_bytes(CONTENT[:1000])
    with github(assets, token="right") as server:
        command = ["curl", "-sSfL", "-H", "Authorization: Bearer right", "-C", "-", "-o", str(part)]
        subprocess.run([*command, server.download_url("v1", "model.zip")], check=True, timeout=900)
    assert part.read_bytes() == CONTENT
    web, asset = server.requests.settled()
    assert (web.authorized, asset.authorized) == (True, False)
    assert (asset.status, asset.range, asset.sent) == (206, "bytes=1000-", len(CONTENT) - 1000)


def test_the_log_is_written_as_lines_of_json(assets: Path, pool: urllib3.PoolManager) -> None:
    stream = StringIO()
    with github(assets, log_stream=stream) as server:
        pool.request(
            "GET",
            located(server, pool, Authorization="Bearer secret"),
            headers={"Range": "bytes=0-9"},
        )
    # An answer is logged once it is given, and a client may be quicker with its next request.
    asset, web = sorted(
        map(json.loads, stream.getvalue().splitlines()), key=lambda record: record["host"]
    )
    assert (web["host"], web["status"], web["authorization"]) == ("web", 302, True)
    assert asset == {
        "host": "assets",
        "method": "GET",
        "path": asset["path"],
        "status": 206,
        "range": "bytes=0-9",
        "authorization": False,
        "sent": 10,
    }
    assert asset["path"].startswith("/github-production-release-asset/")
    assert "secret" not in stream.getvalue()
    assert "sig" not in stream.getvalue()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "localhost"])
def test_the_asset_host_has_another_name(host: str) -> None:
    address, name = asset_host_for(host)
    assert (name or address) != host

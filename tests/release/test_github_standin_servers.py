"""The servers of `tests.support`: a mirror, a package index that pip and uv install from, nginx."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import urllib3
from hypothesis import given
from hypothesis import strategies as st

from release.github_standin.messages import Application, Request, Response
from tests.support.faults import Effect, Fault, Instead, without
from tests.support.nginx import nginx_mirror
from tests.support.package_index import HTML, HTML_V1, JSON_V1, negotiate
from tests.support.servers import package_index, plain_mirror

pytestmark = pytest.mark.slow

WHEEL = "Small_Thing-1.0-py3-none-any.whl"


@pytest.fixture
def pool() -> Iterator[urllib3.PoolManager]:
    with urllib3.PoolManager(retries=False, timeout=900) as pool:
        yield pool


@pytest.fixture
def mirrored(tmp_path: Path) -> Path:
    directory = tmp_path / "mirrored"
    (directory / "v1").mkdir(parents=True)
    (directory / "v1" / "a.zip").write_bytes(b"0123456789")
    return directory


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    directory = tmp_path / "wheels"
    directory.mkdir()
    info = "small_thing-1.0.dist-info"
    with zipfile.ZipFile(directory / WHEEL, "w") as archive:
        archive.writestr("small_thing.py", "answer = 42\n")
        archive.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: Small.Thing\nVersion: 1.0\n"
        )
        archive.writestr(
            f"{info}/WHEEL",
            "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        archive.writestr(
            f"{info}/RECORD",
            f"small_thing.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n",
        )
    return directory


def pip(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    variables = {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INPUT": "1",
    }
    return subprocess.run(
        [sys.executable, "-m", "pip", *arguments],
        env={**os.environ, **variables, **environment},
        capture_output=True,
        encoding="utf-8",
        timeout=900,
        check=False,
    )


def test_a_mirror_serves_files_and_ranges(mirrored: Path, pool: urllib3.PoolManager) -> None:
    with plain_mirror(mirrored, faults=[Fault(Instead(500), turns={4})]) as mirror:
        url = f"{mirror.url}/v1/a.zip"
        assert pool.request("GET", url).data == b"0123456789"
        assert pool.request("GET", url, headers={"Range": "bytes=3-"}).data == b"3456789"
        assert pool.request("GET", f"{mirror.url}/v1/b.zip").status == 404
        assert pool.request("GET", url).status == 500
        assert pool.request("POST", url).status == 404
        assert [record.status for record in mirror.requests.settled()] == [200, 206, 404, 500, 404]


def test_a_mirror_without_ranges(mirrored: Path, pool: urllib3.PoolManager) -> None:
    with plain_mirror(mirrored, ranges=False) as mirror:
        answer = pool.request("GET", f"{mirror.url}/v1/a.zip", headers={"Range": "bytes=3-"})
    assert (answer.status, answer.data) == (200, b"0123456789")
    assert "Accept-Ranges" not in answer.headers


@pytest.mark.parametrize("ranges", [True, False])
def test_nginx_serves_a_directory(
    mirrored: Path, pool: urllib3.PoolManager, *, ranges: bool
) -> None:
    with nginx_mirror(mirrored, ranges=ranges) as mirror:
        answer = pool.request("GET", f"{mirror.url}/v1/a.zip", headers={"Range": "bytes=3-"})
        assert (answer.status, answer.data) == (
            (206, b"3456789") if ranges else (200, b"0123456789")
        )
        assert pool.request("GET", f"{mirror.url}/v1/b.zip").status == 404
        pool.clear()
    assert [(record["path"], record["status"]) for record in mirror.requests] == [
        ("/v1/a.zip", answer.status),
        ("/v1/b.zip", 404),
    ]
    assert mirror.requests[0]["range"] == "bytes=3-"
    assert mirror.requests[0]["sent"] == len(answer.data)
    with pytest.raises(urllib3.exceptions.HTTPError):
        pool.request("GET", mirror.url)


def test_nginx_runs_several_times_at_once(mirrored: Path, pool: urllib3.PoolManager) -> None:
    with nginx_mirror(mirrored) as first, nginx_mirror(mirrored) as second:
        assert first.url != second.url
        for mirror in (first, second):
            assert pool.request("GET", f"{mirror.url}/v1/a.zip").data == b"0123456789"
        pool.clear()


def test_the_index_as_json(wheels: Path, pool: urllib3.PoolManager) -> None:
    with package_index(wheels) as index:
        root = pool.request("GET", f"{index.url}/simple/", headers={"Accept": JSON_V1}).json()
        assert root == {"meta": {"api-version": "1.0"}, "projects": [{"name": "small-thing"}]}
        answer = pool.request(
            "GET", f"{index.url}/simple/small-thing/", headers={"Accept": JSON_V1}
        )
        assert answer.headers["Content-Type"] == JSON_V1
        page = answer.json()
        assert (page["meta"], page["name"]) == ({"api-version": "1.0"}, "small-thing")
        (file,) = page["files"]
        content = pool.request("GET", index.url + file["url"]).data
    assert file["filename"] == WHEEL
    assert file["hashes"] == {"sha256": hashlib.sha256(content).hexdigest()}
    assert content == (wheels / WHEEL).read_bytes()


@pytest.mark.parametrize(
    "accept", ["text/html", "*/*", HTML_V1, "application/xml, text/html;q=0.1"]
)
def test_the_index_as_pages(wheels: Path, pool: urllib3.PoolManager, accept: str) -> None:
    with package_index(wheels) as index:
        assert (
            b'<a href="/simple/small-thing/">' in pool.request("GET", f"{index.url}/simple/").data
        )
        answer = pool.request("GET", f"{index.url}/simple/small-thing/", headers={"Accept": accept})
    digest = hashlib.sha256((wheels / WHEEL).read_bytes()).hexdigest()
    assert answer.headers["Content-Type"] == (HTML_V1 if accept == HTML_V1 else HTML)
    assert f'<a href="/packages/{WHEEL}#sha256={digest}">{WHEEL}</a>' in answer.data.decode()


def test_the_index_redirects_names_that_are_not_normal_and_knows_no_others(
    wheels: Path, pool: urllib3.PoolManager
) -> None:
    with package_index(wheels) as index:
        for path in ("/simple/Small_Thing/", "/simple/small-thing"):
            answer = pool.request("GET", index.url + path, redirect=False)
            assert (answer.status, answer.headers["Location"]) == (301, "/simple/small-thing/")
        for path in ("/simple/other/", "/packages/other-1.0-py3-none-any.whl", "/"):
            assert pool.request("GET", index.url + path).status == 404
        xml = pool.request(
            "GET", f"{index.url}/simple/small-thing/", headers={"Accept": "application/xml"}
        )
        assert xml.status == 406


@pytest.mark.parametrize("ranges", [True, False])
def test_parts_of_wheels(wheels: Path, pool: urllib3.PoolManager, *, ranges: bool) -> None:
    with package_index(wheels, ranges=ranges) as index:
        answer = pool.request(
            "GET", f"{index.url}/packages/{WHEEL}", headers={"Range": "bytes=-22"}
        )
    content = (wheels / WHEEL).read_bytes()
    assert (answer.status, answer.data) == ((206, content[-22:]) if ranges else (200, content))


@given(
    st.lists(
        st.tuples(st.sampled_from([JSON_V1, HTML_V1, HTML]), st.integers(1, 999)),
        min_size=1,
        unique_by=(lambda i: i[0], lambda i: i[1]),
    )
)
def test_the_type_of_the_highest_quality_is_chosen(liked: list[tuple[str, int]]) -> None:
    accept = ", ".join(f"{media_type}; q=0.{quality:03}" for media_type, quality in liked)
    assert negotiate(accept) == max(liked, key=lambda item: item[1])[0]


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, HTML),
        ("*/*", HTML),
        ("*/*;q=0", None),
        (f"{JSON_V1};q=0, */*", HTML),
        (f"{HTML}, {JSON_V1}", JSON_V1),
        (f"{JSON_V1.upper()}", JSON_V1),
        (f"{JSON_V1}, {HTML_V1}; q=0.1, {HTML}; q=0.01", JSON_V1),
        ("", None),
    ],
)
def test_negotiation(accept: str | None, chosen: str | None) -> None:
    assert negotiate(accept) == chosen


class KnowsPagesOnly(Effect):
    """An index from before there was JSON."""

    def answer(self, request: Request, application: Application) -> Response:
        return application(without(request, "accept"))


@pytest.mark.parametrize("faults", [[], [Fault(KnowsPagesOnly())]], ids=["json", "html"])
def test_pip_downloads_from_the_index(wheels: Path, tmp_path: Path, faults: list[Fault]) -> None:
    with package_index(wheels, faults=faults) as index:
        result = pip(
            "download",
            "--no-deps",
            "-d",
            str(tmp_path / "out"),
            "small.thing==1.0",
            PIP_INDEX_URL=f"{index.url}/simple/",
        )
        records = index.requests.settled()
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "out" / WHEEL).read_bytes() == (wheels / WHEEL).read_bytes()
    assert [record.path for record in records] == ["/simple/small-thing/", f"/packages/{WHEEL}"]


def test_pip_refuses_a_wheel_whose_hash_is_wrong(wheels: Path, tmp_path: Path) -> None:
    with package_index(wheels, faults=[Fault(Instead(200, b"evil"), path="/packages/*")]) as index:
        result = pip(
            "download",
            "--no-deps",
            "-d",
            str(tmp_path),
            "small-thing",
            PIP_INDEX_URL=f"{index.url}/simple/",
        )
    assert result.returncode != 0
    assert "THESE PACKAGES DO NOT MATCH THE HASHES" in result.stderr


def test_an_index_with_credentials(wheels: Path, tmp_path: Path, pool: urllib3.PoolManager) -> None:
    with package_index(wheels, credentials=("user", "s3cret")) as index:
        for path in ("/simple/", "/simple/small-thing/", f"/packages/{WHEEL}"):
            answer = pool.request("GET", index.url + path)
            assert (answer.status, answer.headers["WWW-Authenticate"]) == (
                401,
                'Basic realm="index"',
            )
            wrong = {"Authorization": "Basic " + base64.b64encode(b"user:wrong").decode()}
            assert pool.request("GET", index.url + path, headers=wrong).status == 401
        url = index.url.replace("http://", "http://user:s3cret@")
        result = pip(
            "download",
            "--no-deps",
            "-d",
            str(tmp_path / "out"),
            "small-thing",
            PIP_INDEX_URL=f"{url}/simple/",
        )
        records = index.requests.settled()
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "out" / WHEEL).exists()
    assert records[-1].authorized
    assert "s3cret" not in repr(records) + json.dumps([record.as_json() for record in records])


@pytest.mark.skipif(
    shutil.which("uv", path=str(Path(sys.executable).parent)) is None,
    reason="uv is not installed here",
)
def test_uv_installs_from_the_index(wheels: Path, tmp_path: Path) -> None:
    uv = str(Path(sys.executable).parent / "uv")
    with package_index(wheels) as index:
        command = [
            uv,
            "pip",
            "install",
            "--no-config",
            "--python",
            sys.executable,
            "--target",
            str(tmp_path / "site"),
            "--index-url",
            f"{index.url}/simple/",
            "--cache-dir",
            str(tmp_path / "cache"),
            "small-thing",
        ]
        result = subprocess.run(
            command, capture_output=True, encoding="utf-8", timeout=900, check=False
        )
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "site" / "small_thing.py").read_text() == "answer = 42\n"
    assert urlsplit(index.url).hostname == "127.0.0.1"

"""The servers of `tests.support`: a mirror, a package index that pip and uv install from, nginx."""

from __future__ import annotations

import base64
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

from tests.support.faults import Fault, Instead
from tests.support.nginx import nginx_mirror
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


def downloaded(index: str, folder: Path) -> Path:
    """The wheel as pip has it from an index."""
    variables = {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INPUT": "1",
        "PIP_INDEX_URL": f"{index}/simple/",
    }
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "-d", str(folder)]
    done = subprocess.run(
        [*command, "small.thing==1.0"],
        env={**os.environ, **variables},
        capture_output=True,
        encoding="utf-8",
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder / WHEEL


def test_a_mirror_serves_files_and_ranges(mirrored: Path, pool: urllib3.PoolManager) -> None:
    with plain_mirror(mirrored, faults=[Fault(Instead(500), turns={4})]) as mirror:
        url = f"{mirror.url}/v1/a.zip"
        assert pool.request("GET", url).data == b"0123456789"
        assert pool.request("GET", url, headers={"Range": "bytes=3-"}).data == b"3456789"
        assert pool.request("GET", f"{mirror.url}/v1/b.zip").status == 404
        assert pool.request("GET", url).status == 500
        assert pool.request("POST", url).status == 404
        assert [record.status for record in mirror.requests.settled()] == [200, 206, 404, 500, 404]


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


def test_pip_downloads_from_the_index(wheels: Path, tmp_path: Path) -> None:
    with package_index(wheels) as index:
        wheel = downloaded(index.url, tmp_path / "out")
        records = index.requests.settled()
    assert wheel.read_bytes() == (wheels / WHEEL).read_bytes()
    assert [record.path for record in records] == ["/simple/small-thing/", f"/packages/{WHEEL}"]


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
        assert downloaded(url, tmp_path / "out").exists()
        records = index.requests.settled()
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

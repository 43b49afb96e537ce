"""`python -m release serve` as a process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import urllib3

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
DOWNLOADS = "lcbcFoo/heimdall-mcp-server/releases/download"
COMMAND = [sys.executable, "-m", "release", "serve"]


@pytest.fixture
def assets(tmp_path: Path) -> Path:
    directory = tmp_path / "assets"
    (directory / "v1").mkdir(parents=True)
    (directory / "v1" / "model.zip").write_bytes(b"content")
    return directory


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}


@contextmanager
def serving(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process that serves, and the URL that it names."""
    with subprocess.Popen(
        [*COMMAND, *arguments],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        try:
            assert process.stdout is not None
            name, _, url = process.stdout.readline().strip().partition("=")
            assert name == "HEIMDALL_GITHUB_URL", process.communicate(timeout=900)
            yield process, url
        finally:
            process.kill()


def failing(arguments: Sequence[str]) -> str:
    result = subprocess.run(
        [*COMMAND, *arguments],
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        timeout=900,
        check=False,
    )
    assert result.returncode == 2
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    return result.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_it_serves_until_it_is_told_to_stop(
    assets: Path, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    log = tmp_path / "log"
    with (
        serving("--directory", str(assets), "--log", str(log)) as (process, url),
        urllib3.PoolManager(timeout=900) as pool,
    ):
        answer = pool.request("GET", f"{url}/{DOWNLOADS}/v1/model.zip")
        assert answer.data == b"content"
        process.send_signal(number)  # while a connection is open
        output, errors = process.communicate(timeout=900)
    assert process.returncode == code
    assert output == ""
    assert errors == f"serving {assets}; Ctrl-C ends it\n"
    records = [json.loads(line) for line in log.read_text().splitlines()]
    # An answer is logged once it is given, and a client may be quicker with its next request.
    assert sorted((record["host"], record["status"]) for record in records) == [
        ("assets", 200),
        ("web", 302),
    ]


def test_repository_rate_and_a_log_that_is_appended_to(assets: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("earlier\n")
    options = ["--repository", "some/body", "--rate", "1e9", "--log", str(log)]
    with (
        serving("--directory", str(assets), *options) as (_, url),
        urllib3.PoolManager(timeout=900) as pool,
    ):
        assert pool.request("GET", f"{url}/{DOWNLOADS}/v1/model.zip").status == 404
        theirs = f"{url}/some/body/releases/download/v1/model.zip"
        assert pool.request("GET", theirs).data == b"content"
    assert log.read_text().startswith("earlier\n{")


def test_a_port_that_is_taken(assets: Path) -> None:
    with serving("--directory", str(assets)) as (_, url):
        port = str(urlsplit(url).port)
        message = failing(["--directory", str(assets), "--port", port])
    assert message == (
        f"Error: --host 127.0.0.1 --port {port}: another program listens there; "
        "name another port, or leave --port out to get a free one\n"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--directory", "none"], "none: no such directory; 'python -m release pack' makes it"),
        (["--host", "::"], "is not an address that clients can be sent to"),
        (["--host", "192.0.2.1"], "--host 192.0.2.1 --port 0: can't listen there: "),
        (["--log", "none/log"], "none"),
    ],
)
def test_what_is_of_no_use_is_named(assets: Path, options: list[str], message: str) -> None:
    assert message in failing(["--directory", str(assets), *options])

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from heimdall.models.errors import SourceError
from heimdall.models.transfer.http import Client
from heimdall.models.transfer.limits import Pace
from tests.support.pythons import find_python
from tests.support.raw_server import endlessly, raw_server
from tests.support.small_model import ROOT
from tests.support.uncovered import uncovered

pytestmark = pytest.mark.slow


def body(url: str, seconds: float) -> bytes:
    client = Client(stall_seconds=seconds)
    try:
        with client.open(url) as answer:
            return b"".join(answer.chunks())
    finally:
        client.close()


def test_next_to_nothing_is_given_up() -> None:
    Pace("http://slow.example/x", seconds=3600).note(1)  # there is still time
    with (
        raw_server(endlessly(b"HTTP/1.1 200 OK\r\n\r\n", b"x", 0.05)) as server,
        pytest.raises(SourceError, match=r": sent only \d+ bytes in \d+ s") as caught,
    ):
        body(server.url, 1)
    assert caught.value.transient


def test_slow_is_not_nothing() -> None:
    pace = Pace("http://slow.example/x", seconds=0)
    for _ in range(5):
        pace.note(1000)


def test_a_head_that_goes_on_and_on_is_cut() -> None:
    with (
        raw_server(endlessly(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n", 0.05)) as server,
        pytest.raises(SourceError, match="no complete answer head within 2 s") as caught,
    ):
        body(server.url, 1)
    assert caught.value.transient


def test_a_quick_head_is_not() -> None:
    with raw_server(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi") as server:
        assert body(server.url, 5) == b"hi"


IN_AN_INTERPRETER = """
import http.server, threading, urllib3
from heimdall.models.transfer.limits import limit_heads
server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
serving = threading.Thread(target=server.handle_request)
serving.start()
pool = urllib3.PoolManager()
limit_heads(pool)
url = f"http://127.0.0.1:{server.server_port}/"
print(pool.request("GET", url, timeout=30, retries=False).status)
serving.join()
"""


@pytest.mark.slow
def test_an_interpreter_in_another_program_may_have_no_daemon_threads() -> None:
    python = find_python("3.13")
    started = (
        f"import _interpreters as them; print(them.exec(them.create(), {IN_AN_INTERPRETER!r}))"
    )
    paths = [str(ROOT), *(path for path in sys.path if path.endswith("site-packages"))]
    environment = uncovered(
        {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "HEIMDALL_FETCH": "never"}
    )
    command = [str(python), "-c", started]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert sorted(done.stdout.splitlines()) == ["200", "None"], done.stdout + done.stderr

"""Real servers with few descriptors, and clients that never say who they are."""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.support.mcp_http import COMMAND, TOKEN, HttpServer, http_server
from tests.support.mcp_raw import INITIALIZE
from tests.support.waiting import wait_until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="there is no limit to lower"),
]

DESCRIPTORS = 128
LIMITED = f"""
import resource, runpy, sys
resource.setrlimit(resource.RLIMIT_NOFILE, ({DESCRIPTORS}, {DESCRIPTORS}))
sys.argv[1:1] = ["--http", "127.0.0.1:0"]
runpy.run_module("heimdall.mcp_server", run_name="__main__", alter_sys=True)
"""
FIRST = json.dumps(INITIALIZE)
HEAD = f"POST /mcp HTTP/1.1\r\nHost: localhost\r\nAccept: application/json, text/event-stream\r\nContent-Type: application/json\r\nContent-Length: {len(FIRST)}\r\n"


def connected(server: HttpServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), 900)


def asked(server: HttpServer) -> bytes:
    """What a client with the token is told."""
    with connected(server) as client:
        client.sendall(f"{HEAD}Authorization: Bearer {TOKEN}\r\n\r\n{FIRST}".encode())
        return client.recv(64)


def asked_in_a_flood(server: HttpServer) -> bool:
    """Whether it is answered: sent away is also who is overtaken by others before it can show its token."""
    with suppress(ConnectionError):
        return asked(server).startswith(b"HTTP/1.1 200")
    return False


def limited(project: Path) -> tuple[str, ...]:
    file = project.parent / "limited.py"
    file.write_text(LIMITED)
    return (*COMMAND[:1], str(file))


@pytest.mark.parametrize(
    "sent", ["", "POST /mcp HTTP/1.1\r\nHost: localhost\r\nX-", f"{HEAD}\r\n{{", "\x16\x03\x01"]
)
def test_connections_that_say_nothing_keep_nobody_out(project: Path, sent: str) -> None:
    with ExitStack() as stack, http_server(project, command=limited(project)) as server:
        for number in range(4 * DESCRIPTORS):
            client = stack.enter_context(connected(server))
            with suppress(OSError):  # it was closed already
                client.sendall(sent.encode("latin-1"))
            if number % 100 == 0:
                assert asked(server).startswith(b"HTTP/1.1 200"), number
        assert asked(server).startswith(b"HTTP/1.1 200")
        assert server.process.poll() is None
        assert len(server.said) < 20_000
        assert "Traceback" not in server.said


def test_a_flood_ends_and_all_is_as_before(project: Path) -> None:
    """Several that connect as fast as they can, while one client asks; then it alone."""
    with http_server(project, command=limited(project)) as server:
        over = threading.Event()

        def flood() -> None:
            held: list[socket.socket] = []
            while not over.is_set():
                try:
                    held.append(socket.create_connection(("127.0.0.1", server.port), 1))
                    held[-1].send(b"\r\nGET / HTTP")
                except OSError:
                    time.sleep(0.01)
                if len(held) > 300:
                    held.pop(0).close()
            for each in held:
                each.close()

        threads = [threading.Thread(target=flood) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(5):
                wait_until(lambda: asked_in_a_flood(server))
        finally:
            over.set()
            for thread in threads:
                thread.join()
        assert asked(server).startswith(b"HTTP/1.1 200")
        assert len(server.said) < 20_000


def test_who_shows_no_token_is_sent_away_in_time(project: Path) -> None:
    with http_server(project) as server, ExitStack() as stack:
        silent = stack.enter_context(connected(server))
        slow = stack.enter_context(connected(server))
        slow.sendall(f"{HEAD}\r\n".encode())
        assert slow.recv(64).startswith(b"HTTP/1.1 401")
        good = stack.enter_context(connected(server))
        good.sendall(f"{HEAD}Authorization: Bearer {TOKEN}\r\n\r\n".encode())
        for client in (silent, slow):
            with suppress(ConnectionResetError):
                while client.recv(1024):
                    pass
        good.sendall(FIRST.encode())
        assert good.recv(64).startswith(b"HTTP/1.1 200"), "one with the token may take its time"

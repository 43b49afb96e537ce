from __future__ import annotations

import contextlib
import socket
import ssl
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from heimdall.models.errors import SourceError
from heimdall.models.patience import Patience
from heimdall.models.transfer import connections
from heimdall.models.transfer.http import Client
from tests.support.raw_server import endlessly, raw_server
from tests.support.servers import plain_mirror
from tests.support.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.slow


def body(
    url: str,
    *,
    stall_seconds: float = 600.0,
    connect_seconds: float = 600.0,
    patience: Patience | None = None,
) -> bytes:
    client = Client(stall_seconds, connect_seconds, patience or Patience())
    with contextlib.closing(client), client.open(url) as answer:
        return b"".join(answer.chunks())


@pytest.fixture
def swallowing() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@contextlib.contextmanager
def black_hole() -> Iterator[tuple[str, int]]:
    """An address that swallows the packets of a new connection: a listener with a full queue."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(8):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()


def test_a_head_that_goes_on_and_on_is_cut() -> None:
    with (
        raw_server(endlessly(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n", 0.05)) as server,
        pytest.raises(SourceError, match=r"no complete answer head within 1\.1 s") as caught,
    ):
        body(server.url, stall_seconds=1)
    assert caught.value.transient


def test_a_quick_head_is_not() -> None:
    with raw_server(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi") as server:
        assert body(server.url) == b"hi"


def test_a_name_that_nobody_resolves_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    never = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: never.wait(PATIENCE))
    try:
        with pytest.raises(SourceError, match="the host name was not resolved within 1 s") as told:
            body("https://name.example/x", connect_seconds=1)
    finally:
        never.set()
    assert told.value.unreachable


def test_what_comes_too_late_is_closed() -> None:
    late, go, made = socket.socket(), threading.Event(), threading.Event()

    def connect() -> socket.socket:
        go.wait(PATIENCE)
        made.set()
        return late

    with pytest.raises(TimeoutError):
        connections.within(0.05, connect)
    go.set()
    assert made.wait(PATIENCE)
    wait_until(lambda: late.fileno() == -1)


def test_silence_in_place_of_tls_has_a_limit(swallowing: int) -> None:
    with pytest.raises(SourceError, match="timed out: no connection within 1 s") as caught:
        body(f"https://127.0.0.1:{swallowing}/x", connect_seconds=1)
    assert caught.value.unreachable


def test_tls_that_drips_has_a_limit() -> None:
    hello = bytes([22, 3, 3, 64, 0])  # a handshake record of 16 KiB, byte by byte

    def drip(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            for byte in hello + bytes(16384):
                connection.sendall(bytes([byte]))
                time.sleep(0.2)

    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                drip(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(SourceError, match="no connection within 1 s"):
            body(f"https://127.0.0.1:{listener.getsockname()[1]}/x", connect_seconds=1)
        thread.join(PATIENCE)
        assert not thread.is_alive()


@pytest.mark.skipif(sys.platform != "linux", reason="how a full queue behaves")
def test_an_address_that_swallows_leaves_time_for_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"content")
    with black_hole() as hole, plain_mirror(tmp_path) as server:
        good = ("127.0.0.1", int(server.url.rpartition(":")[2]))
        answers = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", place) for place in (hole, good)]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_: answers)
        assert body("http://both.example/file", connect_seconds=4) == b"content"


def test_where_ipv6_leads_nowhere_ipv4_is_second() -> None:
    six = [(socket.AF_INET6, number) for number in range(4)]
    four = [(socket.AF_INET, number) for number in range(2)]
    in_turn = [six[0], four[0], six[1], four[1], six[2], six[3]]
    assert connections._in_turn([*six, *four]) == in_turn
    assert connections._in_turn([*four, *six])[:2] == [four[0], six[0]]
    assert connections._in_turn([]) == []


@pytest.mark.skipif(sys.platform != "linux", reason="how a full queue behaves")
def test_a_host_that_can_not_be_reached_is_asked_once(tmp_path: Path) -> None:
    client = Client(connect_seconds=1.0)
    with black_hole() as (host, port), contextlib.closing(client):
        for reason in ("timed out", "not asked, since its host can't be reached"):
            with (
                pytest.raises(SourceError, match=reason) as caught,
                client.open(f"http://{host}:{port}/a"),
            ):
                pass
            assert caught.value.unreachable
        client.try_anew()
        with pytest.raises(SourceError, match="timed out"), client.open(f"http://{host}:{port}/a"):
            pass


def test_many_hosts_that_swallow_share_one_patience(swallowing: int) -> None:
    client = Client(600.0, 600.0, Patience(1.0))
    with contextlib.closing(client):
        for number in range(2, 40):
            url = f"https://127.0.0.{number}:{swallowing}/x"
            with pytest.raises(SourceError), client.open(url):
                pass
        for number in range(2, 40):
            with pytest.raises(SourceError), client.open(f"http://127.0.0.{number}:{swallowing}/x"):
                pass


@pytest.mark.parametrize("tls", [False, True])
def test_a_body_that_stops_is_waited_for_as_long_as_there_is_patience(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tls: bool
) -> None:
    authority, stop = trustme.CA(), threading.Event()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection: socket.socket = listener.accept()[0]
            if tls:
                connection = context.wrap_socket(connection, server_side=True)
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nbeginning")
                stop.wait(PATIENCE)

        thread = threading.Thread(target=serve)
        thread.start()
        url = f"http{'s' if tls else ''}://127.0.0.1:{listener.getsockname()[1]}/x"
        with pytest.raises(SourceError, match=r"timed out|brought too little in 1 s"):
            body(url, stall_seconds=600, connect_seconds=600, patience=Patience(1.0))
        stop.set()
        thread.join()

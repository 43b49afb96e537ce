"""What goes wrong on demand, as raw clients see it, and how a listener ends."""

from __future__ import annotations

import os
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trustme
import urllib3
from hypothesis import given
from hypothesis import strategies as st

from release.github_standin.files import file_response, find
from release.github_standin.listener import Listener
from release.github_standin.messages import Body, Request, Response, bytes_body, file_body
from tests.support.faults import (
    CutAfter,
    Delay,
    Drip,
    Drop,
    Effect,
    Fault,
    Faults,
    IgnoreRange,
    Instead,
    WrongBytes,
)
from tests.support.request_log import KeptLog
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

CONTENT = bytes(range(256)) * 8
IN_TIME = 900


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    return path


class LoggedListener(Listener):
    log: KeptLog


@contextmanager
def serving(
    file: Path, *rules: Fault, tls: ssl.SSLContext | None = None
) -> Iterator[LoggedListener]:
    def application(request: Request) -> Response:
        stored = find(file.parent, file.name)
        assert stored is not None
        return file_response(request, stored)

    faults = Faults(rules)
    answer = faults.around("files", application)
    with LoggedListener("files", answer, tls=tls, log=KeptLog()) as listener:
        yield listener


def connect(listener: Listener) -> socket.socket:
    url = urlsplit(listener.url)
    return socket.create_connection((url.hostname, url.port), timeout=IN_TIME)


def ask(connection: socket.socket, path: str = "/", *headers: str, method: str = "GET") -> None:
    lines = [f"{method} {path} HTTP/1.1", "Host: files", *headers, "", ""]
    connection.sendall("\r\n".join(lines).encode())


def everything(connection: socket.socket) -> bytes:
    received = b""
    while chunk := connection.recv(65536):
        received += chunk
    return received


def until_gone(connection: socket.socket) -> None:
    with suppress(ConnectionResetError):
        everything(connection)


def exchange(
    listener: Listener, path: str = "/", *headers: str, method: str = "GET"
) -> tuple[int, bytes]:
    """Status and body of one request on a connection of its own."""
    with connect(listener) as connection:
        ask(connection, path, "Connection: close", *headers, method=method)
        head, _, body = everything(connection).partition(b"\r\n\r\n")
    return int(head.split()[1]), body


@pytest.mark.parametrize("size", [0, 700, len(CONTENT), len(CONTENT) + 1])
@pytest.mark.parametrize("slowly", [(), (Drip(100_000),)])
def test_a_cut_sends_so_many_bytes_and_then_the_end(
    file: Path, size: int, slowly: tuple[Effect, ...]
) -> None:
    with serving(file, Fault(CutAfter(size), *slowly)) as listener:
        assert exchange(listener) == (200, CONTENT[:size])
        assert listener.log.settled()[0].sent == min(size, len(CONTENT))
        rest = CONTENT[1000 : 1000 + size]
        assert exchange(listener, "/", "Range: bytes=1000-") == (206, rest)


@pytest.mark.parametrize("effect", [CutAfter(700, reset=True), Drop(reset=True)])
def test_a_reset(file: Path, effect: Effect) -> None:
    with serving(file, Fault(effect)) as listener, connect(listener) as connection:
        ask(connection)
        with pytest.raises(ConnectionResetError):
            everything(connection)


def test_a_dropped_connection_has_no_answer(file: Path) -> None:
    with serving(file, Fault(Drop())) as listener, connect(listener) as connection:
        ask(connection)
        assert everything(connection) == b""
        (record,) = listener.log.settled()
        assert (record.status, record.sent) == (0, 0)


@pytest.mark.parametrize("slow", [Delay(0.2), Drip(len(CONTENT) * 5)])
def test_what_is_slow_takes_its_time(file: Path, slow: Effect) -> None:
    with serving(file, Fault(slow)) as listener:
        began = time.monotonic()
        assert exchange(listener) == (200, CONTENT)
        assert time.monotonic() - began >= 0.2


def test_ranges_that_are_ignored(file: Path) -> None:
    with serving(file, Fault(IgnoreRange())) as listener:
        assert exchange(listener, "/", "Range: bytes=5-9") == (200, CONTENT)
        assert listener.log.settled()[0].range == "bytes=5-9"


def test_another_answer_instead(file: Path) -> None:
    fault = Fault(Instead(503, b"later", {"Retry-After": "7"}))
    with (
        serving(file, fault) as listener,
        urllib3.PoolManager(retries=False, timeout=IN_TIME) as pool,
    ):
        answer = pool.request("GET", listener.url)
        assert (answer.status, answer.headers["Retry-After"], answer.data) == (503, "7", b"later")
        assert "ETag" not in answer.headers


def test_an_endless_body_ends_with_its_cut(file: Path) -> None:
    def zeros() -> Iterator[bytes]:
        while True:
            yield bytes(1000)

    with serving(file, Fault(Instead(200, Body(zeros)), CutAfter(123_456))) as listener:
        assert exchange(listener) == (200, bytes(123_456))


@given(st.lists(st.binary(max_size=5)), st.integers(0, 30))
def test_wrong_bytes_in_pieces_of_any_size(pieces: list[bytes], at: int) -> None:
    body = Body(lambda: iter(pieces))
    response = WrongBytes(at).answer(Request("GET", "/", {}), lambda _: Response(200, body=body))
    altered = b"".join(response.body.chunks())
    expected = bytearray(b"".join(pieces))
    if at < len(expected):
        expected[at] ^= 0xFF
    assert altered == bytes(expected)


def test_head_is_spared_unless_it_is_named(file: Path) -> None:
    with serving(file, Fault(Instead(500))) as listener:
        assert exchange(listener, method="HEAD") == (200, b"")
        assert exchange(listener)[0] == 500
    with serving(file, Fault(Instead(500), methods={"HEAD"})) as listener:
        assert exchange(listener, method="HEAD") == (500, b"")


def test_rules_count_the_requests_that_match_them(file: Path) -> None:
    rules = [
        Fault(Instead(501), turns={2}),
        Fault(Instead(502), path="/a*", turns=range(2, 4)),
        Fault(Instead(503), host="elsewhere"),
    ]
    with serving(file, *rules) as listener:
        paths = ["/b", "/a/b", "/a", "/A", "/a", "/a"]
        assert [exchange(listener, path)[0] for path in paths] == [200, 501, 502, 200, 502, 200]


def test_rules_change_while_it_runs() -> None:
    faults = Faults()
    application = faults.around("files", lambda _: Response(200))
    with Listener("files", application) as listener:
        faults.add(Fault(Instead(500)))
        assert exchange(listener)[0] == 500
        faults.clear()
        assert exchange(listener)[0] == 200


def test_a_file_that_shrinks_while_it_is_sent_ends_the_connection(file: Path) -> None:
    def promises_too_much(_: Request) -> Response:
        return Response(200, body=file_body(file, 0, len(CONTENT) * 2))

    with Listener("files", promises_too_much) as listener, connect(listener) as connection:
        ask(connection)
        head, _, body = everything(connection).partition(b"\r\n\r\n")
        assert f"Content-Length: {len(CONTENT) * 2}".encode() in head
        assert body == CONTENT


def test_the_log_waits_for_what_is_being_sent(file: Path) -> None:
    with serving(file, Fault(Drip(1))) as listener, connect(listener) as connection:
        ask(connection)
        connection.recv(1)
        with pytest.raises(TimeoutError, match=r"after 0\.05 s still sending: .*path='/'"):
            listener.log.settled(timeout=0.05)
        (record,) = listener.log.snapshot()
        assert record.status == 200


def test_closing_cuts_idle_slow_and_delayed_connections(file: Path) -> None:
    rules = [Fault(Drip(1), path="/slow"), Fault(Delay(3600), path="/delayed")]
    before = set(threading.enumerate())
    with ExitStack() as opened:
        listener = opened.enter_context(serving(file, *rules))
        idle, silent, slow, delayed = (opened.enter_context(connect(listener)) for _ in range(4))
        ask(idle, "/", "Range: bytes=0-0")
        assert idle.recv(1)
        ask(slow, "/slow")
        assert slow.recv(1)
        ask(delayed, "/delayed")
        wait_until(lambda: len(listener.log.snapshot()) == 3)
        ours = set(threading.enumerate()) - before
        assert len(ours) == 5  # four connections, and one that accepts them
        listener.close()
        assert not any(thread.is_alive() for thread in ours)
        for connection in (idle, silent, slow, delayed):
            everything(connection)  # comes to an end
        with pytest.raises(ConnectionRefusedError):
            connect(listener)
        listener.close()


def test_a_client_that_goes_away_harms_nobody(file: Path) -> None:
    file.write_bytes(os.urandom(20_000_000))
    with serving(file) as listener:
        for _ in range(5):
            with connect(listener) as connection:
                ask(connection)
                connection.recv(1)
        with connect(listener) as connection:
            connection.sendall(b"\x16\x03\x01 not HTTP\r\n\r\n")
            until_gone(connection)
        assert [record.status for record in listener.log.settled()] == [200] * 5
        assert exchange(listener, method="HEAD")[0] == 200


def test_a_client_that_does_not_trust_or_does_not_shake_hands_harms_nobody(file: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    with (
        serving(file, Fault(CutAfter(700), turns={2}), tls=context) as listener,
        connect(listener) as silent,
        connect(listener) as rude,
    ):
        rude.sendall(b"GET / HTTP/1.1\r\n\r\n")
        until_gone(rude)
        with connect(listener) as plain, pytest.raises(ssl.SSLCertVerificationError):
            ssl.create_default_context().wrap_socket(plain, server_hostname="127.0.0.1")
        for expected in (CONTENT, CONTENT[:700]):
            with trusting.wrap_socket(connect(listener), server_hostname="127.0.0.1") as connection:
                ask(connection, "/", "Connection: close")
                assert everything(connection).partition(b"\r\n\r\n")[2] == expected
        listener.close()
        assert silent.recv(1) == b""


def test_an_error_in_the_application_fails_the_test_that_made_it() -> None:
    def broken(_: Request) -> Response:
        raise LookupError("no such thing")

    with (
        pytest.raises(ExceptionGroup, match="the broken host failed") as raised,
        Listener("broken", broken) as listener,
    ):
        assert exchange(listener)[0] == 500
    assert raised.group_contains(LookupError, match="no such thing")


def test_ipv6() -> None:
    try:
        listener = Listener("six", lambda _: Response(200, body=bytes_body(b"six")), host="::1")
    except OSError:
        pytest.skip("this machine has no IPv6")
    with listener, urllib3.PoolManager(timeout=IN_TIME) as pool:
        assert listener.url.startswith("http://[::1]:")
        assert pool.request("GET", listener.url).data == b"six"

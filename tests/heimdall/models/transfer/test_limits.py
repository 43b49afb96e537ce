from __future__ import annotations

import pytest

from heimdall.models.errors import SourceError
from heimdall.models.transfer.http import Client
from heimdall.models.transfer.limits import Pace
from tests.support.raw_server import endlessly, raw_server

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

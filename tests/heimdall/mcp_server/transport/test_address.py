from __future__ import annotations

import socket

import pytest

from heimdall.mcp_server.transport.address import Address, AddressError


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:8080", "127.0.0.1", 8080),
        ("localhost:0", "localhost", 0),
        ("LOCALHOST", "LOCALHOST", 8080),
        ("9000", "127.0.0.1", 9000),
        ("[::1]:8080", "::1", 8080),
        ("127.8.9.1:1", "127.8.9.1", 1),
    ],
)
def test_loopback(text: str, host: str, port: int) -> None:
    assert Address.parse(text) == Address(host, port)


@pytest.mark.parametrize(
    "text",
    ["0.0.0.0:8080", "[::]:8080", "192.168.1.5:8080", "example.com:8080", "localhost.evil:1"],
)
def test_what_others_can_reach_takes_an_explicit_option(text: str) -> None:
    with pytest.raises(AddressError, match="--allow-remote"):
        Address.parse(text)
    Address.parse(text, allow_remote=True)


@pytest.mark.parametrize(
    "text",
    ["", ":", ":8080", "127.0.0.1:", "127.0.0.1:http", "127.0.0.1:65536", "127.0.0.1:-1", "[]:1"],
)
def test_no_address(text: str) -> None:
    with pytest.raises(AddressError, match="expected HOST:PORT"):
        Address.parse(text)


def test_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(AddressError, match=f"can't listen on 127.0.0.1:{port}: .*another port"):
            Address("127.0.0.1", port).listen()
    with Address("127.0.0.1", 0).listen() as free:
        assert free.getsockname()[1] > 0

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heimdall.mcp_server.transport.address import AddressError
from heimdall.mcp_server.transport.names import Authority, Names

NAMES = Names.of(
    ["Memory.Example", "memory.example:8443", "[2001:db8::1]:80"],
    ["https://app.example", "http://App.Example:8080"],
).and_host("10.0.0.1", 9000)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.0.0.1:8080",
        "localhost:1",
        "LOCALHOST:65535",
        "[::1]",
        "[::1]:8080",
        "[0:0:0:0:0:0:0:1]:8080",
        "memory.example",
        "MEMORY.example:8443",
        "[2001:DB8::1]:80",
        "10.0.0.1:9000",
    ],
)
def test_names_of_ours(host: str) -> None:
    assert NAMES.may_host([host])


@pytest.mark.parametrize(
    "host",
    [
        "",
        "127.0.0.1:x.evil.example",
        "127.0.0.1:8080.evil.example",
        "127.0.0.1:8080:evil.example",
        "localhost:",
        "localhost:0",
        "localhost:65536",
        "localhost:99999999999999999999",
        "localhost:+80",
        "localhost: 80",
        "localhost:٨٠",
        "localhost.:8080",
        "localhost.evil.example",
        "evil.example",
        "user@localhost:8080",
        "localhost@evil.example",
        "localhost:8080@evil.example",
        "localhost/evil",
        "localhost#evil",
        "localhost\\evil",
        "localhost evil",
        "localhost,evil",
        "\uff4cocalhost",
        "::1",
        "[::1",
        "[::1]evil",
        "[::1%25lo]:8080",
        "[127.0.0.1]",
        "[::ffff:127.0.0.1]evil:1",
        "127.1",
        "0.0.0.0",  # noqa: S104
        "memory.example:8444",
        "memory.example.evil.example",
        "10.0.0.1",
        "10.0.0.1:9001",
        "http://localhost",
    ],
)
def test_names_of_others(host: str) -> None:
    assert not NAMES.may_host([host])


def test_one_host_exactly() -> None:
    assert not NAMES.may_host([])
    assert not NAMES.may_host(["localhost", "localhost"])
    assert not NAMES.may_host(["localhost", "evil.example"])


@pytest.mark.parametrize(
    ("origins", "allowed"),
    [
        ([], True),
        (["http://localhost:3000"], True),
        (["http://127.0.0.1"], True),
        (["http://[::1]:5173"], True),
        (["https://app.example"], True),
        (["HTTPS://APP.example:443"], True),
        (["http://app.example:8080"], True),
        (["http://app.example"], False),
        (["https://app.example:444"], False),
        (["https://localhost"], False),
        (["null"], False),
        ([""], False),
        (["file://"], False),
        (["localhost"], False),
        (["http://localhost:3000/"], False),
        (["http://localhost:x.evil.example"], False),
        (["http://user@localhost"], False),
        (["http://localhost http://evil.example"], False),
        (["http://localhost", "http://localhost"], False),
        (["chrome-extension://localhost"], False),
    ],
)
def test_origins(origins: list[str], allowed: bool) -> None:
    assert NAMES.may_origin(origins) == allowed


@given(st.text(st.sampled_from("127.0.0.1localhost:[]@/.x%5 "), max_size=30))
def test_what_is_let_through_is_the_very_name(text: str) -> None:
    if NAMES.may_host([text]):
        place = Authority.parse(text)
        assert place is not None
        port = "" if place.port is None else text.rpartition(":")[2]
        host = f"[{place.host}]" if ":" in place.host else place.host
        assert text.lower() == (f"{host}:{port}" if port else host)


@pytest.mark.parametrize("host", ["*", "memory.example:*", "https://memory.example", ""])
def test_a_name_that_is_none_is_refused_at_the_start(host: str) -> None:
    with pytest.raises(AddressError, match="--allow-host"):
        Names.of([host], [])
    with pytest.raises(AddressError, match="--allow-origin"):
        Names.of([], ["app.example"])

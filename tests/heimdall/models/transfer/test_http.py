from __future__ import annotations

import email.utils
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heimdall.models.errors import SourceError
from heimdall.models.transfer.address import Address
from heimdall.models.transfer.failures import retry_after_seconds
from heimdall.models.transfer.http import Client
from tests.support.faults import Fault, Instead
from tests.support.servers import RunningServer, plain_mirror


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    (tmp_path / "file").write_bytes(b"content")
    with plain_mirror(tmp_path) as server:
        yield server


def body(client: Client, url: str, **options: dict[str, str]) -> bytes:
    with client.open(url, **options) as answer:
        content = b"".join(answer.chunks())
    client.close()
    return content


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed(client: Client, server: RunningServer, status: int) -> None:
    server.faults.add(Fault(Instead(status, headers={"Location": "/file?signed"}), path="/moved"))
    assert body(client, f"{server.url}/moved") == b"content"


def test_authorization_stays_with_its_origin(
    client: Client, server: RunningServer, tmp_path: Path
) -> None:
    with plain_mirror(tmp_path) as other:
        server.faults.add(
            Fault(Instead(302, headers={"Location": f"{other.url}/file"}), path="/away")
        )
        server.faults.add(Fault(Instead(302, headers={"Location": "/file"}), path="/home"))
        assert (
            body(client, f"{server.url}/away", credentials={"Authorization": "Bearer t"})
            == b"content"
        )
        assert (
            body(client, f"{server.url}/home", credentials={"Authorization": "Bearer t"})
            == b"content"
        )
        assert [record.authorized for record in server.requests.settled()] == [True, True, True]
        assert [record.authorized for record in other.requests.settled()] == [False]


def test_credentials_in_the_url_become_basic_authorization(
    client: Client, server: RunningServer
) -> None:
    url = server.url.replace("http://", "http://user:p%40ss@")
    assert body(client, f"{url}/file") == b"content"
    assert server.requests.settled()[0].authorized


@pytest.mark.parametrize(
    ("status", "transient"),
    [
        (400, False),
        (401, False),
        (403, False),
        (404, False),
        (410, False),
        (408, True),
        (429, True),
        (500, True),
        (503, True),
    ],
)
def test_each_status_is_named_and_judged(
    client: Client, server: RunningServer, status: int, transient: bool
) -> None:
    server.faults.add(Fault(Instead(status, headers={"Retry-After": "7"})))
    with pytest.raises(SourceError, match=f"answered {status}") as caught:
        body(client, f"{server.url}/file")
    assert (caught.value.transient, caught.value.unreachable, caught.value.retry_after) == (
        transient,
        False,
        7.0,
    )


def test_a_port_where_nobody_listens_is_unreachable(client: Client) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://user:hunter2@127.0.0.1:{free.getsockname()[1]}/x"
        with pytest.raises(SourceError, match=r"x: Connection refused$") as caught:
            body(client, url)
    assert caught.value.unreachable
    assert "hunter2" not in caught.value.reason


@given(st.integers(0, 3600))
def test_retry_after_in_seconds(seconds: int) -> None:
    assert retry_after_seconds(str(seconds)) == seconds


def test_retry_after_as_a_date() -> None:
    assert retry_after_seconds("Thu, 01 Jan 1970 00:01:00 GMT") == 0
    later = retry_after_seconds(email.utils.formatdate(time.time() + 1000, usegmt=True))
    assert later is not None
    assert 0 < later <= 1000


@given(st.text(max_size=30))
def test_any_other_retry_after_is_ignored_or_a_duration(text: str) -> None:
    seconds = retry_after_seconds(text)
    assert seconds is None or seconds >= 0


@pytest.mark.parametrize("url", ["http://h.example:99999999/x", "http://[::1/x"])
def test_an_origin_that_is_none(url: str) -> None:
    with pytest.raises(SourceError, match="is no URL that can be asked"):
        Address.of(url)


def test_a_header_that_can_not_be_sent_is_not_repeated(
    client: Client, server: RunningServer
) -> None:
    with pytest.raises(SourceError, match="can't be asked") as caught:
        body(client, f"{server.url}/file", credentials={"Authorization": "Bearer hunter2\n"})
    assert "hunter2" not in str(caught.value)


def test_origins() -> None:
    https, http = Address.of("https://h.example/x"), Address.of("http://h.example/x")
    assert https.origin == Address.of("https://h.example:443/y").origin != http.origin
    assert https == ("https://h.example/x", ("https", "h.example", 443), None)


@pytest.mark.parametrize(
    ("home", "url", "shown"),
    [
        ("http://h.example/a", "https://h.example/b", True),
        ("https://h.example/a", "http://h.example/b", False),
        ("http://h.example/a", "https://h.example:8443/b", False),
        ("http://h.example:8080/a", "https://h.example/b", False),
        ("http://h.example/a", "https://other.example/b", False),
    ],
)
def test_credentials_go_along_when_a_host_asks_for_tls(home: str, url: str, shown: bool) -> None:
    """As with requests and pip."""
    assert Address.of(url).is_at_home(Address.of(home)) is shown

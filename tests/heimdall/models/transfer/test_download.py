from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heimdall.models.errors import SourceError
from heimdall.models.manifest import PinnedFile
from heimdall.models.package import DISTRIBUTION
from heimdall.models.transfer.download import Download, ask_byte
from heimdall.models.transfer.http import Client
from heimdall.models.transfer.partials import claim
from heimdall.models.transfer.progress import Progress
from tests.support.faults import CutAfter, Fault, IgnoreRange, Instead, WrongBytes
from tests.support.raw_server import raw_server
from tests.support.servers import RunningServer, plain_mirror
from tests.support.small_model import noise

pytestmark = pytest.mark.slow

CONTENT = noise(3_000_000)
SHORT = CONTENT[:50_000]
TARGET = PinnedFile("asset.zip", hashlib.sha256(CONTENT).hexdigest(), len(CONTENT))


class Counting(Progress):
    def __init__(self) -> None:
        self.total: int | None = None
        self.done = 0

    def start(self, _what: str, total: int | None, done: int = 0) -> None:
        self.total, self.done = total, done

    def advance(self, count: int) -> None:
        self.done += count


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "asset.zip").write_bytes(CONTENT)
    with plain_mirror(tmp_path / "served") as server:
        yield server


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    directory = tmp_path / "partial"
    directory.mkdir()
    return directory


def fetch(
    server: RunningServer, client: Client, parts: Path, target: PinnedFile = TARGET
) -> Counting:
    progress = Counting()
    with claim(parts, "key") as partial:
        Download(client, f"{server.url}/asset.zip", target, partial, progress, None).run()
        assert partial.path.read_bytes() == CONTENT
    return progress


def ranges(server: RunningServer) -> list[str | None]:
    return [record.range for record in server.requests.settled()]


def test_a_whole_file(server: RunningServer, client: Client, parts: Path) -> None:
    progress = fetch(server, client, parts)
    assert (progress.total, progress.done) == (len(CONTENT), len(CONTENT))
    assert ranges(server) == [None]


def test_identity_is_asked_for(server: RunningServer, client: Client, parts: Path) -> None:
    fetch(server, client, parts)
    assert server.requests.settled()[0].headers["accept-encoding"] == "identity"


def test_a_server_sees_which_distribution_asks(
    server: RunningServer, client: Client, parts: Path
) -> None:
    fetch(server, client, parts)
    assert server.requests.settled()[0].headers["user-agent"] == DISTRIBUTION == "heimdall-mcp"


@settings(max_examples=25)
@given(prefix=st.integers(1, len(CONTENT)))
def test_any_prefix_is_continued(
    server: RunningServer, client: Client, parts: Path, prefix: int
) -> None:
    (parts / "key.free-0.part").write_bytes(CONTENT[:prefix])
    before = len(server.requests.settled())
    progress = fetch(server, client, parts)
    assert ranges(server)[before:] == ([f"bytes={prefix}-"] if prefix < len(CONTENT) else [])
    assert progress.done == (len(CONTENT) if prefix < len(CONTENT) else 0)


@pytest.mark.parametrize("stale", [b"x" * 1000, b"x" * len(CONTENT), b"x" * (len(CONTENT) + 5)])
def test_a_stale_prefix_is_fetched_anew_once(
    server: RunningServer, client: Client, parts: Path, stale: bytes
) -> None:
    (parts / "key.free-0.part").write_bytes(stale)
    fetch(server, client, parts)
    assert ranges(server)[-1] is None


def test_a_connection_that_breaks_is_continued_at_once_with_if_range(
    server: RunningServer, client: Client, parts: Path
) -> None:
    server.faults.add(Fault(CutAfter(1_500_000), turns={1}))
    fetch(server, client, parts)
    _, second = server.requests.settled()
    assert second.range is not None
    assert second.headers["if-range"].startswith('"')
    assert int(second.range.removeprefix("bytes=").removesuffix("-")) >= 1 << 20


def test_a_break_without_much_progress_is_left_to_the_next_source(
    server: RunningServer, client: Client, parts: Path
) -> None:
    server.faults.add(Fault(CutAfter(1000)))
    with pytest.raises(SourceError) as caught:
        fetch(server, client, parts)
    assert caught.value.transient
    assert len(server.requests.settled()) == 1
    server.faults.clear()
    fetch(server, client, parts)
    assert ranges(server)[-1] == "bytes=1000-", "what arrived is kept and continued"


def test_a_server_without_ranges_starts_over(
    server: RunningServer, client: Client, parts: Path
) -> None:
    server.faults.add(Fault(IgnoreRange()))
    (parts / "key.free-0.part").write_bytes(CONTENT[:1000])
    progress = fetch(server, client, parts)
    assert progress.done == len(CONTENT)


@pytest.mark.parametrize(
    "content_range", ["bytes 0-10/11", "bytes 999-2999999/3000000", "nonsense", ""]
)
def test_a_wrong_content_range_is_never_appended(
    server: RunningServer, client: Client, parts: Path, content_range: str
) -> None:
    server.faults.add(Fault(Instead(206, b"evil", {"Content-Range": content_range}), turns={1}))
    (parts / "key.free-0.part").write_bytes(CONTENT[:1000])
    fetch(server, client, parts)
    assert ranges(server) == ["bytes=1000-", None], "started over at once"


def test_a_server_that_keeps_answering_wrong_ranges_is_given_up(
    server: RunningServer, client: Client, parts: Path
) -> None:
    server.faults.add(Fault(Instead(206, b"evil", {"Content-Range": "bytes 7-10/11"})))
    (parts / "key.free-0.part").write_bytes(CONTENT[:1000])
    with pytest.raises(SourceError, match="answered the wrong range") as caught:
        fetch(server, client, parts)
    assert caught.value.transient
    assert len(ranges(server)) == 2


def test_416_starts_over(server: RunningServer, client: Client, parts: Path) -> None:
    server.faults.add(Fault(Instead(416), turns={1}))
    (parts / "key.free-0.part").write_bytes(CONTENT[:1000])
    fetch(server, client, parts)
    assert ranges(server) == ["bytes=1000-", None]


def test_wrong_bytes_are_named_and_thrown_away(
    server: RunningServer, client: Client, parts: Path
) -> None:
    server.faults.add(Fault(WrongBytes()))
    with pytest.raises(
        SourceError, match=r"wrong bytes for asset\.zip: expected .* found"
    ) as caught:
        fetch(server, client, parts)
    assert not caught.value.transient
    assert TARGET.sha256 in caught.value.reason
    assert not list(parts.iterdir())


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (
            Instead(200, b"<html>log in", {"Content-Type": "text/html"}),
            "login page or captive portal",
        ),
        (
            Instead(200, b"x" * 3_000_001, {"Content-Type": "text/plain"}),
            "sends 3000001 bytes of text/plain",
        ),
        (Instead(200, b"x", {"Content-Encoding": "gzip"}), "gzip-encoded bytes although identity"),
    ],
)
def test_another_body_is_refused_by_its_head(
    server: RunningServer, client: Client, parts: Path, answer: Instead, reason: str
) -> None:
    server.faults.add(Fault(answer))
    with pytest.raises(SourceError, match=reason) as caught:
        fetch(server, client, parts)
    assert not caught.value.transient
    assert not list(parts.iterdir())


def test_a_page_of_unknown_length_is_no_reason_to_lose_what_is_here(
    client: Client, parts: Path
) -> None:
    """As a captive portal sends it."""
    page = b"HTTP/1.1 200 OK\r\nContent-Type: Text/HTML; charset=utf-8\r\n\r\n<html>log in"
    with raw_server(page) as portal, claim(parts, "key") as partial:
        partial.append(CONTENT[:1000])
        download = Download(client, portal.url, TARGET, partial, Progress(), None)
        with pytest.raises(SourceError, match="a login page or captive portal") as caught:
            download.run()
        assert partial.size == 1000
    assert not caught.value.transient


_ALL = b"Content-Length: %d\r\n\r\n%b" % (len(SHORT), SHORT)
_REST = b"Content-Length: %d\r\n\r\n%b" % (len(SHORT) - 1000, SHORT[1000:])


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.0 200 OK\r\n" + _ALL,
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n" + _ALL,
        b"HTTP/1.1 200 OK\r\nContent-Encoding: Identity\r\n" + _ALL,
        b"HTTP/1.1 200 OK\r\nContent-Encoding: aws-chunked\r\n" + _ALL,
        b"HTTP/1.1 203 Non-Authoritative Information\r\n" + _ALL,
        b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 1000-49999/*\r\n" + _REST,
        b"HTTP/1.1 206 Partial Content\r\nContent-Range: Bytes 1000-49999/50000\r\n" + _REST,
    ],
    ids=["HTTP/1.0", "closed", "Identity", "aws-chunked", "203", "no total", "Bytes"],
)
def test_servers_of_all_kinds(client: Client, parts: Path, answer: bytes) -> None:
    """At the first try: `python -m http.server`, object stores, proxies that had a part in it."""
    target = PinnedFile("short", hashlib.sha256(SHORT).hexdigest(), len(SHORT))
    with raw_server(answer) as server, claim(parts, "key") as partial:
        partial.append(SHORT[:1000])
        Download(client, server.url, target, partial, Progress(), None).run()
        assert partial.path.read_bytes() == SHORT
    assert len(server.heads) == 1


@pytest.mark.parametrize("ranges", [True, False])
def test_one_byte_tells_the_size(tmp_path: Path, client: Client, ranges: bool) -> None:
    (tmp_path / "file").write_bytes(CONTENT)
    with plain_mirror(tmp_path, ranges=ranges) as server:
        ask_byte(client, f"{server.url}/file", len(CONTENT))
        with pytest.raises(SourceError, match=f"/file: has {len(CONTENT)} bytes, expected 7"):
            ask_byte(client, f"{server.url}/file", 7)
        with pytest.raises(SourceError, match="answered 404"):
            ask_byte(client, f"{server.url}/none", 7)

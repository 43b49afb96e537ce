from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heimdall.models.errors import SourceError
from heimdall.models.manifest import PinnedFile
from heimdall.models.store import Store
from heimdall.models.transfer.http import Client
from heimdall.models.transfer.progress import Progress
from heimdall.models.transfer.remote_zip import NoRangesError, RemoteFile, take_members
from tests.support.faults import CutAfter, Fault, IgnoreRange, Instead
from tests.support.servers import RunningServer, plain_mirror
from tests.support.small_model import noise

LARGE, SMALL = noise(2_000_000), noise(150_000, seed=3)
WANTED = PinnedFile("tokenizer.json", hashlib.sha256(SMALL).hexdigest(), len(SMALL))


@pytest.fixture(params=[zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def server(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[RunningServer]:
    directory = tmp_path / "served"
    directory.mkdir()
    with zipfile.ZipFile(directory / "a.zip", "w", request.param) as archive:
        archive.writestr("models/tokenizer.json", SMALL)
        archive.writestr("models/model.safetensors", LARGE)
    with plain_mirror(directory) as server:
        yield server


@pytest.fixture
def client() -> Iterator[Client]:
    client = Client(stall_seconds=2)
    yield client
    client.close()


@pytest.fixture
def store(models_dir: Path) -> Store:
    store = Store(models_dir)
    store.prepare()
    return store


def take(
    server: RunningServer,
    client: Client,
    store: Store,
    file: PinnedFile = WANTED,
    name: str = "tokenizer.json",
) -> bool:
    return take_members(client, f"{server.url}/a.zip", {f"models/{name}": file}, store, Progress())


def test_one_member_costs_about_its_own_bytes(
    server: RunningServer, client: Client, store: Store
) -> None:
    assert take(server, client, store)
    assert store.blob(WANTED).read_bytes() == SMALL
    records = server.requests.settled()
    assert [record.status for record in records] == [206, 206]
    assert records[0].range == "bytes=-65536"
    # The rest of the second answer is not read; what the sockets had buffered is all that came of it.
    assert records[1].headers["if-range"].startswith('"')


def test_most_of_a_zip_is_better_fetched_whole(
    server: RunningServer, client: Client, store: Store
) -> None:
    weights = PinnedFile("model.safetensors", hashlib.sha256(LARGE).hexdigest(), len(LARGE))
    assert not take(server, client, store, weights, "model.safetensors")
    assert not store.arrived


def test_a_known_size_saves_the_request(
    server: RunningServer, client: Client, store: Store
) -> None:
    url = f"{server.url}/a.zip"
    assert not take_members(
        client, url, {"models/tokenizer.json": WANTED}, store, Progress(), zip_size=200_000
    )
    assert server.requests.settled() == []


@pytest.mark.parametrize(
    "fault",
    [
        IgnoreRange(),
        Instead(206, b"x", {}),
        Instead(206, b"x" * 10, {"Content-Range": "bytes 0-9/3000000"}),
        Instead(206, b"x" * 10, {"Content-Range": "bytes 90-99/100", "Content-Encoding": "gzip"}),
        Instead(206, b"x" * 5, {"Content-Range": "bytes 90-99/100"}),
    ],
)
def test_without_sound_ranges_the_whole_is_fetched(
    server: RunningServer, client: Client, store: Store, fault: Instead | IgnoreRange
) -> None:
    server.faults.add(Fault(fault))
    assert not take(server, client, store)


def test_other_bytes_are_refused(server: RunningServer, client: Client, store: Store) -> None:
    other = PinnedFile("tokenizer.json", "0" * 64, len(SMALL))
    with pytest.raises(SourceError, match=r"a\.zip: tokenizer\.json: expected sha256"):
        take(server, client, store, other)
    with pytest.raises(SourceError, match=r"lacks the member models/none"):
        take(server, client, store, WANTED, "none")


def test_a_file_that_changes_meanwhile_is_refused(
    server: RunningServer, client: Client, store: Store
) -> None:
    changed = Instead(206, b"x" * 100, {"Content-Range": "bytes 0-99/2999999"})
    server.faults.add(Fault(changed, turns={2}))
    with pytest.raises(SourceError, match="changed while it was read"):
        take(server, client, store)


def test_a_connection_that_ends_early_may_recover(
    server: RunningServer, client: Client, store: Store
) -> None:
    server.faults.add(Fault(CutAfter(1000), turns={2}))
    with pytest.raises(SourceError) as caught:
        take(server, client, store)
    assert caught.value.transient
    assert take(server, client, store)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.tuples(st.integers(0, 400_000), st.integers(0, 70_000)), min_size=1, max_size=4
    )
)
def test_it_reads_as_a_local_file_does(
    tmp_path: Path, client: Client, steps: list[tuple[int, int]]
) -> None:
    directory = tmp_path / "plain"
    directory.mkdir(exist_ok=True)
    content = noise(300_000)
    (directory / "a").write_bytes(content)
    local = io.BytesIO(content)
    with plain_mirror(directory) as server, RemoteFile(client, f"{server.url}/a") as remote:
        assert remote.size == len(content)
        for offset, count in steps:
            assert remote.seek(offset) == local.seek(offset)
            found = b""
            while len(found) < count and (part := remote.read(count - len(found))):
                found += part
            assert found == local.read(count)


def test_an_empty_or_tiny_file(tmp_path: Path, client: Client) -> None:
    (tmp_path / "tiny").write_bytes(b"tiny")
    with plain_mirror(tmp_path) as server:
        with RemoteFile(client, f"{server.url}/tiny") as remote:
            assert remote.read(10) == b"tiny"
            assert remote.seek(-2, io.SEEK_END) == 2
            assert remote.read() == b"ny"
            assert (remote.tell(), remote.read(1)) == (4, b"")
        (tmp_path / "empty").touch()
        with pytest.raises((NoRangesError, SourceError)):
            RemoteFile(client, f"{server.url}/empty")

from __future__ import annotations

import contextlib
import io
import stat
import warnings
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heimdall.models.errors import SourceError
from heimdall.models.manifest import PinnedModel
from heimdall.models.pinned_set import PinnedSet
from heimdall.models.sources.archives import member_chunks, unpack
from heimdall.models.store import Store
from tests.support.small_model import SmallModel


@pytest.fixture
def store(models_dir: Path) -> Store:
    store = Store(models_dir)
    store.prepare()
    return store


def test_what_is_wanted_comes_out(store: Store, pinned: PinnedModel, small: SmallModel) -> None:
    wanted = [file for file in pinned.files if file.content is None]
    unpack(small.asset_path, wanted, PinnedSet(pinned, store))
    assert store.missing(wanted) == []
    assert len(list(store.blobs.iterdir())) == len(wanted)


def member(name: str, *, mode: int = stat.S_IFREG | 0o644) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = mode << 16
    return info


@pytest.mark.parametrize(
    ("info", "reason"),
    [
        (member("models/../../evil"), "none of the pinned"),
        (member("/etc/passwd"), "none of the pinned"),
        (member("evil"), "none of the pinned"),
        (member("models/evil"), "none of the pinned"),
        (member("models/about/../evil"), "none of the pinned"),
        (member("models\\evil"), "none of the pinned"),
        (member("\0without a name"), "none of the pinned"),
        (member("other/"), "none of the pinned"),
        (member("models/about/link", mode=stat.S_IFLNK | 0o777), "link or special"),
        (member("models/about/fifo", mode=stat.S_IFIFO | 0o600), "link or special"),
        (member("models/MODEL.safetensors"), "is there twice"),
        (member("models/model.safetensors"), "is there twice"),
    ],
)
def test_a_hostile_member_is_refused_before_anything_is_read(
    store: Store, pinned: PinnedModel, small: SmallModel, info: zipfile.ZipInfo, reason: str
) -> None:
    with warnings.catch_warnings(), zipfile.ZipFile(small.asset_path, "a") as archive:
        warnings.simplefilter("ignore")  # zipfile's own, about the duplicate that this test wants
        archive.writestr(info, b"evil")
    with pytest.raises(SourceError, match=f"{reason}.*refused"):
        unpack(small.asset_path, pinned.files, PinnedSet(pinned, store))
    assert not list(store.blobs.iterdir())


def test_a_bomb_is_refused_by_its_size(store: Store, pinned: PinnedModel, tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("models/model.safetensors", bytes(50_000_000))
    with pytest.raises(SourceError, match="has 50000000 bytes, expected 300000"):
        unpack(path, pinned.files, PinnedSet(pinned, store))


def test_a_member_that_inflates_beyond_its_header_stays_out(
    store: Store, pinned: PinnedModel, small: SmallModel
) -> None:
    content = bytearray(small.asset_path.read_bytes())
    position = content.find(small.files["model.safetensors"])
    content[position] ^= 1
    small.asset_path.write_bytes(content)
    with pytest.raises(SourceError, match="CRC"):
        unpack(
            small.asset_path,
            [file for file in pinned.files if file.path == "model.safetensors"],
            PinnedSet(pinned, store),
        )
    assert not list(store.blobs.iterdir())


def test_a_missing_member_is_named(store: Store, pinned: PinnedModel, tmp_path: Path) -> None:
    path = tmp_path / "empty.zip"
    zipfile.ZipFile(path, "w").close()
    with pytest.raises(SourceError, match=r"lacks the member models/"):
        unpack(path, pinned.files, PinnedSet(pinned, store))


@settings(max_examples=60)
@given(
    edits=st.lists(st.tuples(st.integers(-800, 199), st.integers(0, 255)), min_size=1, max_size=4)
)
def test_any_damage_is_a_source_error_or_harmless(
    store: Store,
    pinned: PinnedModel,
    small: SmallModel,
    tmp_path: Path,
    edits: list[tuple[int, int]],
) -> None:
    content = bytearray(small.asset_path.read_bytes())
    for position, value in edits:  # in the first headers, or from the end in the directory
        content[position] = value
    path = tmp_path / "damaged.zip"
    path.write_bytes(content)
    try:
        unpack(path, pinned.files, PinnedSet(pinned, store))
    except SourceError:
        return
    assert store.missing(pinned.files) == []


CONTENT = b"content " * 1000


def zipped(method: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as opened:
        opened.writestr("member", CONTENT)
    return buffer.getvalue()


def read(content: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        return b"".join(member_chunks(opened, "member", "x.zip"))


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_what_assets_use_is_read(method: int) -> None:
    assert read(zipped(method)) == CONTENT


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_inflates_without_a_bound_on_memory_is_refused(method: int) -> None:
    with pytest.raises(
        SourceError, match=rf"x\.zip: member member is compressed by method {method}; refused"
    ):
        read(zipped(method))


@given(st.data())
def test_any_damage_to_a_member_is_one_error_or_left_to_the_hash(data: st.DataObject) -> None:
    method = data.draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))
    content = bytearray(zipped(method))
    directory = content.rfind(b"PK\x01\x02")
    for position in data.draw(st.lists(st.integers(0, directory - 1), min_size=1, max_size=5)):
        content[position] = data.draw(st.integers(0, 255))
    with contextlib.suppress(SourceError):
        read(bytes(content))

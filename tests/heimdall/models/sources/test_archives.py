from __future__ import annotations

import contextlib
import io
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


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_member_with_other_bytes_stays_out(
    store: Store, pinned: PinnedModel, small: SmallModel, tmp_path: Path, method: int
) -> None:
    (file,) = (file for file in pinned.files if file.path == "model.safetensors")
    with zipfile.ZipFile(tmp_path / "other.zip", "w", method) as archive:
        archive.writestr("models/model.safetensors", small.files[file.path][:-1] + b"?")
    with pytest.raises(SourceError, match=f"expected sha256 {file.sha256}"):
        unpack(tmp_path / "other.zip", [file], PinnedSet(pinned, store))
    assert not list(store.blobs.iterdir())


def test_a_stored_member_is_judged_by_its_sha256_alone(
    store: Store, pinned: PinnedModel, small: SmallModel
) -> None:
    """Wherever its header says that it lies: an extra field is before it."""
    (file,) = (file for file in pinned.files if file.path == "model.safetensors")
    info = zipfile.ZipInfo(f"models/{file.path}")
    info.extra = b"\xfe\xca\x03\x00abc"
    with zipfile.ZipFile(small.asset_path, "w") as archive:
        archive.writestr(info, small.files[file.path])
    content = small.asset_path.read_bytes()
    crc = info.CRC.to_bytes(4, "little")
    assert content.count(crc) == 2
    small.asset_path.write_bytes(content.replace(crc, b"none"))
    unpack(small.asset_path, [file], PinnedSet(pinned, store))
    assert store.missing([file]) == []


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


@given(st.data())
def test_any_damage_to_a_member_is_one_error_or_left_to_the_hash(data: st.DataObject) -> None:
    method = data.draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))
    content = bytearray(zipped(method))
    directory = content.rfind(b"PK\x01\x02")
    for position in data.draw(st.lists(st.integers(0, directory - 1), min_size=1, max_size=5)):
        content[position] = data.draw(st.integers(0, 255))
    with contextlib.suppress(SourceError):
        read(bytes(content))

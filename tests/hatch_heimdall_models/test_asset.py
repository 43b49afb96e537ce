"""The zip: the same bytes everywhere, and readable from its start to its end without seeking."""

from __future__ import annotations

import io
import os
import struct
import zipfile
import zlib
from pathlib import Path

import pytest

from hatch_heimdall_models.asset import read_asset, write_asset
from hatch_heimdall_models.errors import ModelBuildError
from hatch_heimdall_models.inventory import take_inventory
from tests.support.tiny_release import zip_bytes

ABOUT = {"LICENSE": b"licence", "provenance.json": b"{}"}
CONTENT = {
    "a.onnx": b"graph",
    "model.safetensors": bytes(3_000_000),
    "tokenizer/tokenizer.json": b"{}" * 50_000,
}


@pytest.fixture
def models(tmp_path: Path) -> dict[str, Path]:
    paths = {path: tmp_path / "models" / path for path in CONTENT}
    for path, target in paths.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(CONTENT[path])
    return paths


def asset_bytes(models: dict[str, Path]) -> bytes:
    stream = io.BytesIO()
    write_asset(stream, models, ABOUT)
    return stream.getvalue()


def test_the_bytes_depend_on_names_and_content_alone(models: dict[str, Path]) -> None:
    first = asset_bytes(models)
    for path in models.values():
        os.utime(path, (1_000_000_000, 1_000_000_000))
        path.chmod(0o700)
    assert asset_bytes(dict(reversed(models.items()))) == first


def test_it_can_be_unpacked_while_it_arrives(models: dict[str, Path]) -> None:
    """Reads local headers only, as a streaming reader has to: no data descriptor, sizes and checksum up front."""
    stream = io.BytesIO(asset_bytes(models))
    found = {}
    while (head := stream.read(30))[:4] == b"PK\x03\x04":
        _, _, flags, method, _, date, crc, packed, size, name_size, extra_size = struct.unpack(
            "<4s5H3I2H", head
        )
        name = stream.read(name_size).decode()
        assert (flags, method, extra_size, date) == (0, zipfile.ZIP_STORED, 0, 0x21)
        content = stream.read(packed)
        assert (len(content), zlib.crc32(content)) == (size, crc)
        found[name] = content
    about = {f"models/about/{name}": content for name, content in ABOUT.items()}
    assert found == about | {f"models/{path}": content for path, content in CONTENT.items()}


def test_members_are_plain_files_that_all_may_read(models: dict[str, Path]) -> None:
    with zipfile.ZipFile(io.BytesIO(asset_bytes(models))) as archive:
        assert archive.testzip() is None
        assert {
            (member.create_system, member.external_attr >> 16) for member in archive.infolist()
        } == {(3, 0o100644)}


def test_reading_it_back_gives_the_model_files(tmp_path: Path, models: dict[str, Path]) -> None:
    path = tmp_path / "asset.zip"
    path.write_bytes(asset_bytes(models))
    assert read_asset(path) == take_inventory(tmp_path / "models")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "can't be read"),
        (b"<html>404</html>", "can't be read"),
        (zip_bytes({"models/a": b"a", "other/b": b"b"}), "member other/b lies outside of models/"),
    ],
)
def test_what_is_no_asset_is_refused(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "asset.zip"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelBuildError, match=message):
        read_asset(path)


def test_a_flipped_bit_is_found(tmp_path: Path, models: dict[str, Path]) -> None:
    content = bytearray(asset_bytes(models))
    content[1_000_000] ^= 1
    path = tmp_path / "asset.zip"
    path.write_bytes(content)
    with pytest.raises(ModelBuildError, match="can't be read: Bad CRC-32"):
        read_asset(path)

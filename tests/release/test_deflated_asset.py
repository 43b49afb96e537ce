"""The compact asset: a plain zip for every reader, the same bytes each time."""

from __future__ import annotations

import io
import random
import subprocess
import zipfile
from pathlib import Path

import pytest

from hatch_heimdall_models.asset import read_asset
from hatch_heimdall_models.inventory import take_inventory
from release.deflated_asset import write_deflated_asset
from tests.support.programs import needs

FILES = {
    "net.onnx": bytes(random.Random(1).choices(range(20), k=50_000)),
    "tokenizer/tokenizer.json": random.Random(2).randbytes(1000),
}
ABOUT = {"LICENSE": b"free " * 100, "A.md": b"a"}


@pytest.fixture
def asset(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        path = tmp_path / "models" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    path = tmp_path / "asset.zip"
    path.write_bytes(_written(tmp_path / "models"))
    return path


def _written(models: Path) -> bytes:
    stream = io.BytesIO()
    write_deflated_asset(stream, {name: models / name for name in FILES}, ABOUT)
    return stream.getvalue()


def test_it_holds_the_models_files(asset: Path) -> None:
    assert read_asset(asset) == take_inventory(asset.parent / "models")


def test_names_order_and_modes_are_those_of_every_asset(asset: Path) -> None:
    with zipfile.ZipFile(asset) as archive:
        assert archive.testzip() is None
        members = archive.infolist()
    assert [member.filename for member in members] == [
        "models/about/A.md",
        "models/about/LICENSE",
        "models/net.onnx",
        "models/tokenizer/tokenizer.json",
    ]
    for member in members:
        assert member.date_time == (1980, 1, 1, 0, 0, 0)
        assert (member.create_system, member.external_attr >> 16) == (3, 0o100644)


def test_what_does_not_shrink_is_stored(asset: Path) -> None:
    with zipfile.ZipFile(asset) as archive:
        methods = {member.filename: member.compress_type for member in archive.infolist()}
    assert methods["models/net.onnx"] == zipfile.ZIP_DEFLATED
    assert methods["models/tokenizer/tokenizer.json"] == zipfile.ZIP_STORED
    assert asset.stat().st_size < 50_000 * 0.6


@needs("unzip")
def test_unzip_finds_nothing_wrong_with_it(asset: Path) -> None:
    done = subprocess.run(
        ["unzip", "-tq", str(asset)], capture_output=True, encoding="utf-8", check=False
    )
    assert (done.returncode, done.stderr) == (0, "")

"""Models whose large files are release assets as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from hatch_heimdall_models.cli import main
from hatch_heimdall_models.lock import read_manifest
from hatch_heimdall_models.manifest import Model
from tests.support.small_model import noise

LARGE, OTHER = noise(300_000), noise(120_000, seed=2)
TABLE = """\
[project]
name = "net-package"
version = "{version}"
[tool.heimdall-models]
models-dir = "models"
manifest = "net/model_manifest.json"
repository = "someone/net"
[[tool.heimdall-models.models]]
name = "net"
license = "MIT"
upstream = "https://example.org/net"
asset = "{asset}"
"""
SINGLE = "net-{tag}-{file}"


class Project:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.write("models/net.onnx", LARGE)
        self.write("models/data/some weights.bin", OTHER)
        self.write("models/config.json", b"{}")
        (root / "net").mkdir()
        (root / "net" / "__init__.py").touch()

    def write(self, path: str, content: bytes) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_bytes(content)

    def lock(self, *arguments: str, version: str = "1.0", asset: str = SINGLE) -> int:
        text = TABLE.format(version=version, asset=asset)
        (self.root / "pyproject.toml").write_text(text)
        return main(["lock", "--project", str(self.root), *arguments])

    @property
    def model(self) -> Model:
        (model,) = read_manifest(self.root / "net/model_manifest.json").models
        return model

    @property
    def assets(self) -> list[str]:
        return [f"{asset.tag}/{asset.name}" for asset in self.model.assets]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_each_large_file_is_an_asset_the_largest_first(project: Project) -> None:
    assert project.lock() == 0
    assert project.assets == ["v1.0/net-v1.0-net.onnx", "v1.0/net-v1.0-data-some-weights.bin"]
    packed = [project.root / "dist/models" / asset for asset in project.assets]
    assert [path.read_bytes() for path in packed] == [LARGE, OTHER]
    assert {asset.sha256 for asset in project.model.assets} < {
        file.sha256 for file in project.model.files
    }
    assert project.lock("--check") == 0


def test_assets_that_went_with_a_cleaned_dist_are_there_again(project: Project) -> None:
    assert project.lock() == 0
    packed = [project.root / "dist/models" / asset for asset in project.assets]
    packed[1].unlink()
    assert project.lock() == 0
    assert [path.read_bytes() for path in packed] == [LARGE, OTHER]
    packed[1].unlink()
    assert project.lock(version="1.1") == 0
    assert not packed[1].exists()


def test_a_file_that_did_not_change_keeps_its_asset(project: Project) -> None:
    assert project.lock() == 0
    project.write("models/net.onnx", LARGE[::-1])
    assert project.lock(version="1.1") == 0
    assert project.assets == ["v1.1/net-v1.1-net.onnx", "v1.0/net-v1.0-data-some-weights.bin"]
    assert [path.name for path in (project.root / "dist/models/v1.1").iterdir()] == [
        "net-v1.1-net.onnx"
    ]


def test_a_changed_file_of_a_locked_release_is_refused(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert project.lock() == 0
    (project.root / "dist/models/v1.0/net-v1.0-net.onnx").unlink()
    project.write("models/net.onnx", LARGE[::-1])
    assert project.lock() == 2
    assert (
        "net-v1.0-net.onnx of the release v1.0 is locked with other bytes"
        in capsys.readouterr().err
    )
    assert project.lock("--replace") == 0
    assert project.assets[0] == "v1.0/net-v1.0-net.onnx"


def test_a_zip_and_single_files_follow_one_another(project: Project) -> None:
    assert project.lock(asset="net-{tag}.zip") == 0
    assert project.assets == ["v1.0/net-v1.0.zip"]
    assert project.lock(version="1.1") == 0
    assert project.assets[0] == "v1.1/net-v1.1-net.onnx"
    assert project.lock(version="1.2", asset="net-{tag}.zip") == 0
    assert project.assets == ["v1.2/net-v1.2.zip"]


def test_very_many_assets_are_counted(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(9):
        project.write(f"models/part-{number}", LARGE + bytes([number]))
    assert project.lock() == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "release" in line]
    assert line.startswith("release v1.0: 11 assets, ")
    assert line.endswith("dist/models/v1.0, to be uploaded)")


def test_what_can_not_be_an_asset_is_said(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.write("dist/models/v1.0/net-v1.0-net.onnx", b"other bytes")
    assert project.lock() == 2
    assert "holds other bytes than net.onnx: remove it" in capsys.readouterr().err
    (project.root / "dist/models/v1.0/net-v1.0-net.onnx").unlink()
    project.write("models/data-some weights.bin", LARGE[::-1])
    assert project.lock() == 2
    assert "is that of another file: rename the file" in capsys.readouterr().err
    for path in ("net.onnx", "data/some weights.bin", "data-some weights.bin"):
        (project.root / "models" / path).unlink()
    assert project.lock() == 2
    assert "leave {file} out of its 'asset'" in capsys.readouterr().err

"""Which manifests PyInstaller's hooks take along. Real programs: test_heimdall_commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from heimdall.models import frozen
from tests.support.installed_package import lay_out_package
from tests.support.small_model import SmallModel

PROJECT = """
[tool.heimdall-models]
models-dir = "models"
manifest = "src/{name}/model_manifest.json"
lock = "models.lock.json"
repository = "owner/repository"
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    site = tmp_path / "site-packages"
    site.mkdir()
    monkeypatch.setattr("sys.path", [str(site), str(tmp_path / "tree" / "src")])
    return site


def test_manifests_go_where_their_packages_are(
    site: Path, small: SmallModel, tmp_path: Path
) -> None:
    colours = lay_out_package(site, "colours", small)
    shades = lay_out_package(site, "some_space.shades", small)
    lay_out_package(site, "heimdall", small)  # whose own hook takes it
    assert frozen.manifests(str(tmp_path / "work")) == [
        (str(colours), "colours"),
        (str(shades), "some_space/shades"),
    ]


def test_the_lock_of_a_checkout_is_its_manifest(
    site: Path, small: SmallModel, tmp_path: Path
) -> None:
    """As an editable install leaves it."""
    tree = tmp_path / "tree"
    package = tree / "src" / "textures"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (tree / "pyproject.toml").write_text(PROJECT.format(name="textures"))
    lock = small.write_manifest(tree / "models.lock.json")
    record = site / "textures-1.0.dist-info"
    record.mkdir()
    (record / "METADATA").write_text("Metadata-Version: 2.1\nName: textures\nVersion: 1.0\n")
    (record / "direct_url.json").write_text(
        f'{{"url": "{tree.as_uri()}", "dir_info": {{"editable": true}}}}'
    )
    ((path, place),) = frozen.manifests(str(tmp_path / "work"))
    assert (Path(path).name, place) == ("model_manifest.json", "textures")
    assert Path(path).read_bytes() == lock.read_bytes()

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from heimdall.models.bundle import BundleError, Given, export
from heimdall.models.errors import ModelUnavailable
from heimdall.models.manifest import PinnedModel
from heimdall.models.resolver import resolve_in_detail
from heimdall.models.settings import Settings
from tests.support.small_model import Installation, SmallModel

pytestmark = pytest.mark.slow

OFFLINE = Settings(offline="HEIMDALL_OFFLINE")


@pytest.fixture
def tree(small: SmallModel, manifest_path: Path, tmp_path: Path) -> Path:
    settings = Settings(mirrors=(small.mirror,), sources=("mirror",))
    return resolve_in_detail(models_dir=tmp_path / "here", settings=settings).directory


def test_there_and_back(small: SmallModel, pinned: PinnedModel, tree: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "model.zip"
    export(pinned, tree, bundle)
    with zipfile.ZipFile(bundle) as archive:
        assert archive.namelist() == sorted(f"models/{path}" for path in small.files)
    resolution = resolve_in_detail(
        models_dir=tmp_path / "there", settings=OFFLINE, sources=[Given(bundle)]
    )
    assert resolution.sources == ("file",)
    small.assert_tree(resolution.directory)


def test_the_same_model_gives_the_same_file(
    pinned: PinnedModel, tree: Path, tmp_path: Path
) -> None:
    export(pinned, tree, tmp_path / "a.zip")
    export(pinned, tree, tmp_path / "b.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_a_release_asset_fetched_by_hand_is_taken_as_it_is(
    small: SmallModel, manifest_path: Path
) -> None:
    assert resolve_in_detail(settings=OFFLINE, sources=[Given(small.asset_path)]).sources == (
        "file",
    )


def snapshot(small: SmallModel, top: Path) -> Path:
    """As Hugging Face's cache keeps it: links to blobs."""
    repository = top / "hub" / "models--owner--small"
    for path, content in small.files.items():
        digest = hashlib.sha256(content).hexdigest()
        link = repository / "snapshots" / "0abc" / path
        for folder in (link.parent, repository / "blobs"):
            folder.mkdir(parents=True, exist_ok=True)
        (repository / "blobs" / digest).write_bytes(content)
        link.symlink_to(os.path.relpath(repository / "blobs" / digest, link.parent))
    return repository / "snapshots" / "0abc"


def whole_cache(small: SmallModel, top: Path) -> Path:
    return snapshot(small, top).parents[3]


def flat_folder(small: SmallModel, top: Path) -> Path:
    for path, content in small.files.items():
        (top / Path(path).name).write_bytes(content)
    return top


def wheel(small: SmallModel, top: Path) -> Path:
    path = top / "some_model-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in small.files.items():
            archive.writestr(f"some_model/data/deep/{name}.bin", content)
        archive.writestr("some_model/decoy", bytes(300_000))
    return path


def folder_of_archives(small: SmallModel, top: Path) -> Path:
    (top / "damaged.zip").write_bytes(small.asset_path.read_bytes()[:-10_000])
    return wheel(small, top).parent


@pytest.mark.parametrize(
    "shape",
    [snapshot, whole_cache, flat_folder, wheel, folder_of_archives],
    ids=lambda shape: shape.__name__,
)
def test_only_hashes_count(
    small: SmallModel,
    manifest_path: Path,
    tmp_path: Path,
    shape: Callable[[SmallModel, Path], Path],
) -> None:
    (tmp_path / "given").mkdir()
    given = Given(shape(small, tmp_path / "given"))
    resolution = resolve_in_detail(settings=OFFLINE, sources=[given])
    assert resolution.sources == (given.name,)
    small.assert_tree(resolution.directory)


def test_the_files_may_come_one_after_the_other(
    small: SmallModel, manifest_path: Path, tmp_path: Path
) -> None:
    flat_folder(small, tmp_path)
    with pytest.raises(ModelUnavailable) as caught:
        resolve_in_detail(settings=OFFLINE, sources=[Given(tmp_path / "model.safetensors")])
    said = str(caught.value)
    assert "lacks tokenizer/tokenizer.json (80000 bytes, sha256 " in said
    assert "another import brings the rest" in said
    assert "Without a network: 'heimdall models import PATH' takes models-v1.zip" in said
    resolution = resolve_in_detail(settings=OFFLINE, sources=[Given(tmp_path / "tokenizer.json")])
    small.assert_tree(resolution.directory)


@pytest.mark.parametrize("below", ["", "models"])
def test_folders_are_taken(
    small: SmallModel, manifest_path: Path, tmp_path: Path, below: str
) -> None:
    small.lay_out(tmp_path / "stick" / below)
    (tmp_path / "stick" / "._model.zip").write_bytes(b"\0\5\x16\7")  # macOS' own, on FAT
    resolution = resolve_in_detail(settings=OFFLINE, sources=[Given(tmp_path / "stick")])
    assert resolution.sources == ("folder",)
    small.assert_tree(resolution.directory)


def test_other_bytes_are_refused(small: SmallModel, manifest_path: Path, tmp_path: Path) -> None:
    other = SmallModel(tmp_path / "other", {**small.files, "model.safetensors": bytes(300_000)})
    with pytest.raises(
        ModelUnavailable, match=r"models-v1\.zip lacks model\.safetensors \(300000 bytes, sha256 "
    ):
        resolve_in_detail(settings=OFFLINE, sources=[Given(other.asset_path)])
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelUnavailable, match="could not be fetched"):
        resolve_in_detail(settings=OFFLINE, sources=[Given(tmp_path / "empty")])


def test_nothing_is_overwritten_and_nothing_wrong_is_exported(
    pinned: PinnedModel, tree: Path, tmp_path: Path
) -> None:
    (tmp_path / "mine.zip").write_text("mine")
    with pytest.raises(BundleError, match="exists already"):
        export(pinned, tree, tmp_path / "mine.zip")
    assert (tmp_path / "mine.zip").read_text() == "mine"
    (tree / "net.onnx").write_bytes(b"rotten" * 8)
    with pytest.raises(BundleError, match="verify --repair"):
        export(pinned, tree, tmp_path / "new.zip")
    assert not [path for path in tmp_path.iterdir() if "new.zip" in path.name]


def test_the_commands(installation: Installation, small: SmallModel, tmp_path: Path) -> None:
    bundle = tmp_path / "model.zip"
    nothing = installation.heimdall("models", "export", str(bundle))
    assert (nothing.returncode, nothing.stdout) == (1, "")
    missing = installation.heimdall("models", "import", str(bundle))
    assert missing.returncode == 2
    assert "model.zip: no such file or folder" in missing.stderr
    taken = installation.heimdall("models", "import", str(small.asset_path), HEIMDALL_OFFLINE="1")
    assert taken.returncode == 0
    assert taken.stdout.startswith(f"small (standard): taken from {small.asset_path}, verified")
    assert installation.heimdall("models", "export", str(bundle)).returncode == 0
    elsewhere = {"HEIMDALL_DATA_DIR": str(tmp_path / "elsewhere"), "HEIMDALL_OFFLINE": "1"}
    assert installation.heimdall("models", "import", str(bundle), **elsewhere).returncode == 0
    assert (
        "was here already"
        in installation.heimdall("models", "import", str(bundle), **elsewhere).stdout
    )

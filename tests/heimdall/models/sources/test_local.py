from __future__ import annotations

from pathlib import Path

import pytest

from heimdall.models import locations
from heimdall.models.manifest import PinnedModel
from heimdall.models.resolver import resolve_in_detail
from heimdall.models.sources.caches import files_below, huggingface_caches
from tests.support.small_model import SmallModel


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEIMDALL_OFFLINE", "1")


def assert_adopted(small: SmallModel, original: Path) -> None:
    resolution = resolve_in_detail()
    assert resolution.sources == ("local",)
    small.assert_tree(resolution.directory)
    adopted = resolution.directory / "model.safetensors"
    assert not adopted.samefile(original), "copied, never linked: its owner may change it"
    assert original.read_bytes() == small.files["model.safetensors"]


def test_a_legacy_folder_below_the_working_directory(
    small: SmallModel, pinned: PinnedModel, tmp_path: Path
) -> None:
    small.lay_out(tmp_path / "data" / "models")
    assert_adopted(small, tmp_path / "data" / "models" / "model.safetensors")


def test_the_checkouts_own_models(small: SmallModel, pinned: PinnedModel) -> None:
    checkout = Path(locations.PACKAGE_DIRECTORY).parent / "cognitive_memory" / "data" / "models"
    small.lay_out(checkout)
    assert_adopted(small, checkout / "model.safetensors")


def test_a_tree_that_lies_in_the_models_directory_without_a_store(
    small: SmallModel, pinned: PinnedModel, models_dir: Path
) -> None:
    small.lay_out(models_dir)
    resolution = resolve_in_detail()
    assert resolution.sources == ("local",)
    small.assert_tree(resolution.directory)
    small.assert_tree(models_dir)
    assert not list(models_dir.glob("*.kept-*"))


@pytest.mark.parametrize("complete", ["the default one", "the named one", "the system's"])
def test_another_models_directory_of_this_machine(
    small: SmallModel,
    pinned: PinnedModel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    complete: str,
) -> None:
    monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", small.mirror)
    if complete == "the system's":
        monkeypatch.setenv("MODEL_CACHE_DIR", str(tmp_path / "no-system-models"))
    elif complete == "the named one":
        monkeypatch.setenv("HEIMDALL_DATA_DIR", str(tmp_path / "named"))
    first = resolve_in_detail()
    assert first.sources == ("mirror",)
    monkeypatch.delenv("HEIMDALL_MODELS_MIRROR")
    if complete == "the system's":  # a damaged one, of which the rest is good
        (first.directory / "model_config.json").unlink()
        (tmp_path / "no-system-models" / "model_config.json").unlink()
    monkeypatch.setenv("MODEL_CACHE_DIR", str(tmp_path / "elsewhere"))
    assert_adopted(small, first.directory / "model.safetensors")


@pytest.mark.parametrize("variable", ["HF_HOME", "HF_HUB_CACHE", None])
@pytest.mark.parametrize("named_by_digest", [True, False])
def test_hugging_faces_cache(
    small: SmallModel,
    pinned: PinnedModel,
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    variable: str | None,
    named_by_digest: bool,
) -> None:
    cache = {
        "HF_HOME": tmp_path / "hf" / "hub",
        "HF_HUB_CACHE": tmp_path / "cache",
        None: home / ".cache/huggingface/hub",
    }[variable]
    if variable:
        monkeypatch.setenv(variable, str(cache.parent if variable == "HF_HOME" else cache))
    blobs = cache / "models--owner--small" / "blobs"
    blobs.mkdir(parents=True)
    for file in pinned.files:
        name = file.sha256 if named_by_digest else f"etag-{file.path.replace('/', '-')}"
        (blobs / name).write_bytes(small.files[file.path])
    original = next(path for path in blobs.iterdir() if path.stat().st_size == 300_000)
    assert_adopted(small, original)


def test_hugging_faces_snapshots_without_links(
    small: SmallModel, pinned: PinnedModel, home: Path
) -> None:
    snapshot = home / ".cache/huggingface/hub/models--owner--small/snapshots/0123abc"
    snapshot.mkdir(parents=True)
    for path, content in small.files.items():
        (snapshot / Path(path).name).write_bytes(content)
    assert_adopted(small, snapshot / "model.safetensors")


CACHES = {
    "sentence-transformers": ("SENTENCE_TRANSFORMERS_HOME", "models--other--small/snapshots/0abc"),
    "sentence-transformers before 2.3": ("TORCH_HOME", "sentence_transformers/owner_small"),
    "its default": (None, ".cache/torch/sentence_transformers/owner_small"),
    "torch's hub": ("TORCH_HOME", "hub/checkpoints"),
    "fastembed": ("FASTEMBED_CACHE_PATH", "models--qdrant--small/snapshots/0abc"),
    "its default one": ("TMPDIR", "fastembed_cache/fast-small"),
}


@pytest.mark.parametrize(("variable", "below"), CACHES.values(), ids=CACHES)
def test_the_caches_of_other_libraries(
    small: SmallModel,
    pinned: PinnedModel,
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    variable: str | None,
    below: str,
) -> None:
    cache = tmp_path / "cache" if variable else home
    (cache / below).mkdir(parents=True)
    if variable:
        monkeypatch.setenv(variable, str(cache))
    monkeypatch.setattr("tempfile.tempdir", None)
    for number, content in enumerate(small.files.values()):
        (cache / below / f"anything-{number}").write_bytes(content)
    assert_adopted(small, cache / below / "anything-2")


def test_a_cache_is_not_looked_through_for_ever(tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / str(number % 3)).mkdir(exist_ok=True)
        (tmp_path / str(number % 3) / f"{number}.bin").write_bytes(b"12345")
    assert len(list(files_below(tmp_path, {5}))) == 30
    assert len(list(files_below(tmp_path, {5}, most=15))) == 15
    assert not list(files_below(tmp_path, {6}))


def test_files_of_the_right_size_with_other_bytes_are_left_alone(
    small: SmallModel, pinned: PinnedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.lay_out(tmp_path / "data" / "models")
    (tmp_path / "data" / "models" / "model.safetensors").write_bytes(bytes(300_000))
    monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", small.mirror)
    assert resolve_in_detail().sources == ("local", "mirror")


def test_unreadable_places_are_passed_over(
    small: SmallModel, pinned: PinnedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data" / "models" / "model.safetensors").mkdir(parents=True)
    monkeypatch.setenv("HF_HOME", "~nobody-of-that-name/x")
    monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", small.mirror)
    assert resolve_in_detail().sources == ("mirror",)


def test_without_a_home_there_are_no_default_caches(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    assert huggingface_caches()[0] == tmp_path

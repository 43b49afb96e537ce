from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from heimdall.migration_0_3 import models
from heimdall.migration_0_3.report import Options, Outcome, Step
from heimdall.models.manifest import PinnedModel, read_model
from tests.support.small_model import SmallModel

PLAIN, DRY, REMOVE = Options(), Options(dry_run=True), Options(remove=True)


@pytest.fixture
def folder(small: SmallModel, root: Path) -> Path:
    """A project's `data/models`: the pinned files, one of them under an older name, and others."""
    folder = small.lay_out(root / "data" / "models")
    (folder / "model.safetensors").rename(folder / "weights-of-old.bin")
    (folder / "tokenizer" / "vocab.txt").write_text("vocab")
    return folder


def by_name(steps: Iterable[Step]) -> dict[str, Step]:
    return {Path(step.source).name: step for step in steps}


def test_known_bytes_by_hash_and_the_rest_as_copies(
    small: SmallModel, pinned: PinnedModel, folder: Path, models_dir: Path
) -> None:
    steps = by_name(models.migrate(folder, PLAIN))
    assert {name: step.outcome for name, step in steps.items()} == dict.fromkeys(
        ["net.onnx", "model_config.json", "weights-of-old.bin", "tokenizer.json", "vocab.txt"],
        Outcome.MIGRATED,
    )
    assert steps["vocab.txt"].kind == "file"
    assert steps["weights-of-old.bin"].kind == "model"
    assert (models_dir / "tokenizer" / "vocab.txt").read_text() == "vocab"
    assert read_model().locate().verified
    small.assert_tree(models_dir)
    assert (folder / "weights-of-old.bin").exists()
    again = models.migrate(folder, PLAIN)
    assert {step.outcome for step in again} == {Outcome.PRESENT}


def test_removing_what_was_read_back(
    small: SmallModel, pinned: PinnedModel, folder: Path, models_dir: Path
) -> None:
    steps = list(models.migrate(folder, REMOVE))
    assert all(step.removed for step in steps)
    assert not folder.exists()
    small.assert_tree(models_dir)


def test_what_is_there_with_other_bytes_stays(
    pinned: PinnedModel, folder: Path, models_dir: Path
) -> None:
    (models_dir / "tokenizer").mkdir(parents=True)
    (models_dir / "tokenizer" / "vocab.txt").write_text("mine")
    (folder / "link").symlink_to(folder / "net.onnx")
    steps = by_name(models.migrate(folder, REMOVE))
    assert steps["vocab.txt"].outcome is steps["link"].outcome is Outcome.LEFT
    assert "is not replaced" in steps["vocab.txt"].detail
    assert (models_dir / "tokenizer" / "vocab.txt").read_text() == "mine"
    assert sorted(path.name for path in folder.rglob("*")) == ["link", "tokenizer", "vocab.txt"]


def test_an_older_model_under_a_pinned_name_is_no_use(
    pinned: PinnedModel, folder: Path, models_dir: Path
) -> None:
    (folder / "net.onnx").write_bytes(b"an older graph")
    step = by_name(models.migrate(folder, REMOVE))["net.onnx"]
    assert (step.outcome, step.removed) == (Outcome.LEFT, False)
    assert "pins other bytes under that name" in step.detail
    assert (folder / "net.onnx").exists()


def test_half_a_model_is_kept_for_the_next_pull(
    small: SmallModel, pinned: PinnedModel, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "weights-of-old.bin").unlink()
    step = by_name(models.migrate(folder, REMOVE))["tokenizer.json"]
    assert (step.outcome, step.removed) == (Outcome.MIGRATED, True)
    assert "needs more than this folder has" in step.detail
    assert Path(str(step.target)).read_bytes() == small.files["tokenizer/tokenizer.json"]
    assert not read_model().locate().here


def test_repositories_of_hugging_face_come_as_a_whole(
    pinned: PinnedModel, folder: Path, models_dir: Path
) -> None:
    repository = folder / "huggingface_cache" / "hub" / "models--owner--other"
    (repository / "blobs").mkdir(parents=True)
    (repository / "blobs" / "abc").write_text("weights")
    (repository / "snapshots" / "1").mkdir(parents=True)
    (repository / "snapshots" / "1" / "model.bin").symlink_to("../../blobs/abc")
    step = by_name(models.migrate(folder, REMOVE))["models--owner--other"]
    assert (step.outcome, step.removed) == (Outcome.MIGRATED, True)
    copy = models_dir / "huggingface_cache/hub/models--owner--other/snapshots/1/model.bin"
    assert (copy.is_symlink(), copy.read_text()) == (True, "weights")
    assert not folder.exists()


def test_the_shared_directory_is_no_legacy(
    pinned: PinnedModel, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODEL_CACHE_DIR", str(folder))
    (step,) = models.migrate(folder, REMOVE)
    assert (step.outcome, step.removed) == (Outcome.PRESENT, False)


def test_what_looks_like_models(tmp_path: Path) -> None:
    assert not models.looks_like_models(tmp_path)
    (tmp_path / "any.onnx").touch()
    assert models.looks_like_models(tmp_path)

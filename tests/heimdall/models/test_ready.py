"""`ready_tree` answers as `resolve` does, or leaves the answer to it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from heimdall.models import locations, receipts
from heimdall.models.ready import ready_tree
from heimdall.models.resolver import resolve
from tests.support.small_model import ROOT, SmallModel


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SmallModel:
    model = SmallModel(tmp_path / "release")
    manifest = model.write_manifest(tmp_path / "model_manifest.json")
    monkeypatch.setattr(locations, "manifest_path", lambda: str(manifest))
    monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", model.mirror)
    monkeypatch.setenv("HEIMDALL_SOURCES", "mirror")
    monkeypatch.setenv("HEIMDALL_PROGRESS", "0")
    return model


def test_before_and_after_resolving(small: SmallModel) -> None:
    assert ready_tree() is None
    directory = resolve()
    assert ready_tree() == ready_tree(small.name, "standard") == str(directory)
    small.assert_tree(directory)


def test_other_models_directory(small: SmallModel, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    directory = resolve(models_dir=elsewhere)
    assert ready_tree() is None
    assert ready_tree(models_dir=str(elsewhere)) == str(directory)


def test_read_only_tier_comes_first(
    small: SmallModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve()
    system = tmp_path / "system"
    resolve(models_dir=system)
    monkeypatch.setenv("HEIMDALL_SYSTEM_MODELS", str(system))
    assert ready_tree() == str(resolve())
    assert Path(str(ready_tree())).is_relative_to(system)


def test_touched_file_is_left_to_the_resolver(small: SmallModel) -> None:
    directory = resolve()
    file = directory / next(iter(small.files))
    file.unlink()
    file.write_bytes(b"other")
    assert ready_tree() is None


def test_missing_note_is_left_to_the_resolver(small: SmallModel) -> None:
    """It says who uses the set, without which `prune` could only guess."""
    resolve()
    entry = receipts.choose_entry(receipts.read_json(locations.manifest_path()), None, None)
    assert entry is not None
    Path(receipts.user_note(locations.models_dir(), locations.manifest_path(), entry)).unlink()
    assert ready_tree() is None
    assert str(resolve()) == ready_tree()


def test_unknown_model_is_left_to_the_resolver(small: SmallModel) -> None:
    assert ready_tree("unknown") is None
    assert ready_tree(small.name, "unknown") is None


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"models": 3, "default": "m"}'])
def test_bad_manifest_is_left_to_the_resolver(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    manifest = tmp_path / "model_manifest.json"
    manifest.write_text(content)
    monkeypatch.setattr(locations, "manifest_path", lambda: str(manifest))
    assert ready_tree() is None


def test_nothing_heavy_is_loaded() -> None:
    code = "import sys, heimdall.models.ready as r; r.ready_tree(); print(*sys.modules)"
    environment = {
        "PYTHONPATH": str(ROOT),
        "HEIMDALL_FETCH": "never",
        "HEIMDALL_DATA_DIR": "/nowhere",
    }
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert not {"urllib3", "pathlib", "platformdirs", "hashlib"} & set(done.stdout.split())

from __future__ import annotations

import os
from pathlib import Path

import pytest

from heimdall.cognitive_system import data_dirs
from heimdall.models import ModelUnavailable
from tests.support.small_model import SmallModel

VARIABLES = (
    "MODEL_CACHE_DIR",
    "TRANSFORMERS_CACHE",
    "HF_HOME",
    "SENTENCE_TRANSFORMERS_HOME",
    "HF_TOKEN_PATH",
)


def test_the_tree(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HEIMDALL_DATA_DIR", str(tmp_path / "shared"))
    assert data_dirs.get_heimdall_data_dir() == tmp_path / "shared"
    assert data_dirs.get_models_data_dir() == tmp_path / "shared" / "models"
    data_dirs.ensure_data_directories()
    data_dirs.ensure_data_directories()
    found = sorted(
        path.relative_to(tmp_path / "shared").as_posix()
        for path in (tmp_path / "shared").rglob("*")
    )
    assert found == ["logs", "models", "models/huggingface_cache", "qdrant"]
    assert data_dirs.get_qdrant_data_dir().is_dir()
    assert data_dirs.get_logs_data_dir().is_dir()


def test_asking_for_a_directory_makes_none(home: Path) -> None:
    data_dirs.get_models_data_dir()
    assert not list(home.iterdir())


@pytest.fixture
def mirror(small: SmallModel, manifest_path: Path, monkeypatch: pytest.MonkeyPatch) -> SmallModel:
    monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", small.mirror)
    monkeypatch.setenv("HEIMDALL_SOURCES", "mirror")
    for variable in VARIABLES:
        # Set and removed again, so that monkeypatch takes away what the function under test sets.
        monkeypatch.setenv(variable, "")
        monkeypatch.delenv(variable)
    return small


def test_initialising_sends_other_caches_to_the_shared_place(
    mirror: SmallModel, home: Path
) -> None:
    directory = data_dirs.initialize_shared_environment()
    mirror.assert_tree(directory)
    models = data_dirs.get_models_data_dir()
    for variable in ("MODEL_CACHE_DIR", "SENTENCE_TRANSFORMERS_HOME"):
        assert os.environ[variable] == str(models)
    for variable in ("TRANSFORMERS_CACHE", "HF_HOME"):
        assert os.environ[variable] == str(models / "huggingface_cache")
    assert os.environ["HF_TOKEN_PATH"] == str(home / ".cache" / "huggingface" / "token")
    assert data_dirs.ensure_models_available() == directory


def test_other_caches_go_there_also_without_a_model(
    mirror: SmallModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror.asset_path.unlink()
    with pytest.raises(ModelUnavailable):
        data_dirs.initialize_shared_environment()
    assert all(os.environ.get(variable) for variable in VARIABLES)


def test_other_caches_go_there_also_without_a_home(
    mirror: SmallModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.path.expanduser", lambda path: path)
    monkeypatch.setenv("HEIMDALL_DATA_DIR", str(tmp_path / "data"))
    data_dirs.initialize_shared_environment()
    assert os.environ["HF_HOME"] == str(tmp_path / "data" / "models" / "huggingface_cache")


def test_what_the_user_has_set_wins(mirror: SmallModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HOME", "/mine")
    data_dirs.initialize_shared_environment()
    assert os.environ["HF_HOME"] == "/mine"
    assert "HF_TOKEN_PATH" not in os.environ


def test_a_read_only_tier_is_enough(
    mirror: SmallModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODEL_CACHE_DIR", str(tmp_path / "image"))
    data_dirs.ensure_models_available()
    monkeypatch.delenv("MODEL_CACHE_DIR")
    monkeypatch.setenv("HEIMDALL_SYSTEM_MODELS", str(tmp_path / "image"))
    (tmp_path / "file").touch()
    monkeypatch.setenv("HEIMDALL_DATA_DIR", str(tmp_path / "file"))
    assert data_dirs.initialize_shared_environment().is_relative_to(tmp_path / "image")

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from cognitive_memory.core.config import ConfigError, EmbeddingConfig
from heimdall import HeimdallError
from heimdall.cognitive_system.data_dirs import get_models_data_dir


def test_defaults_are_those_of_the_pinned_model() -> None:
    config = EmbeddingConfig()
    assert config.model_name == "all-MiniLM-L6-v2"
    assert config.embedding_dimension == 384
    assert config.batch_size == 32
    assert config.device == "auto"
    assert config.model_cache_dir == str(get_models_data_dir())


def test_data_directory_moves_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEIMDALL_DATA_DIR", str(tmp_path / "data"))
    assert EmbeddingConfig().model_cache_dir == str(tmp_path / "data" / "models")


def test_argument_wins_over_the_default(tmp_path: Path) -> None:
    chosen = str(tmp_path / "a")
    assert EmbeddingConfig(model_cache_dir=chosen).model_cache_dir == chosen


def test_a_path_becomes_a_str() -> None:
    assert EmbeddingConfig(model_cache_dir=Path("models")).model_cache_dir == "models"  # type: ignore[arg-type]


def test_variable_wins_over_default_and_argument(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODEL_CACHE_DIR", str(tmp_path / "variable"))
    assert EmbeddingConfig().model_cache_dir == str(tmp_path / "variable")
    assert EmbeddingConfig(model_cache_dir=str(tmp_path / "argument")).model_cache_dir == str(
        tmp_path / "variable"
    )


def test_variable_may_start_with_a_tilde(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODEL_CACHE_DIR", "~/models")
    assert EmbeddingConfig().model_cache_dir == str(home / "models")


def test_empty_variable_counts_as_unset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODEL_CACHE_DIR", "")
    assert EmbeddingConfig(model_cache_dir=str(tmp_path)).model_cache_dir == str(tmp_path)


def test_variable_is_read_when_the_configuration_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = EmbeddingConfig(model_cache_dir=str(tmp_path))
    monkeypatch.setenv("MODEL_CACHE_DIR", str(tmp_path / "later"))
    assert before.model_cache_dir == str(tmp_path)


@pytest.mark.parametrize("device", ["auto", "cpu", "cuda", "coreml", "openvino"])
def test_known_devices(device: str) -> None:
    assert EmbeddingConfig(device=device).device == device


@pytest.mark.parametrize(
    ("setting", "value", "expected"),
    [
        ("model_name", "", "expected a name, got ''"),
        ("model_name", "  ", "expected a name"),
        ("model_name", None, "expected a name, got None"),
        ("model_cache_dir", "", "expected a directory's path, got ''"),
        ("model_cache_dir", None, "expected a directory's path, got None"),
        ("model_cache_dir", 3, "expected a directory's path, got 3"),
        ("embedding_dimension", 0, "expected a whole number of at least 1, got 0"),
        ("embedding_dimension", 384.0, "got 384.0"),
        ("embedding_dimension", True, "got True"),
        ("batch_size", -1, "expected a whole number of at least 1, got -1"),
        ("batch_size", "32", "got '32'"),
        ("device", "tpu", "expected one of 'auto', 'cpu', 'cuda', 'coreml', 'openvino', got 'tpu'"),
        ("long_texts", "drop", "expected one of 'cut', 'pool', got 'drop'"),
        ("device", None, "expected one of 'auto', 'cpu', 'cuda', 'coreml', 'openvino', got None"),
    ],
)
def test_impossible_values_are_named(setting: str, value: object, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        EmbeddingConfig(**{setting: value})  # type: ignore[arg-type]
    assert str(caught.value).startswith(f"EmbeddingConfig.{setting}: ")
    assert expected in str(caught.value)
    assert caught.value.setting == f"EmbeddingConfig.{setting}"


def test_error_is_heimdalls_and_a_value_error_and_survives_pickling() -> None:
    error = ConfigError("EmbeddingConfig.device", "expected 'cpu', got 'tpu'")
    assert isinstance(error, HeimdallError)
    assert isinstance(error, ValueError)
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 (made here)
    assert (copy.setting, copy.problem) == (error.setting, error.problem)


def test_configuration_is_a_value() -> None:
    assert EmbeddingConfig(batch_size=8) == EmbeddingConfig(batch_size=8)
    with pytest.raises(AttributeError):
        EmbeddingConfig().batch_size = 8  # type: ignore[misc]

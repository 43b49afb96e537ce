from __future__ import annotations

import json
from pathlib import Path

import pytest

from cognitive_memory.encoding.model_settings import CONFIG_NAME, ModelSettings, read_settings

GOOD = {
    "model_name": "m",
    "embedding_dimension": 8,
    "max_length": 16,
    "pooling": "mean",
    "normalize": True,
}


def write(directory: Path, content: object) -> Path:
    (directory / CONFIG_NAME).write_text(json.dumps(content), encoding="utf-8")
    return directory


def test_reads_what_the_engine_needs(tmp_path: Path) -> None:
    assert read_settings(write(tmp_path, GOOD | {"unknown": 1})) == ModelSettings("m", 8, 16)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("model_name", ""),
        ("model_name", 3),
        ("embedding_dimension", 0),
        ("embedding_dimension", "384"),
        ("max_length", True),
        ("max_length", None),
        ("pooling", "cls"),
        ("normalize", False),
    ],
)
def test_bad_value_is_named(tmp_path: Path, key: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"{CONFIG_NAME}: '{key}' is {value!r}"):
        read_settings(write(tmp_path, GOOD | {key: value}))


@pytest.mark.parametrize("key", GOOD)
def test_missing_key_is_named(tmp_path: Path, key: str) -> None:
    with pytest.raises(ValueError, match=f"'{key}' is None"):
        read_settings(write(tmp_path, {k: v for k, v in GOOD.items() if k != key}))


def test_other_json_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no JSON object"):
        read_settings(write(tmp_path, [GOOD]))


def test_no_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / CONFIG_NAME).write_bytes(b"\xff{")
    with pytest.raises(ValueError, match="utf-8"):
        read_settings(tmp_path)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=CONFIG_NAME):
        read_settings(tmp_path)

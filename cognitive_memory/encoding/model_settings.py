"""`model_config.json`: what the engine has to know about a model that its graph does not say."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

CONFIG_NAME = "model_config.json"


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """The content of `model_config.json`.

    Attributes:
        model_name: the model's name; its graph is `<model_name>.onnx`.
        embedding_dimension: how many numbers a vector has.
        max_length: the most tokens of a text that the model reads, special ones included; the rest is cut off.
    """

    model_name: str
    embedding_dimension: int
    max_length: int


def read_settings(directory: Path) -> ModelSettings:
    """Read `model_config.json` in `directory`.

    Raises:
        OSError: the file can't be read.
        ValueError: it is not what this release understands; the text names the key.
    """
    content = json.loads((directory / CONFIG_NAME).read_bytes())
    if not isinstance(content, dict):
        raise ValueError(f"{CONFIG_NAME} holds no JSON object")  # noqa: TRY004 (a bad file, not a bad call)
    # The graph itself pools and normalises; a model made for another engine would give wrong vectors in silence.
    for key, expected in (("pooling", "mean"), ("normalize", True)):
        if content.get(key) != expected:
            raise ValueError(
                f"{CONFIG_NAME}: {key!r} is {content.get(key)!r}, this release reads {expected!r} alone"
            )
    name = content.get("model_name")
    if not isinstance(name, str) or not name:
        raise ValueError(f"{CONFIG_NAME}: 'model_name' is {name!r}, expected a name")
    dimension, max_length = (
        _positive(content, key) for key in ("embedding_dimension", "max_length")
    )
    return ModelSettings(name, dimension, max_length)


def _positive(content: dict[str, object], key: str) -> int:
    value = content.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(
            f"{CONFIG_NAME}: {key!r} is {value!r}, expected a whole number of at least 1"
        )
    return value

"""`model_config.json`: what the engine has to know about a model that its graph does not say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from cognitive_memory.core.config import A_COUNT, A_NAME

CONFIG_NAME = "model_config.json"


class ModelSettings(NamedTuple):
    """The content of `model_config.json`.

    Attributes:
        model_name: the model's name; its graph is `<model_name>.onnx`.
        embedding_dimension: how many numbers a vector has.
        max_length: the most tokens of a text that the model reads, special ones included; the rest
            is cut off.
    """

    model_name: str
    embedding_dimension: int
    max_length: int


_CHECKS = (
    # The graph itself pools and normalises; a model made for another engine would give wrong
    # vectors in silence.
    ("pooling", lambda value: value == "mean", "'mean', which is all that this release reads"),
    ("normalize", lambda value: value is True, "true, which is all that this release reads"),
    ("model_name", *A_NAME),
    ("embedding_dimension", *A_COUNT),
    ("max_length", *A_COUNT),
)


def read_settings(directory: Path) -> ModelSettings:
    """Read `model_config.json` in `directory`.

    Raises:
        OSError: the file can't be read.
        ValueError: it is not what this release understands; the text names the key.
    """
    content = json.loads((directory / CONFIG_NAME).read_bytes())
    if not isinstance(content, dict):
        raise ValueError(f"{CONFIG_NAME} holds no JSON object")  # noqa: TRY004 (a bad file, not a bad call)
    for key, fits, expected in _CHECKS:
        if not fits(value := content.get(key)):
            raise ValueError(f"{CONFIG_NAME}: {key!r} is {value!r}, expected {expected}")
    return ModelSettings(*(content[name] for name in ModelSettings._fields))

"""The files that we add to upstream's: the graph and the model's settings. Pure functions of upstream's files."""

from __future__ import annotations

import json

from release.bert_config import BertConfig
from release.recipe import Recipe

SETTINGS_PATH = "model_config.json"
"""Where the model has its settings."""


def settings_bytes(recipe: Recipe, config: BertConfig) -> bytes:
    """The model's settings for those who run it: canonical JSON, UTF-8, LF.

    `max_length` is all the positions that the model has, special tokens included; `pooling` and `normalize` are what
    the graph does.
    """
    settings = {
        "model_name": recipe.name,
        "embedding_dimension": config.width,
        "max_length": config.positions,
        "pooling": "mean",
        "normalize": True,
    }
    return (json.dumps(settings, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def model_paths(recipe: Recipe) -> frozenset[str]:
    """The path of every file of the finished model."""
    return frozenset({recipe.graph_path, SETTINGS_PATH, *recipe.shipped})

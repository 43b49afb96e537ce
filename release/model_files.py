"""The files of a finished model: those that we add to upstream's, and where all of them lie."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath

from hatch_heimdall_models.inventory import HashedFile, take_inventory
from release.bert_config import BertConfig
from release.recipe import Recipe

SETTINGS_PATH = "model_config.json"
"""Where the model has its settings."""


def settings_bytes(recipe: Recipe, config: BertConfig) -> bytes:
    """The model's settings for those who run it: canonical JSON, UTF-8, LF.

    `max_length` is all the positions that the model has, special tokens included; `pooling` and
    `normalize` are what the graph does.
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
    """The path of every file of the finished model in the recipe's own variant, below that variant's folder."""
    return frozenset({*(graph.path for graph in recipe.graphs), SETTINGS_PATH, *recipe.shipped})


def every_path(recipe: Recipe) -> frozenset[str]:
    """The path of every file below the models directory, all variants together."""
    return frozenset(
        str(PurePosixPath(variant.folder, path))
        for variant in recipe.every
        for path in model_paths(variant)
    )


def take_variant(recipe: Recipe, models: Path) -> tuple[HashedFile, ...]:
    """Hash the files of the recipe's own variant, with paths below that variant's folder.

    Raises:
        ModelBuildError: as `take_inventory` does.
    """
    files = take_inventory(models / recipe.folder)
    others = tuple(f"{variant.folder}/" for variant in recipe.every[1:])
    return tuple(file for file in files if not file.path.startswith(others))

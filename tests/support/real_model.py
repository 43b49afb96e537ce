"""The model that users get, as `make release-assets` puts it into the checkout."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DIRECTORY = ROOT / "cognitive_memory" / "data" / "models"


def require_real_model() -> Path:
    """The directory with its files; fails the test when it is not there."""
    if not (DIRECTORY / "model.safetensors").is_file():
        pytest.fail(f"the model is not in {DIRECTORY}: run `make release-assets`", pytrace=False)
    return DIRECTORY


def linked_copy(target: Path, *, without: str = "") -> Path:
    """A copy of the tree made of hard links where possible; replace files in it, never write into them."""
    source = require_real_model()
    for path in source.rglob("*"):
        copy = target / path.relative_to(source)
        if path.is_file() and path != source / without:
            copy.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(path, copy)
            except OSError:
                copy.write_bytes(path.read_bytes())
    return target

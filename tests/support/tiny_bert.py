"""A BERT small enough to make in a test: random weights, real structure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from tests.support.safetensors_files import safetensors_bytes

CONFIG: dict[str, Any] = {
    "model_type": "bert",
    "hidden_act": "gelu",
    "position_embedding_type": "absolute",
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "hidden_size": 12,
    "intermediate_size": 20,
    "max_position_embeddings": 16,
    "vocab_size": 31,
    "type_vocab_size": 2,
    "layer_norm_eps": 1e-12,
}


def config_bytes(**changes: object) -> bytes:
    return json.dumps({**CONFIG, **changes}).encode()


def random_weights(seed: int = 1) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    weights = {"embeddings.position_ids": np.arange(CONFIG["max_position_embeddings"])[None]}
    weights |= {
        name: random.normal(0, 0.5, shape).astype(np.float32) for name, shape in _shapes().items()
    }
    return weights


def weights_bytes(seed: int = 1) -> bytes:
    return safetensors_bytes(random_weights(seed))


def write_weights(folder: Path, seed: int = 1) -> Path:
    path = folder / "model.safetensors"
    path.write_bytes(weights_bytes(seed))
    return path


def _shapes() -> dict[str, tuple[int, ...]]:
    width, inner = CONFIG["hidden_size"], CONFIG["intermediate_size"]
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (CONFIG["vocab_size"], width),
        "embeddings.position_embeddings.weight": (CONFIG["max_position_embeddings"], width),
        "embeddings.token_type_embeddings.weight": (CONFIG["type_vocab_size"], width),
        **_pair("embeddings.LayerNorm", width),
    }
    for layer in (f"encoder.layer.{index}" for index in range(CONFIG["num_hidden_layers"])):
        for part in ("self.query", "self.key", "self.value", "output.dense"):
            shapes |= _pair(f"{layer}.attention.{part}", width, width)
        shapes |= _pair(f"{layer}.attention.output.LayerNorm", width)
        shapes |= _pair(f"{layer}.intermediate.dense", inner, width)
        shapes |= _pair(f"{layer}.output.dense", width, inner)
        shapes |= _pair(f"{layer}.output.LayerNorm", width)
    return shapes


def _pair(name: str, *shape: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": shape, f"{name}.bias": shape[:1]}

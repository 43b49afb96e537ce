"""A sentence encoder written a second time, in plain numpy and float64: the yardstick for the ONNX graph.

It follows the papers and sentence-transformers, one text at a time, and shares no code with `release`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_erf = np.vectorize(math.erf, otypes=[np.float64])


def embed(
    weights: Mapping[str, np.ndarray],
    config: Mapping[str, Any],
    ids: Sequence[int],
    mask: Sequence[int],
) -> np.ndarray:
    """The unit vector of one text; `weights` by torch's names, `config` as in config.json."""
    text = _Text({name: np.asarray(array, np.float64) for name, array in weights.items()}, config)
    hidden = text.first(np.asarray(ids))
    for layer in range(int(config["num_hidden_layers"])):
        hidden = text.layer(f"encoder.layer.{layer}", hidden, np.asarray(mask, bool))
    mean = hidden[np.asarray(mask, bool)].mean(axis=0)
    return mean / np.linalg.norm(mean)


class _Text:
    def __init__(self, weights: Mapping[str, Array], config: Mapping[str, Any]) -> None:
        self.weights, self.config = weights, config

    def first(self, ids: Array) -> Array:
        tables = "embeddings.{}_embeddings.weight"
        words = self.weights[tables.format("word")][ids]
        places = self.weights[tables.format("position")][np.arange(len(ids))]
        return self.norm(
            "embeddings.LayerNorm", words + places + self.weights[tables.format("token_type")][0]
        )

    def layer(self, name: str, hidden: Array, mask: Array) -> Array:
        attended = self.linear(
            f"{name}.attention.output.dense", self.attention(f"{name}.attention.self", hidden, mask)
        )
        hidden = self.norm(f"{name}.attention.output.LayerNorm", hidden + attended)
        inner = self.linear(f"{name}.intermediate.dense", hidden)
        inner = inner * (1 + _erf(inner / math.sqrt(2))) / 2
        return self.norm(
            f"{name}.output.LayerNorm", hidden + self.linear(f"{name}.output.dense", inner)
        )

    def attention(self, name: str, hidden: Array, mask: Array) -> Array:
        query, key, value = (
            self.linear(f"{name}.{part}", hidden) for part in ("query", "key", "value")
        )
        width = hidden.shape[1] // self.config["num_attention_heads"]
        parts = []
        for start in range(0, hidden.shape[1], width):
            head = slice(start, start + width)
            scores = query[:, head] @ key[:, head].T / math.sqrt(width)
            shares = np.exp(scores - scores.max(axis=1, keepdims=True)) * mask
            parts.append(shares / shares.sum(axis=1, keepdims=True) @ value[:, head])
        return np.concatenate(parts, axis=1)

    def linear(self, name: str, rows: Array) -> Array:
        return rows @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]

    def norm(self, name: str, rows: Array) -> Array:
        centred = rows - rows.mean(axis=1, keepdims=True)
        spread = np.sqrt((centred**2).mean(axis=1, keepdims=True) + self.config["layer_norm_eps"])
        return centred / spread * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]

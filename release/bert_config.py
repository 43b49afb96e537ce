"""The dimensions of a BERT encoder, from upstream's `config.json`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from hatch_heimdall_models.errors import ModelBuildError

_REQUIRED = {"model_type": "bert", "hidden_act": "gelu"}
"""What the graph is written for; `gelu` is the exact one, by the error function."""
_COUNTS = {
    "layers": "num_hidden_layers",
    "heads": "num_attention_heads",
    "width": "hidden_size",
    "inner_width": "intermediate_size",
    "positions": "max_position_embeddings",
    "vocabulary": "vocab_size",
    "token_types": "type_vocab_size",
}


@dataclass(frozen=True, slots=True)
class BertConfig:
    """Dimensions of a BERT encoder.

    Attributes:
        layers: number of encoder layers.
        heads: attention heads of each layer.
        width: numbers in a hidden state, a multiple of `heads`; also the width of the embedding.
        inner_width: numbers between a layer's two feed-forward matrices.
        positions: the longest sequence, in tokens.
        vocabulary: number of tokens.
        token_types: rows of the token type table.
        layer_norm_eps: what layer normalisation adds to the variance.
    """

    layers: int
    heads: int
    width: int
    inner_width: int
    positions: int
    vocabulary: int
    token_types: int
    layer_norm_eps: float

    @property
    def head_width(self) -> int:
        """Numbers per attention head."""
        return self.width // self.heads


def parse_bert_config(text: str | bytes, *, subject: str) -> BertConfig:
    """Read a `config.json` of a BERT encoder with absolute positions and exact GELU.

    Args:
        text: the JSON text.
        subject: what the text is, for messages: usually its path.

    Raises:
        ModelBuildError: with every reason why it is not the configuration of such an encoder.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelBuildError(subject, [f"is not JSON: {error}"]) from error
    if not isinstance(document, dict):
        raise ModelBuildError(subject, ["must be a JSON object"])
    # Files older than the key mean absolute positions.
    found: dict[str, Any] = {"position_embedding_type": "absolute", **document}
    problems = [
        f"{key}: expected {wanted!r}, found {found.get(key)!r}"
        for key, wanted in {**_REQUIRED, "position_embedding_type": "absolute"}.items()
        if found.get(key) != wanted
    ]
    counts: dict[str, int] = {}
    for name, key in _COUNTS.items():
        value = found.get(key)
        if type(value) is int and value > 0:
            counts[name] = value
        else:
            problems.append(f"{key}: expected a positive whole number, found {value!r}")
    eps = found.get("layer_norm_eps")
    if not isinstance(eps, float) or not 0 < eps < 1:
        problems.append(f"layer_norm_eps: expected a number between 0 and 1, found {eps!r}")
    if not problems and counts["width"] % counts["heads"]:
        problems.append(
            f"hidden_size: {counts['width']} is no multiple of the {counts['heads']} num_attention_heads"
        )
    if problems or not isinstance(eps, float):
        raise ModelBuildError(subject, problems)
    return BertConfig(**counts, layer_norm_eps=eps)

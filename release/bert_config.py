"""The dimensions of a BERT encoder, from upstream's `config.json`."""

from __future__ import annotations

from dataclasses import dataclass

from hatch_heimdall_models.reader import read_json

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
    reader = read_json(text, subject=subject)
    for key, wanted in _REQUIRED.items():
        if reader.value(key) != wanted:
            reader.expected(key, repr(wanted))
    # Files older than the key mean absolute positions.
    if reader.value("position_embedding_type", "absolute") != "absolute":
        reader.expected("position_embedding_type", "'absolute'")
    counts = {name: reader.positive(key, "whole number") for name, key in _COUNTS.items()}
    eps = reader.value("layer_norm_eps")
    if not isinstance(eps, float) or not 0 < eps < 1:
        reader.expected("layer_norm_eps", "a number between 0 and 1")
    if counts["heads"] and counts["width"] % counts["heads"]:
        problem = f"{counts['width']} is no multiple of the {counts['heads']} num_attention_heads"
        reader.error("hidden_size", problem)
    reader.raise_problems(subject)
    return BertConfig(**counts, layer_norm_eps=eps)

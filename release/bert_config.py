"""The dimensions of a BERT encoder, from upstream's `config.json`."""

from __future__ import annotations

from dataclasses import dataclass

from hatch_heimdall_models.reader import read_json

_REQUIRED = {"model_type": "bert", "hidden_act": "gelu"}
"""What the graph is written for; `gelu` is the exact one, by the error function."""


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

    def count(key: str) -> int:
        return reader.positive(key, "whole number")

    eps = reader.value("layer_norm_eps")
    if not isinstance(eps, float) or not 0 < eps < 1:
        reader.expected("layer_norm_eps", "a number between 0 and 1")
    config = BertConfig(
        layers=count("num_hidden_layers"),
        heads=count("num_attention_heads"),
        width=count("hidden_size"),
        inner_width=count("intermediate_size"),
        positions=count("max_position_embeddings"),
        vocabulary=count("vocab_size"),
        token_types=count("type_vocab_size"),
        layer_norm_eps=eps,
    )
    if config.heads and config.width % config.heads:
        problem = f"{config.width} is no multiple of the {config.heads} num_attention_heads"
        reader.error("hidden_size", problem)
    reader.raise_problems(subject)
    return config

"""Attention, in two forms of which each batch takes one.

Where all texts of a batch are of one length, no padding has to be hidden, and onnxruntime's one
operator for attention goes through the keys block by block and never writes the scores down (Dao et
al., 2022, "FlashAttention"). Measured on one core: the whole model is 0 to 1 % faster with it for
16 tokens a text, 4 % for 128, 12 % for 500. Given a mask, that operator takes another way, slower
than plain operators; so these are what a padded batch gets. Providers other than the processor's
get these alone, since OpenVINO fails on operators inside a choice and CoreML takes no choice: their
sessions read `NEVER` in place of `WHOLE`.
"""

from __future__ import annotations

from functools import partial
from math import sqrt
from typing import NamedTuple

from release.encoder_builder import EncoderBuilder
from release.graph_builder import BOOL, CONTRIBUTED, FLOAT32, INT64

WHOLE = "whole"
"""The name of the value that the choice depends on, in every graph: the engine replaces it where
there is no choice.
"""
NEVER = "never"
"""The name of a constant that is false."""
_MASKED = -3.4028234663852886e38
"""Added to the attention scores of padding: the lowest float32, as transformers does."""


class Batch(NamedTuple):
    """What the layers have to know of the texts that go through them together; names of values.

    Attributes:
        by_text: the shape of hidden states text by text: (batch, sequence, width).
        by_head: the same with rows split: (batch, sequence, heads, head width).
        padding: added to attention scores, shape (batch, 1, 1, sequence): 0, or `_MASKED` where
            there is padding.
        whole: whether attention takes the way for batches without padding.
    """

    by_text: str
    by_head: str
    padding: str
    whole: str


def describe(builder: EncoderBuilder) -> Batch:
    """Add what tells about the batch, from the graph's inputs."""
    config = builder.config
    shape = builder.node("Shape", "input_ids")
    by_text = builder.node("Concat", shape, builder.integers(config.width), axis=0)
    by_head = builder.node(
        "Concat", shape, builder.integers(config.heads, config.head_width), axis=0
    )
    hidden = builder.node(
        "Sub", builder.number(1.0), builder.node("Cast", "attention_mask", to=FLOAT32)
    )
    padding = builder.node(
        "Unsqueeze", builder.node("Mul", hidden, builder.number(_MASKED)), builder.integers(1, 2)
    )
    whole = builder.node("ReduceMin", "attention_mask", keepdims=0)
    if builder.whole_from:
        tokens = builder.node("Squeeze", builder.node("Shape", "input_ids", start=1))
        long = builder.node("GreaterOrEqual", tokens, builder.integer(builder.whole_from))
        whole = builder.node("Mul", whole, builder.node("Cast", long, to=INT64))
    whole = builder.node(
        "Or", builder.node("Cast", whole, to=BOOL), builder.truth(NEVER, value=False), output=WHOLE
    )
    return Batch(by_text, by_head, padding, whole)


def attention(builder: EncoderBuilder, parts: tuple[str, str, str], batch: Batch) -> str:
    """Each token's mean of all values, by how well its query fits their keys; head by head.

    Args:
        builder: the graph.
        parts: queries, keys and values, each of shape (tokens, width).
        batch: the texts.

    Returns:
        Shape (tokens, width).
    """
    context = builder.either(
        batch.whole,
        partial(_one_operator, builder, parts, batch),
        partial(_plain_operators, builder, parts, batch),
    )
    return builder.node("Reshape", context, builder.integers(-1, builder.config.width))


def _one_operator(builder: EncoderBuilder, parts: tuple[str, str, str], batch: Batch) -> str:
    texts = (builder.node("Reshape", part, batch.by_text) for part in parts)
    return builder.node(
        "MultiHeadAttention", *texts, domain=CONTRIBUTED, num_heads=builder.config.heads
    )


def _plain_operators(builder: EncoderBuilder, parts: tuple[str, str, str], batch: Batch) -> str:
    orders = (0, 2, 1, 3), (0, 2, 3, 1), (0, 2, 1, 3)
    query, key, value = (
        builder.node("Transpose", builder.node("Reshape", part, batch.by_head), perm=order)
        for part, order in zip(parts, orders, strict=True)
    )
    scores = builder.node(
        "Mul",
        builder.node("MatMul", query, key),
        builder.number(1 / sqrt(builder.config.head_width)),
    )
    shares = builder.node("Softmax", builder.node("Add", scores, batch.padding), axis=-1)
    context = builder.node("Transpose", builder.node("MatMul", shares, value), perm=(0, 2, 1, 3))
    return builder.node("Reshape", context, batch.by_text)

"""A sentence encoder as an ONNX graph whose weights are bytes of upstream's own, unmodified safetensors file.

The graph carries no weights: each initialiser is ONNX external data, an offset and a length in
`model.safetensors`, which must lie in the same folder. So what users run has the digest that
upstream publishes. It is BERT (Devlin et al., 2019), then the pooling of sentence-transformers: the
mean of the hidden states over the attention mask, scaled to unit L2 norm.

Hidden states are a matrix of one row per token throughout. That way `Gemm` with `transB` takes
torch's `(out, in)` weights as they lie in the file, bias included; a `Transpose` would have
onnxruntime copy every matrix while loading (measured: 65 ms instead of 42, 14 MB more memory, the
same speed once loaded).
"""

from __future__ import annotations

from pathlib import Path

from hatch_heimdall_models.errors import ModelBuildError
from release.attention import Batch, attention, describe
from release.bert_config import BertConfig
from release.encoder_builder import EncoderBuilder, States
from release.graph_builder import FLOAT32, INT64

_LEAST_COUNT = 1e-9
"""Divisor of the mean when the mask is empty (sentence-transformers, `Pooling`)."""
_LEAST_NORM = 1e-12
"""Divisor of the scaling when the mean is zero (torch, `normalize`)."""


def graph_bytes(name: str, config: BertConfig, weights: Path) -> bytes:
    """The serialised ONNX model, the same bytes for the same arguments.

    Its inputs are `input_ids` and `attention_mask`, int64 of shape (batch, sequence), both
    dimensions free up to `config.positions`. Its outputs are `embeddings`, float32 of shape (batch,
    `config.width`), rows of unit L2 norm, and `states`, float32 of shape (batch, sequence,
    `config.width`): the last hidden states, those of padding among them.

    Args:
        name: the graph's name.
        config: the encoder's dimensions.
        weights: upstream's safetensors file.

    Raises:
        ModelBuildError: naming every weight that is missing or has another type or shape than
            `config` says.
    """
    return encoder_bytes(EncoderBuilder(weights, config), name)


def encoder_bytes(builder: EncoderBuilder, name: str) -> bytes:
    """The serialised model whose matrices are applied as `builder` does it.

    Otherwise as `graph_bytes`.
    """
    batch = describe(builder)
    states = _embeddings(builder)
    for index in range(builder.config.layers):
        states = _layer(builder, f"encoder.layer.{index}", states, batch)
    _pooling(builder, builder.normalised(states), batch)
    if builder.problems:
        raise ModelBuildError(str(builder.weights), builder.problems)
    text = ("batch", "sequence")
    return builder.serialised(
        name,
        inputs={"input_ids": (INT64, text), "attention_mask": (INT64, text)},
        outputs={
            "embeddings": (FLOAT32, ("batch", builder.config.width)),
            "states": (FLOAT32, (*text, builder.config.width)),
        },
    )


def _embeddings(builder: EncoderBuilder) -> States:
    """The first hidden states."""
    config = builder.config
    words = builder.table("embeddings.word_embeddings.weight", config.vocabulary, config.width)
    positions = builder.weight(
        "embeddings.position_embeddings.weight", config.positions, config.width
    )
    types = builder.weight(
        "embeddings.token_type_embeddings.weight", config.token_types, config.width
    )

    sequence = builder.node("Shape", "input_ids", start=1)
    zero = builder.integers(0)
    # One row per position, and of the types the first row: every text is a first sentence.
    places = builder.node("Slice", positions, zero, sequence, zero)
    places = builder.node("Add", places, builder.node("Gather", types, zero, axis=0))
    summed = builder.node("Add", builder.look_up(words, "input_ids"), places)
    return States(builder.node("Flatten", summed, axis=2), "embeddings.LayerNorm")


def _layer(builder: EncoderBuilder, prefix: str, states: States, batch: Batch) -> States:
    """One encoder layer: self-attention, then the feed-forward part, each added to what came in and normalised."""
    width, inner = builder.config.width, builder.config.inner_width
    own, output = f"{prefix}.attention.self", f"{prefix}.attention.output"

    query = builder.project(f"{own}.query", states, width)
    # What is the same for all keys shifts all scores of a query alike, which softmax does not see;
    # what is the same for all values goes through the mean as it is, and is added behind.
    key, value = (
        builder.project(f"{own}.{part}", states, width, constant=False) for part in ("key", "value")
    )
    context = attention(builder, (query, key, value), batch)
    carried = builder.constant(f"{own}.value", width)
    states = States(
        builder.added(f"{output}.dense", context, width, states, carried=carried),
        f"{output}.LayerNorm",
    )

    raised = builder.node("Gelu", builder.project(f"{prefix}.intermediate.dense", states, inner))
    lowered = builder.added(f"{prefix}.output.dense", raised, inner, states, after_gelu=True)
    return States(lowered, f"{prefix}.output.LayerNorm")


def _pooling(builder: EncoderBuilder, hidden: str, batch: Batch) -> None:
    """The mean over the attention mask, scaled to unit norm: the graph's first output."""
    second = builder.integers(1)
    states = builder.node("Reshape", hidden, batch.by_text, output="states")
    mask = builder.node("Cast", "attention_mask", to=FLOAT32)
    total = builder.node("MatMul", builder.node("Unsqueeze", mask, second), states)
    count = builder.node(
        "Max", builder.node("ReduceSum", mask, second, keepdims=1), builder.number(_LEAST_COUNT)
    )
    mean = builder.node("Div", builder.node("Squeeze", total, second), count)
    norm = builder.node(
        "Max", builder.node("ReduceL2", mean, second, keepdims=1), builder.number(_LEAST_NORM)
    )
    builder.node("Div", mean, norm, output="embeddings")

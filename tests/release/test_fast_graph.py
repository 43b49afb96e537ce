"""The fast graph: the encoder's vectors, nearly, and the same ones alone and in any batch."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper

from cognitive_memory.encoding.batching import LONG
from hatch_heimdall_models.inlining import INLINE_LIMIT
from release.bert_config import parse_bert_config
from release.encoder_builder import EncoderBuilder
from release.fast_graph import Measured, _FastBuilder, fast_graph_bytes
from release.graph import _embeddings
from release.graph_builder import CONTRIBUTED, FLOAT32, INT64
from release.project import MODELS
from release.safetensors_header import read_header
from tests.support import tiny_bert
from tests.support.reference_bert import embed
from tests.support.safetensors_files import safetensors_bytes

CONFIG = parse_bert_config(tiny_bert.config_bytes(), subject="config.json")
PLAIN = Measured({}, {}, {})
TREATED = Measured(
    {
        "encoder.layer.0.attention.self": [-5, 0, 3, 4] * 3,
        "encoder.layer.1.intermediate.dense": list(range(-6, 6)),
    },
    {
        "encoder.layer.0.attention.self": [1, 0, -2] * 4,
        "encoder.layer.1.attention.self": [-3, 0, 1] * 4,
    },
    {"encoder.layer.0.output.dense": [0, 7, 19]},
)
IDS = np.array([[5, 9, 2, 7, 30], [1, 3, 0, 0, 0], [8, 8, 8, 29, 0]])
MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [1, 1, 1, 1, 0]])


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bert.write_weights(tmp_path_factory.mktemp("weights"))


def written(weights: Path, measured: Measured = TREATED) -> Path:
    path = weights.parent / f"tiny-{id(measured):x}-fast.onnx"
    path.write_bytes(fast_graph_bytes("tiny", CONFIG, weights, measured))
    return path


def session_of(graph: Path, **entries: str) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    for key, value in entries.items():
        options.add_session_config_entry(f"session.{key}", value)
    options.optimized_model_filepath = str(graph.with_suffix(".loaded"))
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def run(graph: Path, ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    return session.run(None, {"input_ids": ids, "attention_mask": mask})[0]


@pytest.mark.parametrize("measured", [PLAIN, TREATED], ids=["plain", "treated"])
def test_vectors_are_nearly_those_of_the_reference(weights: Path, measured: Measured) -> None:
    found = run(written(weights, measured), IDS, MASK)
    for row, ids, mask in zip(found, IDS, MASK, strict=True):
        assert row @ embed(tiny_bert.random_weights(), tiny_bert.CONFIG, ids, mask) > 0.9995
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, rtol=0, atol=1e-6)


def test_a_text_has_the_same_vector_alone_and_in_a_batch(weights: Path) -> None:
    graph = written(weights)
    together = run(graph, IDS, MASK)
    for row, ids, mask in zip(together, IDS, MASK, strict=True):
        length = mask.sum()
        np.testing.assert_allclose(
            run(graph, ids[None, :length], mask[None, :length])[0], row, rtol=0, atol=1e-6
        )


def likeness(folder: Path, weights: dict[str, np.ndarray], measured: Measured) -> float:
    """The least cosine of any text's vector with the reference's."""
    target = folder / "model.safetensors"
    target.write_bytes(safetensors_bytes(weights))
    expected = [
        embed(weights, tiny_bert.CONFIG, ids, mask) for ids, mask in zip(IDS, MASK, strict=True)
    ]
    return float((run(written(target, measured), IDS, MASK) * expected).sum(axis=1).min())


def test_columns_apart_may_be_as_large_as_they_like(tmp_path: Path) -> None:
    wild = tiny_bert.random_weights()
    name = "encoder.layer.0.output.dense"
    wild["encoder.layer.0.intermediate.dense.bias"][7] = 400
    wild[f"{name}.weight"][:, 7] /= 100
    treated = likeness(tmp_path, wild, Measured({}, {}, {name: [7]}))
    assert treated > 0.9995
    assert 1 - treated < (1 - likeness(tmp_path, wild, PLAIN)) / 4


def queries(weights: Path, builder: EncoderBuilder) -> np.ndarray:
    """What the first layer asks for."""
    states = _embeddings(builder)
    builder.node(
        "Identity",
        builder.project("encoder.layer.0.attention.self.query", states, 12),
        output="queries",
    )
    text = ("batch", "sequence")
    graph = weights.parent / "queries.onnx"
    graph.write_bytes(
        builder.serialised(
            "queries", {"input_ids": (INT64, text)}, {"queries": (FLOAT32, ("tokens", 12))}
        )
    )
    return onnxruntime.InferenceSession(graph).run(["queries"], {"input_ids": IDS})[0]


def test_columns_may_lie_far_from_zero_when_they_are_moved(tmp_path: Path) -> None:
    wild = tiny_bert.random_weights()
    wild["embeddings.LayerNorm.bias"][2] = 15
    target = tmp_path / "model.safetensors"
    target.write_bytes(safetensors_bytes(wild))
    moved = Measured({}, {"encoder.layer.0.attention.self": [0, 0, 120] + [0] * 9}, {})
    exact = queries(target, EncoderBuilder(target, CONFIG))
    errors = [
        abs(queries(target, _FastBuilder(target, CONFIG, measured)) - exact).mean()
        for measured in (moved, PLAIN)
    ]
    assert errors[0] < errors[1] / 4


def test_every_product_with_a_weight_is_one_of_int8(weights: Path) -> None:
    graph = onnx.load(str(written(weights, PLAIN)), load_external_data=False).graph
    kinds = [node.op_type for node in graph.node]
    assert kinds.count("MatMulIntegerToFloat") == 6 * tiny_bert.CONFIG["num_hidden_layers"]
    assert "Gemm" not in kinds
    assert {node.domain for node in graph.node} == {"", CONTRIBUTED}


@pytest.fixture(scope="module")
def extreme(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of which neighbours are large and of one sign, as far as a matrix can go."""
    weights = tiny_bert.random_weights()
    for name, array in weights.items():
        if name.startswith("encoder") and array.ndim == 2:
            array[:] = np.copysign(0.4 + abs(array) / 100, array[:, :1])
    path = tmp_path_factory.mktemp("extreme") / "model.safetensors"
    path.write_bytes(safetensors_bytes(weights))
    return path


def test_neighbours_of_one_sign_never_overflow_16_bits(extreme: Path) -> None:
    """On any processor: 255 times what two neighbours come to is below 2^15."""
    graph = written(extreme)
    session_of(graph)
    loaded = onnx.load(str(graph.with_suffix(".loaded"))).graph
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in loaded.initializer}
    matrices = [
        constants[node.input[1]] for node in loaded.node if node.op_type == "MatMulIntegerToFloat"
    ]
    assert len(matrices) == 6 * tiny_bert.CONFIG["num_hidden_layers"]
    for codes in matrices:
        assert codes.dtype == np.int8
        assert np.abs(codes.reshape(-1, 2, codes.shape[1]).astype(int).sum(axis=1)).max() <= 128
        assert np.abs(codes.astype(int)).max() > 60


def test_the_quick_product_is_the_exact_one(extreme: Path) -> None:
    """Differs before VNNI where 16 bits overflow."""
    graph = written(extreme)
    inputs = {"input_ids": IDS, "attention_mask": MASK}
    quick, exact = (
        session_of(graph, x64quantprecision=value).run(["embeddings"], inputs)[0]
        for value in ("0", "1")
    )
    np.testing.assert_array_equal(quick, exact)


def test_a_texts_length_alone_decides_which_way_attention_takes() -> None:
    assert _FastBuilder.whole_from == LONG


@pytest.mark.model
def test_what_is_committed_fits_the_model_and_its_graph_travels_in_the_manifest() -> None:
    measured = Measured.read()
    tensors = read_header(MODELS / "model.safetensors")
    for prefix, columns in measured.apart.items():
        assert max(columns) < tensors[f"{prefix}.weight"].shape[1]
    assert measured.moves.keys() == measured.scales.keys()
    for prefix, quarters in measured.scales.items():
        (width,) = {
            tensor.shape[1]
            for name, tensor in tensors.items()
            if name.startswith(prefix) and len(tensor.shape) == 2
        }
        assert len(quarters) == len(measured.moves[prefix]) == width
    assert (
        len(zlib.compress((MODELS / "all-MiniLM-L6-v2-fast.onnx").read_bytes(), 9)) <= INLINE_LIMIT
    )

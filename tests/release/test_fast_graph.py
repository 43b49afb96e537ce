"""The fast graph: the encoder's vectors, nearly, and the same ones alone and in any batch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from hatch_heimdall_models.errors import ModelBuildError
from hatch_heimdall_models.manifest import INLINE_LIMIT
from release.bert_config import parse_bert_config
from release.fast_graph import Measured, fast_graph_bytes
from release.graph_builder import CONTRIBUTED
from release.project import MODELS
from release.safetensors_header import read_header
from tests.support import tiny_bert
from tests.support.reference_bert import embed

CONFIG = parse_bert_config(tiny_bert.config_bytes(), subject="config.json")
PLAIN = Measured({}, {})
TREATED = Measured(
    {"encoder.layer.0.attention.self": [-5, 0, 3, 4] * 3, "encoder.layer.1.intermediate.dense": list(range(-6, 6))},
    {"encoder.layer.0.output.dense": [0, 7, 19]},
)
IDS = np.array([[5, 9, 2, 7, 30], [1, 3, 0, 0, 0], [8, 8, 8, 29, 0]])
MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [1, 1, 1, 1, 0]])


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bert.write_weights(tmp_path_factory.mktemp("weights"))


def written(weights: Path, measured: Measured = TREATED) -> Path:
    path = weights.parent / f"tiny-{id(measured):x}-fast.onnx"
    path.write_bytes(fast_graph_bytes("tiny", CONFIG, read_header(weights), measured))
    return path


def run(graph: Path, ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
    options = onnxruntime.SessionOptions()
    # Exact on processors without VNNI too.
    options.add_session_config_entry("session.x64quantprecision", "1")
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
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
        np.testing.assert_allclose(run(graph, ids[None, :length], mask[None, :length])[0], row, rtol=0, atol=1e-6)


def test_columns_apart_may_be_as_large_as_they_like(weights: Path, tmp_path: Path) -> None:
    wild = tiny_bert.random_weights()
    name = "encoder.layer.0.output.dense"
    wild["encoder.layer.0.intermediate.dense.bias"][7] = 90
    wild[f"{name}.weight"][:, 7] *= 30
    target = tmp_path / "model.safetensors"
    from tests.support.safetensors_files import safetensors_bytes

    target.write_bytes(safetensors_bytes(wild))
    expected = [embed(wild, tiny_bert.CONFIG, ids, mask) for ids, mask in zip(IDS, MASK, strict=True)]
    likeness = {
        label: (run(written(target, measured), IDS, MASK) * expected).sum(axis=1).min()
        for label, measured in (("treated", Measured({}, {name: [7]})), ("plain", PLAIN))
    }
    assert likeness["treated"] > 0.9995
    assert likeness["treated"] > likeness["plain"]


def test_every_product_with_a_weight_is_one_of_int8(weights: Path) -> None:
    graph = onnx.load(str(written(weights, PLAIN)), load_external_data=False).graph
    kinds = [node.op_type for node in graph.node]
    assert kinds.count("MatMulIntegerToFloat") == 6 * tiny_bert.CONFIG["num_hidden_layers"]
    assert "Gemm" not in kinds
    assert {node.domain for node in graph.node} == {"", CONTRIBUTED}


def test_it_is_the_same_file_each_time(weights: Path) -> None:
    assert written(weights).read_bytes() == written(weights).read_bytes()


def test_weights_that_do_not_fit_are_named(weights: Path) -> None:
    config = parse_bert_config(tiny_bert.config_bytes(num_hidden_layers=3), subject="config.json")
    with pytest.raises(ModelBuildError, match=r"has no tensor encoder\.layer\.2"):
        fast_graph_bytes("tiny", config, read_header(weights), PLAIN)


@pytest.mark.model
def test_what_is_committed_fits_the_model_and_its_graph_travels_in_the_manifest() -> None:
    measured = Measured.read()
    tensors = read_header(MODELS / "model.safetensors")
    for prefix, columns in measured.apart.items():
        assert max(columns) < tensors[f"{prefix}.weight"].shape[1]
    for prefix, quarters in measured.scales.items():
        (width,) = {
            tensor.shape[1] for name, tensor in tensors.items() if name.startswith(prefix) and len(tensor.shape) == 2
        }
        assert len(quarters) == width
    assert (MODELS / "all-MiniLM-L6-v2-fast.onnx").stat().st_size <= INLINE_LIMIT

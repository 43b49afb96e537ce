"""The graph computes what BERT and sentence-transformers do, from bytes of the weights file alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatch_heimdall_models.errors import ModelBuildError
from release.bert_config import parse_bert_config
from release.graph import graph_bytes
from tests.support import tiny_bert
from tests.support.reference_bert import embed
from tests.support.safetensors_files import safetensors_bytes

POSITIONS = tiny_bert.CONFIG["max_position_embeddings"]
VOCABULARY = tiny_bert.CONFIG["vocab_size"]
CONFIG = parse_bert_config(tiny_bert.config_bytes(), subject="config.json")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    path = folder / "tiny-bert.onnx"
    path.write_bytes(graph_bytes("tiny-bert", CONFIG, tiny_bert.write_weights(folder)))
    return path


@pytest.fixture(scope="module")
def session(model: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def run(session: onnxruntime.InferenceSession, ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
    inputs = {"input_ids": np.asarray(ids, np.int64), "attention_mask": np.asarray(mask, np.int64)}
    return session.run(["embeddings"], inputs)[0]


@st.composite
def _batches(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Token ids and masks: any batch, any length, any mask with at least one token."""
    batch, length = draw(st.integers(1, 4)), draw(st.integers(1, POSITIONS))
    row = st.lists(st.integers(0, VOCABULARY - 1), min_size=length, max_size=length)
    mask = st.lists(st.integers(0, 1), min_size=length, max_size=length).filter(any)
    rows = st.tuples(row, mask)
    drawn = draw(st.lists(rows, min_size=batch, max_size=batch))
    return np.array([ids for ids, _ in drawn]), np.array([mask for _, mask in drawn])


@given(batch=_batches())
def test_it_agrees_with_the_reference(
    session: onnxruntime.InferenceSession, batch: tuple[np.ndarray, np.ndarray]
) -> None:
    ids, mask = batch
    found = run(session, ids, mask)
    assert found.dtype == np.float32
    weights = tiny_bert.random_weights()
    for row, one_ids, one_mask in zip(found, ids, mask, strict=True):
        np.testing.assert_allclose(
            row, embed(weights, tiny_bert.CONFIG, one_ids, one_mask), rtol=0, atol=2e-6
        )
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, rtol=0, atol=1e-6)


def test_padding_does_not_show(session: onnxruntime.InferenceSession) -> None:
    ids = np.array([[5, 9, 2, 7]])
    padded = np.array([[5, 9, 2, 7, 0, 30, 0]])
    alone = run(session, ids, np.ones_like(ids))
    np.testing.assert_allclose(
        run(session, padded, padded * 0 + [1, 1, 1, 1, 0, 0, 0]), alone, rtol=0, atol=1e-6
    )


def test_an_empty_mask_gives_zeros_and_not_nan(session: onnxruntime.InferenceSession) -> None:
    ids = np.array([[5, 9, 2]])
    np.testing.assert_array_equal(run(session, ids, np.zeros_like(ids)), np.zeros((1, 12)))


def test_more_tokens_than_positions_are_an_error(session: onnxruntime.InferenceSession) -> None:
    ids = np.ones((1, POSITIONS + 1))
    with pytest.raises(Exception, match="Add node"):
        run(session, ids, ids)


def test_inputs_and_outputs_are_those_promised(session: onnxruntime.InferenceSession) -> None:
    inputs = {value.name: (value.type, value.shape) for value in session.get_inputs()}
    free = ("tensor(int64)", ["batch", "sequence"])
    assert inputs == {"input_ids": free, "attention_mask": free}
    assert [(value.name, value.shape) for value in session.get_outputs()] == [
        ("embeddings", ["batch", 12]),
        ("states", ["batch", "sequence", 12]),
    ]


def test_the_standard_checker_accepts_it(model: Path) -> None:
    onnx.checker.check_model(str(model), full_check=True)


def test_every_weight_is_a_part_of_the_weights_file(model: Path) -> None:
    loaded = onnx.load(str(model), load_external_data=False)
    content = (model.parent / "model.safetensors").read_bytes()
    weights = tiny_bert.random_weights()
    external = [
        tensor
        for tensor in loaded.graph.initializer
        if tensor.data_location == onnx.TensorProto.EXTERNAL
    ]
    # of every score of a query, the same part
    without_effect = {name for name in weights if name.endswith("key.bias")}
    assert {tensor.name for tensor in external} == weights.keys() - {
        "embeddings.position_ids"
    } - without_effect
    for tensor in external:
        place = {entry.key: entry.value for entry in tensor.external_data}
        assert place.pop("location") == "model.safetensors"
        start, length = int(place.pop("offset")), int(place.pop("length"))
        assert content[start : start + length] == weights[tensor.name].tobytes()
        assert not place
    inline = sum(len(tensor.raw_data) for tensor in loaded.graph.initializer)
    assert inline < 300


def test_it_is_the_same_file_each_time_and_names_no_version(model: Path) -> None:
    again = graph_bytes("tiny-bert", CONFIG, model.parent / "model.safetensors")
    assert again == model.read_bytes()
    assert onnx.load(str(model), load_external_data=False).producer_version == ""


def test_weights_that_do_not_fit_are_all_named(tmp_path: Path) -> None:
    tensors = tiny_bert.random_weights()
    tensors["embeddings.LayerNorm.bias"] = tensors["embeddings.word_embeddings.weight"]
    tensors["embeddings.word_embeddings.weight"] = tensors["embeddings.position_ids"]
    del tensors["encoder.layer.1.output.dense.weight"]
    weights = tmp_path / "other.safetensors"
    weights.write_bytes(safetensors_bytes(tensors))
    with pytest.raises(ModelBuildError) as caught:
        graph_bytes("tiny-bert", CONFIG, weights)
    assert caught.value.subject == str(weights)
    assert caught.value.problems == (
        "embeddings.word_embeddings.weight: expected F32 of shape (31, 12), found I64 of shape (1, 16)",
        "embeddings.LayerNorm.bias: expected F32 of shape (12,), found F32 of shape (31, 12)",
        "has no tensor encoder.layer.1.output.dense.weight",
    )

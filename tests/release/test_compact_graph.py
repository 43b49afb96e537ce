"""The compact graph: the encoder of the rounded weights, in one file, in float32."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from release.bert_config import parse_bert_config
from release.compact_graph import compact_graph_bytes
from release.quantisation import quantise_groups, quantise_rows
from tests.support import tiny_bert
from tests.support.reference_bert import embed

CONFIG = parse_bert_config(tiny_bert.config_bytes(), subject="config.json")
WORDS = "embeddings.word_embeddings.weight"


def written(weights: Path, **changes: object) -> bytes:
    config = parse_bert_config(tiny_bert.config_bytes(**changes), subject="config.json")
    return compact_graph_bytes("tiny", config, weights)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bert.write_weights(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def model(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("compact") / "tiny.onnx"
    path.write_bytes(written(weights))
    return path


def test_alone_in_its_folder_it_computes_with_the_rounded_weights(model: Path) -> None:
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    rounded = tiny_bert.random_weights()
    for name, array in rounded.items():
        if name.endswith(".weight") and array.ndim == 2:
            rounded[name] = (quantise_rows if name == WORDS else quantise_groups)(array).restored()
    ids = np.array([[5, 9, 2, 7, 30], [1, 3, 0, 0, 0]])
    mask = np.array([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0]])
    (found,) = session.run(["embeddings"], {"input_ids": ids, "attention_mask": mask})
    for row, one_ids, one_mask in zip(found, ids, mask, strict=True):
        np.testing.assert_allclose(
            row, embed(rounded, tiny_bert.CONFIG, one_ids, one_mask), rtol=0, atol=2e-6
        )


def test_the_standard_checker_accepts_it(model: Path) -> None:
    onnx.checker.check_model(str(model), full_check=True)


def test_nothing_in_it_points_elsewhere_and_matrices_take_a_byte_a_weight(model: Path) -> None:
    initializers = onnx.load(str(model), load_external_data=False).graph.initializer
    assert not [one.name for one in initializers if one.data_location == onnx.TensorProto.EXTERNAL]
    sizes = {one.name: len(one.raw_data) for one in initializers}
    for name, array in tiny_bert.random_weights().items():
        if name.endswith(".weight") and array.ndim == 2:
            assert sizes[f"{name}.codes"] == array.size

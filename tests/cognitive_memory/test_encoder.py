from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cognitive_memory.encoding import Encoder, ModelLoadError
from tests.support.near import assert_near
from tests.support.real_model import linked_copy

pytestmark = pytest.mark.model

GOLDEN = Path(__file__).parent / "golden"
TEXTS: dict[str, str] = json.loads((GOLDEN / "texts.json").read_bytes())
VECTORS = dict(zip(TEXTS, np.load(GOLDEN / "vectors.npy"), strict=True))

MEANINGFUL = st.lists(
    # A letter in front, so that the tokenizer finds something in every text.
    st.text(max_size=300).map(lambda text: f"a{text}"),
    min_size=1,
    max_size=12,
)


@pytest.mark.parametrize("name", TEXTS)
def test_agrees_with_sentence_transformers(encoder: Encoder, name: str) -> None:
    vector = encoder.encode(TEXTS[name])
    assert vector.astype(np.float64) @ VECTORS[name].astype(np.float64) >= 0.999999
    assert_near(vector, VECTORS[name], 2e-06)


def test_batch_agrees_with_sentence_transformers_in_order(encoder: Encoder) -> None:
    vectors = encoder.encode_batch(TEXTS.values())
    assert_near(vectors, np.stack(list(VECTORS.values())), 2e-06)


def test_one_text_is_a_row_of_float32_with_unit_norm(encoder: Encoder) -> None:
    vector = encoder.encode("a text")
    assert vector.shape == (384,)
    assert vector.dtype == np.float32
    assert vector.flags.c_contiguous
    assert abs(np.linalg.norm(vector.astype(np.float64)) - 1) < 1e-6


@pytest.mark.parametrize("count", [1, 2, 40])
def test_batch_is_a_contiguous_matrix_with_unit_rows(encoder: Encoder, count: int) -> None:
    vectors = encoder.encode_batch(f"text number {index}" for index in range(count))
    assert vectors.shape == (count, 384)
    assert vectors.dtype == np.float32
    assert vectors.flags.c_contiguous
    assert_near(np.linalg.norm(vectors.astype(np.float64), axis=1), 1)


def test_no_text_gives_no_row(encoder: Encoder) -> None:
    vectors = encoder.encode_batch([])
    assert vectors.shape == (0, 384)
    assert vectors.dtype == np.float32


@settings(max_examples=25, deadline=None)
@given(texts=MEANINGFUL, batch_size=st.integers(1, 8))
def test_alone_and_in_any_batch_the_vector_is_the_same(
    encoder: Encoder, texts: list[str], batch_size: int
) -> None:
    together = encoder.encode_batch(texts, batch_size=batch_size)
    alone = np.stack([encoder.encode(text) for text in texts])
    assert_near(together, alone)
    assert_near(np.linalg.norm(alone.astype(np.float64), axis=1), 1)


def test_meaning_is_near(encoder: Encoder) -> None:
    near, fox, other = encoder.encode_batch(
        [TEXTS["near to sentence"], TEXTS["sentence"], "Quarterly revenue fell by three percent."]
    )
    assert near @ fox > 0.5
    assert near @ other < 0.2


@pytest.mark.parametrize(
    "missing",
    ["all-MiniLM-L6-v2.onnx", "model.safetensors", "model_config.json", "tokenizer/tokenizer.json"],
)
def test_missing_file_is_a_load_error(tmp_path: Path, missing: str) -> None:
    directory = linked_copy(tmp_path / "model", without=missing)
    with pytest.raises(ModelLoadError, match=r"can't be loaded: .") as caught:
        Encoder.load(directory)
    assert caught.value.directory == str(directory)


@pytest.mark.parametrize(
    "broken",
    ["all-MiniLM-L6-v2.onnx", "model.safetensors", "model_config.json", "tokenizer/tokenizer.json"],
)
def test_truncated_file_is_a_load_error(tmp_path: Path, model_directory: Path, broken: str) -> None:
    directory = linked_copy(tmp_path / "model", without=broken)
    content = (model_directory / broken).read_bytes()
    (directory / broken).write_bytes(content[: len(content) // 2])
    with pytest.raises(ModelLoadError, match=re.escape(str(directory))):
        Encoder.load(directory)


def test_loads_from_a_path_of_any_letters(tmp_path: Path) -> None:
    directory = linked_copy(tmp_path / "modèle Ω 模型 with blanks")
    assert_near(Encoder.load(directory).encode(TEXTS["fact"]), VECTORS["fact"], 2e-06)


def test_files_may_go_once_loaded(tmp_path: Path) -> None:
    """What `prune` removes, a running process keeps."""
    directory = linked_copy(tmp_path / "model")
    encoder = Encoder.load(directory)
    shutil.rmtree(directory)
    assert_near(encoder.encode(TEXTS["fact"]), VECTORS["fact"], 2e-06)

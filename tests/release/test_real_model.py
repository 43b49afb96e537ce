"""The model that is shipped: pinned by the lock, and right by a reference that shares no code with the graph."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from tokenizers import Tokenizer

from hatch_heimdall_models.inventory import take_inventory
from hatch_heimdall_models.lock import differences, read_manifest
from release.bert_config import parse_bert_config
from release.compact_graph import compact_graph_bytes
from release.graph import graph_bytes
from release.project import LOCK, MODELS, RECIPE
from release.recipe import read_recipe
from release.safetensors_header import read_header
from tests.support.reference_bert import embed

pytestmark = pytest.mark.model

CONFIG = {
    "model_type": "bert",
    "hidden_act": "gelu",
    "num_hidden_layers": 6,
    "num_attention_heads": 12,
    "hidden_size": 384,
    "intermediate_size": 1536,
    "max_position_embeddings": 512,
    "vocab_size": 30522,
    "type_vocab_size": 2,
    "layer_norm_eps": 1e-12,
}
TEXTS = [
    "Yes.",
    "How do I reset a password that I have forgotten?",
    "Café, naïveté, 東京 and 🚀: not all of it is English.",
    "A longer text. " * 12 + "It ends here.",
]


@pytest.fixture(scope="module")
def weights() -> dict[str, np.ndarray]:
    path = MODELS / "model.safetensors"
    content = np.memmap(path, np.uint8, "r")
    return {
        name: content[place.offset : place.offset + place.length].view("<f4").reshape(place.shape)
        for name, place in read_header(path).items()
        if place.dtype == "F32"
    }


def test_the_lock_pins_these_files_and_upstreams_weights() -> None:
    lock = read_manifest(LOCK)
    assert differences(lock, take_inventory(MODELS), {"compact": "compact"}) == []
    recipes = {recipe.variant: recipe for recipe in read_recipe(RECIPE).every}
    assert [model.variant for model in lock.models] == sorted(recipes)
    for model in lock.models:
        pins = {file.path: file.sha256 for file in model.files}
        for path, file in recipes[model.variant].shipped.items():
            assert pins[path] == file.sha256


def test_the_graph_is_the_one_that_the_tools_write() -> None:
    config = parse_bert_config(json.dumps(CONFIG), subject="config")
    recipe = read_recipe(RECIPE)
    written = graph_bytes(recipe.name, config, MODELS / "model.safetensors")
    assert (MODELS / recipe.graphs[0].path).read_bytes() == written


def test_the_compact_graph_is_the_one_that_the_tools_write() -> None:
    config = parse_bert_config(json.dumps(CONFIG), subject="config")
    recipe = read_recipe(RECIPE).every[1]
    weights = MODELS / "model.safetensors"
    written = compact_graph_bytes(recipe.name, config, weights)
    assert (MODELS / recipe.folder / recipe.graphs[0].path).read_bytes() == written


def test_the_compact_asset_is_worth_its_name() -> None:
    assets = {model.variant: model.asset for model in read_manifest(LOCK).models}
    assert assets["compact"].size < 20_000_000 < assets["standard"].size / 4


def test_it_agrees_with_the_reference_alone_and_in_a_padded_batch(
    weights: dict[str, np.ndarray],
) -> None:
    tokenizer = Tokenizer.from_file(str(MODELS / "tokenizer" / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.enable_padding()
    encoded = tokenizer.encode_batch(TEXTS)
    ids, mask = (
        np.array([text.ids for text in encoded]),
        np.array([text.attention_mask for text in encoded]),
    )
    session = onnxruntime.InferenceSession(
        MODELS / "all-MiniLM-L6-v2.onnx", providers=["CPUExecutionProvider"]
    )
    together = session.run(None, {"input_ids": ids, "attention_mask": mask})[0]
    for row, one_ids, one_mask in zip(together, ids, mask, strict=True):
        length = one_mask.sum()
        short = {"input_ids": one_ids[None, :length], "attention_mask": one_mask[None, :length]}
        expected = embed(weights, CONFIG, one_ids[:length], one_mask[:length])
        np.testing.assert_allclose(row, expected, rtol=0, atol=1e-6)
        np.testing.assert_allclose(session.run(None, short)[0][0], expected, rtol=0, atol=1e-6)


def test_settings_say_what_the_graph_is() -> None:
    settings = json.loads((MODELS / "model_config.json").read_text())
    assert settings["embedding_dimension"] == CONFIG["hidden_size"]
    assert settings["max_length"] == CONFIG["max_position_embeddings"]


def test_the_tokenizer_speaks_the_models_vocabulary() -> None:
    tokenizer = Tokenizer.from_file(str(Path(MODELS, "tokenizer", "tokenizer.json")))
    assert tokenizer.get_vocab_size() == CONFIG["vocab_size"]
    special = json.loads((MODELS / "tokenizer" / "special_tokens_map.json").read_text())
    assert tokenizer.token_to_id(special["pad_token"]) == 0

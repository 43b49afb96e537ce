"""Upstream's config.json."""

from __future__ import annotations

import pytest

from hatch_heimdall_models.errors import ModelBuildError
from release.bert_config import BertConfig, parse_bert_config
from tests.support import tiny_bert


def test_dimensions_are_taken_from_the_file() -> None:
    config = parse_bert_config(tiny_bert.config_bytes(), subject="config.json")
    assert config == BertConfig(
        layers=2,
        heads=3,
        width=12,
        inner_width=20,
        positions=16,
        vocabulary=31,
        token_types=2,
        layer_norm_eps=1e-12,
    )
    assert config.head_width == 4


def test_a_file_without_the_kind_of_positions_means_absolute_ones() -> None:
    text = tiny_bert.config_bytes().replace(b'"position_embedding_type": "absolute", ', b"")
    assert b"absolute" not in text
    assert parse_bert_config(text, subject="config.json").positions == 16


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model_type": "roberta"}, "model_type: expected 'bert', found 'roberta'"),
        ({"hidden_act": "gelu_new"}, "hidden_act: expected 'gelu'"),
        (
            {"position_embedding_type": "relative_key"},
            "position_embedding_type: expected 'absolute'",
        ),
        ({"num_hidden_layers": 0}, "num_hidden_layers: expected a positive whole number, found 0"),
        ({"vocab_size": True}, "vocab_size: expected a positive whole number, found True"),
        ({"layer_norm_eps": "1e-12"}, "layer_norm_eps: expected a number"),
        ({"num_attention_heads": 5}, "hidden_size: 12 is no multiple of the 5 num_attention_heads"),
    ],
)
def test_another_kind_of_model_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ModelBuildError, match=message):
        parse_bert_config(tiny_bert.config_bytes(**change), subject="config.json")


def test_every_problem_is_reported_at_once() -> None:
    with pytest.raises(ModelBuildError) as caught:
        parse_bert_config(b"{}", subject="config.json")
    assert len(caught.value.problems) == 10


@pytest.mark.parametrize("text", [b"", b"\xff", b"[" * 100_000, b"[]"])
def test_what_is_no_json_object_is_refused(text: bytes) -> None:
    with pytest.raises(ModelBuildError, match="JSON"):
        parse_bert_config(text, subject="config.json")

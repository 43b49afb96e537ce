from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cognitive_memory.core.embedder import CODE_LENGTH, Tokens
from cognitive_memory.encoding import Encoder
from cognitive_memory.encoding.token_code import MOST_TOKENS, TokenCode, has_code, joined
from tests.support.near import assert_near

VOCABULARY = ["[CLS]", "the", "cat", "##nip", "grows", "[SEP]"]
TELLING = np.array([False, False, True, True, True, False])
PROJECTION = np.linalg.qr(np.random.default_rng(3).standard_normal((16, 8)))[0].astype(np.float32)
CODE = TokenCode(PROJECTION, TELLING, VOCABULARY.__getitem__)

_ids = st.lists(st.integers(0, len(VOCABULARY) - 1), min_size=1, max_size=40)


@given(ids=_ids, data=st.data())
def test_products_of_codes_are_the_cosines_of_what_is_projected(
    ids: list[int], data: st.DataObject
) -> None:
    values = st.floats(-4, 4, width=32).filter(lambda value: abs(value) > 1e-3)
    states = data.draw(arrays.arrays(np.float32, (len(ids), 16), elements=values))
    tokens = CODE(np.array(ids), states)
    first = [ids.index(number) for number in dict.fromkeys(ids) if TELLING[number]]
    assert len(tokens.words) == len(tokens.codes) == len(first)
    rows = states[first] @ PROJECTION
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    rows = rows.clip(-127 / CODE_LENGTH, 127 / CODE_LENGTH)
    np.testing.assert_allclose(tokens.codes / CODE_LENGTH, rows, atol=0.51 / CODE_LENGTH)


def test_each_token_knows_the_word_that_it_is_a_part_of() -> None:
    tokens = CODE(np.array([0, 1, 2, 3, 4, 2, 5]), np.ones((7, 16), dtype=np.float32))
    assert tokens.words == ["catnip", "catnip", "grows"]


def test_a_text_of_nothing_telling_has_no_tokens() -> None:
    tokens = CODE(np.array([0, 1, 5]), np.ones((3, 16), dtype=np.float32))
    assert (tokens.words, tokens.codes.shape) == ([], (0, 8))


def test_windows_of_one_text_are_put_together() -> None:
    parts = [Tokens([str(number)] * 40, np.full((40, 8), number, np.int8)) for number in range(3)]
    whole, single = joined(parts, [0, 0, 1])
    assert whole.words == ["0"] * 40 + ["1"] * (MOST_TOKENS - 40)
    assert whole.codes[:, 0].tolist() == [int(word) for word in whole.words]
    assert single.words == ["2"] * 40
    assert joined([], [0, 0, 1]) == ()


@pytest.mark.model
def test_tokens_come_beside_the_very_vectors(encoder: Encoder) -> None:
    texts = ["The cat sat on the mat.", "Retry thrice, with a pause between", "of the"]
    vectors, tokens = encoder.encode_with_tokens(texts)
    assert_near(vectors, encoder.encode_batch(texts))
    assert tokens[0].words == ["cat", "sat", "mat"]
    assert tokens[2].words == []
    (cat,), (kitten,), (tax,) = (
        each.codes.astype(int) for each in encoder.encode_with_tokens(["cat", "kitten", "tax"])[1]
    )
    assert cat @ kitten > cat @ tax
    assert cat @ cat == pytest.approx(CODE_LENGTH**2, rel=0.05)


def test_a_model_that_nobody_fitted_has_no_code() -> None:
    assert has_code("all-MiniLM-L6-v2")
    assert not has_code("another")

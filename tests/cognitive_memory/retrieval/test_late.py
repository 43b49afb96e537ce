from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognitive_memory.core.embedder import CODE_LENGTH, Tokens
from cognitive_memory.retrieval.late import mean_nearness, nearness, word_weights

WIDTH = 4
_rows = st.lists(st.lists(st.integers(-127, 127), min_size=WIDTH, max_size=WIDTH), max_size=5)


def _codes(rows: list[list[int]]) -> np.ndarray:
    return np.array(rows, dtype=np.int8).reshape(-1, WIDTH)


@given(question=_rows.filter(bool), memories=st.dictionaries(st.integers(1, 9), _rows))
def test_each_token_of_a_question_finds_its_nearest(
    question: list[list[int]], memories: dict[int, list[list[int]]]
) -> None:
    weights = np.full(len(question), 1 / len(question), dtype=np.float32)
    tokens = Tokens(["w"] * len(question), _codes(question))
    near = nearness(
        tokens, weights, {key: _codes(rows).tobytes() for key, rows in memories.items()}
    )
    expected = {
        key: np.mean([max(np.dot(one, other) for other in rows) for one in question])
        / CODE_LENGTH**2
        for key, rows in memories.items()
        if rows
    }
    assert near == pytest.approx(expected, abs=1e-5)


def test_what_is_no_code_is_left_out() -> None:
    tokens = Tokens(["w"], _codes([[127, 0, 0, 0]]))
    near = nearness(tokens, np.ones(1, np.float32), {1: b"", 2: b"123", 3: bytes(WIDTH)})
    assert near == {3: 0.0}


def test_a_rare_word_counts_more_and_its_parts_share_that() -> None:
    weights = word_weights(["rare", "often", "rare"], {'"rare"': 1, '"often"': 40}, 100)
    assert weights.sum() == pytest.approx(1)
    assert weights[0] == weights[2]
    assert 2 * weights[0] > 5 * weights[1]


def test_words_that_all_memories_have_still_count_together() -> None:
    assert word_weights(["all"], {'"all"': 100}, 100).tolist() == pytest.approx([1])


def test_a_question_and_its_title_count_alike() -> None:
    one, other = (Tokens(["w"], _codes([row])) for row in ([127, 0, 0, 0], [0, 127, 0, 0]))
    near = mean_nearness([one, other], {}, 9, {5: _codes([[127, 0, 0, 0]]).tobytes()})
    assert near[5] == pytest.approx(127**2 / CODE_LENGTH**2 / 2)
    assert mean_nearness([], {}, 9, {}) == {}

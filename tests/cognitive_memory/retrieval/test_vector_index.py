from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cognitive_memory.retrieval.vector_index import Segment, VectorIndex, best_rows


def vectors(count: int, seed: int = 1, dimension: int = 8) -> np.ndarray:
    rows = np.random.default_rng(seed).standard_normal((count, dimension)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def segment(keys: list[int], seed: int = 1) -> Segment:
    return Segment(np.array(keys, dtype=np.int64), vectors(len(keys), seed))


INDEX = VectorIndex((segment([2, 4, 6]).without(np.array([4])), segment([9, 4, 7], seed=2)))


def test_rows_and_keys_belong_together() -> None:
    keys = np.array([7, 2, 5, 4, 9, 100])
    assert INDEX.rows_of(keys).tolist() == [5, 0, -1, 4, 3, -1]
    assert INDEX.keys_of(np.array([5, 0, 4, 3])).tolist() == [7, 2, 4, 9]
    assert INDEX.living_keys().tolist() == [2, 4, 6, 7, 9]
    assert len(INDEX) == 5


def test_vectors_of_keys() -> None:
    expected = [INDEX.segments[1].matrix[1], INDEX.segments[0].matrix[2]]
    np.testing.assert_array_equal(INDEX.vectors_of(np.array([4, 6])), expected)


def test_cosines_of_the_dead_are_minus_infinity() -> None:
    question = vectors(1, seed=3)[0]
    cosines = INDEX.cosines(question)
    assert np.isneginf(cosines).tolist() == [False, True, False, False, False, False]
    np.testing.assert_allclose(cosines[3:], INDEX.segments[1].matrix @ question)


@given(among=st.sets(st.integers(1, 60)), dead=st.sets(st.integers(1, 60)))
def test_among_some_keys_is_all_of_them_masked(among: set[int], dead: set[int]) -> None:
    keys = list(range(1, 51))
    index = (
        VectorIndex((segment(keys[:40]), segment(keys[:39:-1])))
        if among
        else VectorIndex((segment(keys),))
    )
    index = VectorIndex(
        tuple(part.without(np.array(sorted(dead), dtype=np.int64)) for part in index.segments)
    )
    question = vectors(1, seed=3)[0]
    every = index.cosines(question)
    wanted = index.keys_of(np.arange(len(every)))
    expected = np.where(np.isin(wanted, sorted(among)), every, -np.inf)
    some = index.cosines(question, np.array(sorted(among), dtype=np.int64))
    np.testing.assert_allclose(some, expected, atol=1e-6)


def test_an_empty_index_has_no_cosines() -> None:
    index = VectorIndex()
    assert len(index.cosines(vectors(1)[0])) == 0
    assert index.rows_of(np.array([1])).tolist() == [-1]
    assert index.living_keys().tolist() == []


@given(
    st.lists(st.sampled_from([-np.inf, -0.5, 0.0, 0.25, 0.5, 1.0]), max_size=30), st.integers(1, 40)
)
def test_best_rows_are_those_of_a_full_sort(scores: list[float], count: int) -> None:
    rows = best_rows(np.array(scores, dtype=np.float32), count)
    expected = sorted(
        (row for row in range(len(scores)) if scores[row] > -np.inf),
        key=lambda row: (-scores[row], -row),
    )
    assert rows.tolist() == expected[:count]

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cognitive_memory.retrieval.scoring import Candidate, Meaning, Weights, candidates
from cognitive_memory.retrieval.vector_index import Segment, VectorIndex

PARTS = st.floats(0, 1, width=32)
COSINES = st.floats(-1, 1, width=32)


def index(keys: list[int]) -> VectorIndex:
    return VectorIndex(
        (Segment(np.array(keys, dtype=np.int64), np.zeros((len(keys), 2), dtype=np.float32)),)
    )


def fused(
    keywords: dict[int, float], cosines: dict[int, float], count: int = 100, share: float = 0.6
) -> list[Candidate]:
    values = np.array(list(cosines.values()), dtype=np.float32)
    return candidates(
        keywords, Meaning(index(list(cosines)), values), Weights(meaning=share), count
    )


@given(
    st.dictionaries(st.integers(1, 20), PARTS), st.dictionaries(st.integers(1, 20), COSINES), PARTS
)
def test_who_is_better_in_both_is_never_behind(
    keywords: dict[int, float], cosines: dict[int, float], share: float
) -> None:
    order = [each.key for each in fused(keywords, cosines, share=share)]
    assert sorted(order) == sorted({*keywords, *cosines})
    known = [key for key in order if key in cosines]
    for place, first in enumerate(known):
        for second in known[place + 1 :]:
            words = keywords.get(second, 0.0) - keywords.get(first, 0.0)
            meaning = cosines[second] - cosines[first]
            assert not (words > 1e-5 and meaning > 1e-5)


@given(
    st.dictionaries(st.integers(1, 20), PARTS),
    st.dictionaries(st.integers(1, 20), COSINES),
    st.integers(1, 10),
)
def test_fewer_are_the_beginning_of_more(
    keywords: dict[int, float], cosines: dict[int, float], count: int
) -> None:
    every = fused(keywords, cosines)
    some = fused(keywords, cosines, count)
    np.testing.assert_allclose(
        [each.score for each in some], [each.score for each in every[:count]], atol=1e-6
    )


@given(st.dictionaries(st.integers(1, 20), COSINES))
def test_without_words_meaning_alone_decides(cosines: dict[int, float]) -> None:
    order = [cosines[each.key] for each in fused({}, cosines)]
    assert order == sorted(order, reverse=True)


@given(st.dictionaries(st.integers(1, 20), PARTS))
def test_without_vectors_words_alone_decide(keywords: dict[int, float]) -> None:
    both = [keywords[each.key] for each in fused(keywords, {})]
    alone = [keywords[each.key] for each in candidates(keywords, None, Weights(), 100)]
    assert both == alone == sorted(keywords.values(), reverse=True)


def test_a_memory_that_waits_for_its_vector_is_taken_to_mean_what_such_words_mean() -> None:
    keywords = {key: key / 10 for key in range(1, 11)} | {11: 0.85, 12: 0.05}
    cosines = {key: 0.2 + key / 20 for key in range(1, 11)} | {13: 0.9}
    found = {each.key: each for each in fused(keywords, cosines)}
    assert found[11].meaning == found[12].meaning == 0
    assert found[1].score < found[11].score < found[10].score
    assert found[12].score < found[1].score


@given(st.dictionaries(st.integers(1, 20), COSINES, min_size=1))
def test_words_of_what_waits_for_its_vector_bring_no_more_than_the_best_meaning(
    cosines: dict[int, float],
) -> None:
    keywords = dict.fromkeys([*cosines, 21], 1.0)
    found = {each.key: each.score for each in fused(keywords, cosines)}
    assert found[21] <= max(0.4, *(score for key, score in found.items() if key != 21)) + 1e-6


def test_who_may_not_answer_does_not() -> None:
    assert [each.key for each in fused({}, {1: -np.inf, 2: 0.1})] == [2]


def test_of_equal_ones_the_newer_is_first() -> None:
    assert [each.key for each in fused({}, {1: 0.5, 2: 0.5})] == [2, 1]
    assert [each.key for each in candidates({1: 0.5, 2: 0.5}, None, Weights(), 1)] == [2]


def test_the_best_favoured_ones_are_looked_at_however_far_down() -> None:
    cosines = {key: key / 100 for key in range(1, 100)}
    index_of = Meaning(index(list(cosines)), np.array(list(cosines.values()), dtype=np.float32))
    found = candidates({}, index_of, Weights(), 2, frozenset({3, 5, 7, 98}))
    assert [each.key for each in found] == [99, 98, 7, 5, 3]
    words = candidates(cosines, None, Weights(), 2, frozenset({3, 5, 7, 98}))
    assert [each.key for each in words] == [99, 98, 7, 5, 3]

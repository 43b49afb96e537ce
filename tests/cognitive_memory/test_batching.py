from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from cognitive_memory.encoding.batching import LONG, TOKEN_BUDGET, plan_batches

# a text has its two marks at least
LENGTHS = st.lists(st.integers(min_value=1, max_value=700), max_size=200)


@given(LENGTHS, st.integers(1, 64), st.integers(1, 2000))
def test_every_text_is_in_one_batch(lengths: list[int], max_rows: int, budget: int) -> None:
    batches = plan_batches(lengths, max_rows=max_rows, token_budget=budget)
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    assert all(batches)


@given(LENGTHS, st.integers(1, 64), st.integers(1, 2000))
def test_budgets_are_kept(lengths: list[int], max_rows: int, budget: int) -> None:
    for batch in plan_batches(lengths, max_rows=max_rows, token_budget=budget):
        assert len(batch) <= max_rows
        assert len(batch) == 1 or len(batch) * max(lengths[index] for index in batch) <= budget


@given(LENGTHS, st.integers(1, 64), st.integers(1, 2000))
def test_batches_are_full(lengths: list[int], max_rows: int, budget: int) -> None:
    for batch, following in pairwise(plan_batches(lengths, max_rows=max_rows, token_budget=budget)):
        longest, next_one = lengths[batch[0]], lengths[following[0]]
        full = len(batch) == max_rows or (len(batch) + 1) * longest > budget
        assert full or (longest >= LONG and next_one < longest)
        assert lengths[batch[-1]] >= next_one


@given(LENGTHS, st.integers(1, 64), st.integers(1, 2000))
def test_long_texts_are_not_padded(lengths: list[int], max_rows: int, budget: int) -> None:
    for batch in plan_batches(lengths, max_rows=max_rows, token_budget=budget):
        if lengths[batch[0]] >= LONG:
            assert len({lengths[index] for index in batch}) == 1


def test_longest_first_and_ties_as_given() -> None:
    assert plan_batches([3, 9, 3, 400], max_rows=2) == [[3], [1, 0], [2]]


def test_nothing_gives_no_batch() -> None:
    assert plan_batches([], max_rows=32) == []


def test_text_over_the_budget_goes_alone() -> None:
    assert plan_batches([TOKEN_BUDGET + 1, TOKEN_BUDGET + 1, 1], max_rows=32) == [[0], [1], [2]]

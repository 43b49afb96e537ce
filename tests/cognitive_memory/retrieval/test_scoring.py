from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cognitive_memory.core.local_time import Span
from cognitive_memory.core.memory import Origin
from cognitive_memory.retrieval.scoring import (
    COMPARED_CLOSELY,
    Candidate,
    Weights,
    hits,
    is_weak,
    relative,
    standing,
    with_tokens,
)
from tests.support.plain_memory import MEMORY, NOW

LOADED = replace(MEMORY, origin=Origin.DOCUMENT)


@given(st.dictionaries(st.integers(), st.floats(0, 1e6)), st.floats(0.1, 10))
def test_keywords_are_parts_of_the_best(scores: dict[int, float], least: float) -> None:
    parts = relative(scores, least)
    assert all(0 <= part <= 1 for part in parts.values())
    assert sorted(parts, key=lambda key: (parts[key], scores[key])) == sorted(
        scores, key=lambda key: scores[key]
    )
    if scores and max(scores.values()) >= least:
        assert max(parts.values()) == 1


def test_words_that_all_memories_have_count_little() -> None:
    assert relative({1: 1e-6, 2: 2e-6}, 1.0) == {1: 1e-6, 2: 2e-6}


def test_what_tokens_bring_does_not_depend_on_how_many_are_asked_for() -> None:
    many = [Candidate(key, 0.3, 0.5 - key / 1_000) for key in range(3 * COMPARED_CLOSELY)]
    near = {key: 1 / key for key in range(1, len(many))}
    commits = range(0, len(many), 2)
    few = with_tokens(many[:COMPARED_CLOSELY], near, Weights(), commits)
    assert with_tokens(many, near, Weights(), commits)[:COMPARED_CLOSELY] == few
    bring = {each.key: each.tokens for each in few}
    assert bring[0] < bring[2] < bring[1]


def test_an_importance_that_nobody_set_counts_nothing() -> None:
    assert standing(MEMORY, 0.5, Weights())["importance"] == 0
    assert standing(replace(MEMORY, importance=1.0), 0.5, Weights())["importance"] > 0
    assert standing(replace(MEMORY, importance=0.0), 0.5, Weights())["importance"] < 0


@pytest.mark.parametrize(
    "changes", [{"origin": Origin.STORED}, {"pinned": True}, {"importance": 1}]
)
def test_what_its_user_favours_is_before_what_fits_a_little_better(changes: dict[str, Any]) -> None:
    favoured = replace(LOADED, text="favoured", **changes)
    found = [(Candidate(1, 0.3, 0.4), LOADED), (Candidate(2, 0.3, 0.32), favoured)]
    assert [hit.memory.text for hit in hits(found, NOW, Weights())] == ["favoured", "text"]


def test_what_was_stored_by_hand_is_lifted_as_far_as_it_fits() -> None:
    stored = replace(MEMORY, text="stored")
    fits = [(Candidate(1, 0.35, 0.4), LOADED), (Candidate(2, 0.15, 0.35), stored)]
    assert [hit.memory.text for hit in hits(fits, NOW, Weights())] == ["stored", "text"]
    hardly = [(Candidate(1, 0.15, 0.3), LOADED), (Candidate(2, 0.0, 0.25), stored)]
    assert [hit.memory.text for hit in hits(hardly, NOW, Weights())] == ["text", "stored"]
    against = [(Candidate(1, 0.0, -0.11), LOADED), (Candidate(2, 0.0, -0.1), stored)]
    assert [hit.memory.text for hit in hits(against, NOW, Weights())] == ["stored", "text"]


def test_what_comes_after_a_question_answers_it() -> None:
    answer = replace(LOADED, text="answer", context="Which colour? ")
    found = [(Candidate(1, 0.2, 0.42), LOADED), (Candidate(2, 0.2, 0.4), answer)]
    assert [hit.memory.text for hit in hits(found, NOW, Weights())] == ["answer", "text"]


def test_what_explains_comes_before_what_tests_it() -> None:
    checks = replace(LOADED, text="checks", source="tests/test_a.py", metadata={"kind": "python"})
    found = [(Candidate(1, 0.2, 0.2), LOADED), (Candidate(2, 0.24, 0.24), checks)]
    assert [hit.memory.text for hit in hits(found, NOW, Weights())] == ["text", "checks"]
    assert [hit.memory.text for hit in hits(found, NOW, Weights(tests=0))] == ["checks", "text"]


def test_what_is_of_the_time_asked_for_comes_first_but_no_matter_what_it_says() -> None:
    then = replace(LOADED, text="then", created_at=NOW - timedelta(days=40))
    span = Span(NOW - timedelta(days=50), NOW - timedelta(days=30))
    found = [(Candidate(1, 0.2, 0.2), LOADED), (Candidate(2, 0.18, 0.18), then)]
    assert [hit.memory.text for hit in hits(found, NOW, Weights())] == ["text", "then"]
    assert [hit.memory.text for hit in hits(found, NOW, Weights(), [span])] == ["then", "text"]
    found = [(Candidate(1, 0.2, 0.2), LOADED), (Candidate(2, 0.1, 0.1), then)]
    assert [hit.memory.text for hit in hits(found, NOW, Weights(), [span])] == ["text", "then"]


def test_however_much_was_stored_the_better_answer_stays_in_sight() -> None:
    stored = [(Candidate(key, 0.2, 0.3), MEMORY) for key in range(100)]
    answers = hits([*stored, (Candidate(100, 0.25, 0.34), LOADED)], NOW, Weights())
    assert [hit.memory.origin for hit in answers[:3]] == ["stored", "document", "stored"]


def test_an_answer_that_rests_on_standing_alone_is_weak() -> None:
    stored = replace(MEMORY, pinned=True, importance=1.0)
    assert is_weak(hits([(Candidate(1, 0.1, 0.35), stored)], NOW, Weights()), 500, Weights())
    assert not is_weak(hits([(Candidate(1, 0.2, 0.35), LOADED)], NOW, Weights()), 500, Weights())
    assert not is_weak([], 500, Weights())


def test_among_a_few_memories_meaning_alone_tells_whether_an_answer_is_weak() -> None:
    assert is_weak(hits([(Candidate(1, 0.0, 0.15), MEMORY)], NOW, Weights()), 3, Weights())
    assert not is_weak(hits([(Candidate(1, 0.0, 0.3), MEMORY)], NOW, Weights()), 3, Weights())
    assert not is_weak(hits([(Candidate(1, 0.1, 0.0), MEMORY)], NOW, Weights()), 3, Weights())


@given(st.lists(st.tuples(st.floats(0, 0.35), st.floats(0, 0.65), st.booleans())))
@example([(0, 0.5, True), (0, 0.53, False)])
def test_where_all_was_stored_its_order_is_that_of_what_it_is_brought(
    scores: list[tuple[float, float, bool]],
) -> None:
    found = [
        (Candidate(key, words, meaning), replace(MEMORY, context="Why?" * answers))
        for key, (words, meaning, answers) in enumerate(scores)
    ]
    order = [round(hit.score - hit.parts["stored"], 9) for hit in hits(found, NOW, Weights())]
    assert order == sorted(order, reverse=True)

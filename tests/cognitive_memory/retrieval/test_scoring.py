from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognitive_memory.core.memory import Memory, MemoryType, Origin
from cognitive_memory.core.recall import Hit
from cognitive_memory.retrieval.scoring import (
    Weights,
    dedup_key,
    priors,
    recency,
    relative,
    without_duplicates,
)

NOW = datetime(2026, 11, 23, tzinfo=UTC)
MEMORY = Memory(
    id="00000000-0000-0000-0000-000000000000",
    text="text",
    type=MemoryType.EPISODE,
    tags=(),
    source=None,
    origin=Origin.STORED,
    context="",
    importance=0.5,
    pinned=False,
    created_at=NOW,
    updated_at=NOW,
    metadata={},
    content_hash="",
    revision=1,
    embedded=True,
)


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


def test_recency_halves_with_each_half_life() -> None:
    ages = (0, 90, 180, -5)
    found = [
        recency(replace(MEMORY, created_at=NOW - timedelta(days=age)), NOW, 90) for age in ages
    ]
    assert found == [1.0, 0.5, 0.25, 1.0]


def test_what_is_pinned_does_not_age() -> None:
    assert (
        recency(replace(MEMORY, created_at=NOW - timedelta(days=9000), pinned=True), NOW, 90) == 1.0
    )


def test_an_importance_that_nobody_set_counts_nothing() -> None:
    assert priors(MEMORY, NOW, Weights())["importance"] == 0
    assert priors(replace(MEMORY, importance=1.0), NOW, Weights())["importance"] > 0
    assert priors(replace(MEMORY, importance=0.0), NOW, Weights())["importance"] < 0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("We deploy on Fridays.", "we  deploy on\nfridays"),
        ('He said "yes"', "he said yes!"),
        ("ﬁle", "file"),
        ("...", "..."),
    ],
)
def test_alike(one: str, other: str) -> None:
    assert dedup_key(one) == dedup_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("timeout is -5", "timeout is 5"),
        ("version 1.2", "version 12"),
        ("use C", "use C++"),
        ("we do deploy", "we do not deploy"),
        ("...", "!!!"),
        ("किताब", "कताब"),
    ],
)
def test_different(one: str, other: str) -> None:
    assert dedup_key(one) != dedup_key(other)


def test_of_one_text_the_first_hit_stays() -> None:
    hits = [
        Hit(memory=replace(MEMORY, text=text), score=score, parts={})
        for text, score in (("A", 3), ("b", 2), ("a.", 1))
    ]
    assert [hit.score for hit in without_duplicates(hits)] == [3, 2]

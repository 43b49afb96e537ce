"""BM25 beside a plain one."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cognitive_memory.core.memory import NewMemory
from cognitive_memory.core.recall import EVERYTHING, RecallFilter
from cognitive_memory.retrieval.keywords import idf
from cognitive_memory.storage.bm25 import Term, _together, keyword_scores
from cognitive_memory.storage.store import MemoryStore

COLUMNS = (1.0, 0.4, 1.0, 1.0)
WORDS = ("canoe", "red", "river", "sun")  # each its own stem

_words = st.lists(st.sampled_from(WORDS), max_size=12)
_texts = st.lists(st.tuples(_words, _words), min_size=1, max_size=6)


def _plain(
    texts: Sequence[tuple[list[str], list[str]]], question: Counter[str], k1: float
) -> list[float]:
    """As textbooks have it, a word of the context counting 0.4."""
    lengths = [len(text) + len(context) for text, context in texts]
    average = sum(lengths) / len(lengths)
    scores = []
    for (text, context), length in zip(texts, lengths, strict=True):
        score = 0.0
        for word, times in question.items():
            having = sum(word in text + context for text, context in texts)
            often = text.count(word) + 0.4 * context.count(word)
            share = often / (often + k1 * (0.25 + 0.75 * length / average)) if often else 0.0
            score += times * idf(having, len(texts)) * (1 + k1) * share
        scores.append(score)
    return scores


@given(_texts, st.lists(st.sampled_from(WORDS), min_size=1), st.floats(0, 3))
@example([(["canoe"] * 9, ["canoe"]), (["red"], [])], ["canoe", "canoe"], 0.0)
def test_is_bm25_of_any_saturation(
    texts: list[tuple[list[str], list[str]]], words: list[str], k1: float
) -> None:
    question = Counter(words)
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(
            "CREATE VIRTUAL TABLE memory_words USING fts5 (text, context, tags, words)"
        )
        rows = [(" ".join(text), " ".join(context)) for text, context in texts]
        connection.executemany("INSERT INTO memory_words (text, context) VALUES (?, ?)", rows)
        having = {
            word: sum(word in f"{text} {context}" for text, context in rows) for word in words
        }
        terms = [
            Term(word, having[word], idf(having[word], len(texts)), question[word])
            for word in question
        ]
        scores = keyword_scores(
            connection, terms, EVERYTHING, total=len(texts), k1=k1, columns=COLUMNS, limit=100
        )
    expected = dict(enumerate(_plain(texts, question, k1), 1))
    assert scores == pytest.approx({key: each for key, each in expected.items() if each})
    assert list(scores.values()) == sorted(scores.values(), reverse=True)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MemoryStore]:
    store = MemoryStore(tmp_path / "memory.db", embedding_space=lambda: None)
    yield store
    store.close()


def _terms(canoe: int, red: int) -> list[Term]:
    return [Term("canoe", canoe, 1.0), Term("red", red, 2.0)]


def _found(
    store: MemoryStore,
    filter: RecallFilter = EVERYTHING,
    limit: int = 9,
    favoured: Collection[int] = (),
) -> list[str]:
    with store.reading() as reader:
        scores = keyword_scores(
            reader.connection,
            _terms(4, 2),
            filter,
            total=5,
            k1=0.4,
            columns=COLUMNS,
            limit=limit,
            favoured=favoured,
        )
        return [memory.text for memory in reader.memories(list(scores)).values()]


def test_favoured_ones_come_besides_the_best(store: MemoryStore) -> None:
    with store.writing() as writer:
        stored = writer.put(
            NewMemory(text=text, source=text[-1])
            for text in (
                "red canoe a",
                "red boat b",
                "a canoe of wood c",
                "a canoe of steel d",
                "sun e",
            )
        )
    keys = [item.key for item in stored]
    assert _found(store, limit=1) == ["red canoe a"]
    assert set(_found(store, limit=1, favoured={keys[2]})) == {"red canoe a", "a canoe of wood c"}
    only = RecallFilter(sources=frozenset({"b", "d"}))
    assert _found(store, only, favoured={keys[2]}) == ["red boat b", "a canoe of steel d"]


def test_frequent_words_count_in_what_rare_ones_found(store: MemoryStore) -> None:
    with store.writing() as writer:
        stored = writer.put(
            NewMemory(text=text)
            for text in ("red canoe", "red sun", "canoe 1", "canoe 2", "canoe 3")
        )
    assert _found(store, limit=2) == ["red canoe", "red sun"]
    assert _found(store, limit=2, favoured={stored[3].key}) == ["canoe 2", "red canoe", "red sun"]
    assert len(_found(store, limit=3)) == 3
    with store.reading() as reader:
        both, one = keyword_scores(
            reader.connection, _terms(4, 2), EVERYTHING, total=5, k1=0.4, columns=COLUMNS, limit=2
        ).values()
    assert both > one
    assert len(_found(store, RecallFilter(since=datetime(2020, 1, 1, tzinfo=UTC)), limit=4)) == 4


def test_what_counts_nothing_brings_nothing(store: MemoryStore) -> None:
    with store.writing() as writer:
        writer.put([NewMemory(text="a boat", context="canoe")])
    with store.reading() as reader:
        columns = (1.0, 0.0, 1.0, 1.0)
        scores = keyword_scores(
            reader.connection, _terms(1, 0), EVERYTHING, total=5, k1=0.4, columns=columns, limit=9
        )
    assert list(scores.values()) == [0]


def test_of_frequent_words_alone_memories_have_two_where_enough_do(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cognitive_memory.storage.bm25.MOST_SCORED", 1)
    with store.writing() as writer:
        stored = writer.put(
            NewMemory(text=text, tags=(tag,))
            for text, tag in (
                ("red canoe 1", "a"),
                ("a canoe on the river 2", "a"),
                ("a red sun 3", "b"),
                ("canoe 4", "b"),
                ("canoe 5", "b"),
            )
        )
    assert _found(store, limit=1) == ["red canoe 1"]
    assert _found(store, limit=1, favoured={stored[3].key}) == ["canoe 4", "red canoe 1"]
    assert len(_found(store, limit=2)) == 2, "too few have both"
    of_b = RecallFilter(tags=frozenset({"b"}))
    assert _found(store, of_b, limit=1) == ["a red sun 3"], "none of these has both"
    assert "a canoe on the river 2" not in _found(store, of_b, favoured={stored[1].key})
    of_both = RecallFilter(tags=frozenset({"a", "b"}))
    assert _found(store, of_both, limit=1) == ["red canoe 1"]
    since = RecallFilter(since=datetime(2020, 1, 1, tzinfo=UTC))
    assert _found(store, since, limit=1) == ["red canoe 1"]


@pytest.mark.parametrize("most", [0, 3, 30_000])
def test_a_filter_finds_the_same_however_many_pass_it(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr("cognitive_memory.storage.bm25.MOST_SCORED", most)
    with store.writing() as writer:
        writer.put(
            NewMemory(text=text, tags=("a", "b") if number % 2 else ("c",), source="s")
            for number, text in enumerate(["red canoe", "red canoe 1", "canoe", "red 3", "sun 4"])
        )
    both = RecallFilter(tags=frozenset({"a", "b"}))
    assert _found(store, both) == ["red canoe 1", "red 3"]
    assert _found(store, RecallFilter(sources=frozenset({"s"}))) == _found(store)
    assert _found(store, RecallFilter(tags=frozenset({"nobody's"}))) == []


def test_as_many_frequent_words_are_looked_for_together_as_leave_enough() -> None:
    a, b, c, d = (
        Term(word, often, 1.0) for word, often in zip("abcd", (60, 70, 80, 90), strict=True)
    )
    assert _together([a, b, c, d], 40, 100) == "a AND b"
    assert _together([a, b, c, d], 30, 100) == "a AND b AND c AND d"
    assert _together([a, b, c, d], 50, 100) == _together([d], 1, 100) == ""


@pytest.mark.parametrize("strange", [-5, 2**62])
def test_a_key_that_was_never_given_is_no_obstacle(strange: int) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(
            "CREATE VIRTUAL TABLE memory_words USING fts5 (text, context, tags, words)"
        )
        rows = [(1, "canoe red"), (2, "canoe"), (strange, "red")]
        connection.executemany("INSERT INTO memory_words (rowid, text) VALUES (?, ?)", rows)
        terms = [Term("canoe", 2, 0.5), Term("red", 2, 0.5)]
        found = [
            keyword_scores(
                connection,
                terms,
                EVERYTHING,
                total=3,
                k1=0.4,
                columns=COLUMNS,
                limit=limit,
                favoured=[strange],
            )
            for limit in (1, 100)
        ]
    assert found[0].keys() == {strange, 1}
    assert found[0].items() <= found[1].items()

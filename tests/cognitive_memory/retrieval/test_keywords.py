from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cognitive_memory.retrieval.keywords import MAX_COUNTED, MAX_TERMS, sought


@pytest.fixture(scope="module")
def index() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    connection.execute(
        "CREATE VIRTUAL TABLE words USING fts5 (text, tokenize = 'porter unicode61 remove_diacritics 2')"
    )
    yield connection
    connection.close()


def match_expression(question: str) -> str | None:
    """What is looked for where every term is as frequent as the others."""
    terms = sought(question)
    chosen = terms.most_telling(dict.fromkeys(terms.terms, 1), 10)
    return " OR ".join(term.match for term in chosen) or None


def matches(index: sqlite3.Connection, text: str, question: str) -> bool:
    index.execute("DELETE FROM words")
    index.execute("INSERT INTO words VALUES (?)", (text,))
    return (
        index.execute(
            "SELECT count(*) FROM words WHERE words MATCH ?", (match_expression(question),)
        ).fetchone()[0]
        == 1
    )


_HOSTILE = st.text(
    st.one_of(
        st.characters(codec="utf-8"), st.sampled_from("\"'*^:()-+{}[]\\_./ \0\u3000検ก한가\u0301")
    )
) | st.sampled_from(
    [
        "NEAR(a b, 2)",
        "a AND",
        "NOT",
        "OR OR",
        '"',
        '""',
        "a*",
        "^a",
        "text : a",
        "{text} : a",
        "a -b",
        "+",
        "_",
        "a.b_",
    ]
)


@given(question=_HOSTILE)
@example(question='"unbalanced AND (')
def test_no_text_is_a_syntax_error(question: str) -> None:
    connection = sqlite3.connect(":memory:")
    try:
        connection.execute(
            "CREATE VIRTUAL TABLE words USING fts5 (text, tokenize = 'porter unicode61')"
        )
        expression = match_expression(question)
        if expression is not None:
            connection.execute("SELECT * FROM words WHERE words MATCH ?", (expression,)).fetchall()
    finally:
        connection.close()


@given(st.lists(st.from_regex(r"[a-z]{4,9}", fullmatch=True), min_size=1, max_size=MAX_TERMS))
def test_a_text_is_found_by_any_of_its_words(words: list[str]) -> None:
    expression = match_expression(" ".join(words))
    assert expression is not None
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE VIRTUAL TABLE words USING fts5 (text)")
    connection.execute("INSERT INTO words VALUES (?)", (words[-1],))
    assert connection.execute(
        "SELECT count(*) FROM words WHERE words MATCH ?", (expression,)
    ).fetchone() == (1,)
    connection.close()


@pytest.mark.parametrize("question", ["", "   ", "?!", "🙂", "_", "--"])
def test_without_a_word_there_is_no_expression(question: str) -> None:
    assert match_expression(question) is None


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("We deployed on Friday", "deploying"),
        ("Die Straße ist gesperrt", "strasse STRAßE"),
        ("Café in Zürich", "cafe zurich"),
        ("call get_user_name first", "user"),
        ("call get_user_name first", "get_user_name"),
        ("get user name", "getUserName"),
        ("see docs/guide.md", "docs/guide.md"),
        ("検索 索す する", "検索"),
        ("検索 索す する", "検"),
        ("who was it", "who"),
    ],
)
def test_found(index: sqlite3.Connection, text: str, question: str) -> None:
    assert matches(index, text, question)


@pytest.mark.parametrize(
    ("text", "question"),
    [("the cat and the dog", "what is the weather"), ("alpha", "al*"), ("alpha beta", "NOT gamma")],
)
def test_not_found(index: sqlite3.Connection, text: str, question: str) -> None:
    assert not matches(index, text, question)


def test_a_long_question_has_a_bounded_number_of_terms() -> None:
    expression = match_expression(" ".join(f"word{number}" for number in range(1000)))
    assert expression is not None
    assert expression.count(" OR ") == MAX_TERMS - 1


def test_of_a_long_question_the_rarest_terms_are_looked_for() -> None:
    words = [f"{letter}{letter}" for letter in "bcdfghjklmnpqrstvwxzaeiouy"]
    frequencies = {f'"{word}"': 90 for word in words} | {'"zz"': 2, '"yy"': 3, '"uu"': 0}
    chosen = [term.match for term in sought(" ".join(words)).most_telling(frequencies, 100)]
    assert chosen[:2] == ['"zz"', '"yy"']
    assert len(chosen) == MAX_TERMS
    assert '"uu"' not in chosen
    few = sought("common rare").most_telling({'"common"': 40, '"rare"': 0}, 100)
    assert [term.match for term in few] == ['"common"', '"rare"']


def test_a_title_is_not_lost_below_what_follows_it() -> None:
    """A pasted issue: compounds and names of a traceback are rarer than the words of its title."""
    trace = "\n".join(f"File src/module_{number}.py in call{number}" for number in range(400))
    terms = sought(f"Property of a Literal is unset\n{trace}")
    frequencies = {term: 1 if "module" in term or "call" in term else 9 for term in terms.terms}
    chosen = terms.most_telling(frequencies, 1000)
    assert len(terms.terms) == MAX_COUNTED
    assert len(chosen) == MAX_TERMS
    twice = {term.match for term in chosen if term.counts == 2}
    assert twice == {'"property"', '"literal"', '"unset"'}


def test_a_word_counts_once() -> None:
    assert match_expression("retry Retry RETRY") == '"retry"'

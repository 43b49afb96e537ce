from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognitive_memory.core.excerpt import OMISSION, excerpt, excerpt_in_tokens
from cognitive_memory.core.tokens import tokens

FILLER = "The weather was fine and the sea was calm all day. " * 100
TOLD = "The parser was written by hand, since the generated one was slow."
LONG = f"{FILLER}\n\n{TOLD}\n\n{FILLER}"


@pytest.mark.parametrize("characters", [100, 200, 600, 3000])
@pytest.mark.parametrize(
    "question", ["why is the parser written by hand?", "PARSERS", "generated parsing"]
)
def test_what_was_asked_for_stands_in_it(characters: int, question: str) -> None:
    part = excerpt(LONG, question, characters)
    assert TOLD in part.text
    assert not part.whole
    assert len(part.text) <= characters + 4
    assert part.text.startswith(OMISSION)
    assert part.text.endswith(OMISSION)


def test_rare_words_go_before_frequent_ones() -> None:
    text = f"the day was fine {FILLER} the mast is of oak {FILLER}"
    assert "the mast is of oak" in excerpt(text, "the fine day of the oak", 100).text


def test_of_several_places_that_with_most_words_is_shown() -> None:
    text = (
        f"A parser. {FILLER} A slow parser here. {FILLER} A parser that was slow by hand. {FILLER}"
    )
    assert "that was slow by hand" in excerpt(text, "parser slow hand", 80).text


def test_without_a_word_of_the_question_it_is_the_beginning() -> None:
    for question in ("", "zebra", "?!"):
        part = excerpt(LONG, question, 60)
        assert part.text == "The weather was fine and the sea was calm all day. The …"


def test_scripts_without_blanks() -> None:
    text = (
        "我们决定使用手写的解析器。" * 40
        + "数据库每天晚上备份一次。"
        + "我们决定使用手写的解析器。" * 40
    )
    assert "数据库每天晚上备份" in excerpt(text, "数据库什么时候备份", 40).text


def test_an_accent_stays_with_its_letter() -> None:
    part = excerpt("e\u0301" * 500, "", 101)
    assert part.text.removesuffix(f" {OMISSION}") == "e\u0301" * 50


words = st.text("abc deé,.\n", min_size=0, max_size=400)


@given(words, st.text("abcdeé ", max_size=20), st.integers(1, 300))
def test_it_is_a_part_of_the_text_and_cuts_no_word(text: str, question: str, most: int) -> None:
    part = excerpt(text, question, most)
    inner = part.text.removeprefix(f"{OMISSION} ").removesuffix(f" {OMISSION}")
    assert inner in text
    assert part.whole == (part.text.strip() == text.strip() and OMISSION not in part.text)
    assert len(part.text) <= most + 4 or part.whole
    if not part.whole and max(map(len, re.findall(r"\S+", text)), default=0) <= min(most // 4, 60):
        assert set(inner.split()) <= set(text.split())


@given(st.text(max_size=400), st.text(max_size=20), st.integers(4, 100))
def test_it_costs_no_more_tokens_than_allowed(text: str, question: str, most: int) -> None:
    part = excerpt_in_tokens(text, question, most)
    assert tokens(part.text) <= max(most, 12)

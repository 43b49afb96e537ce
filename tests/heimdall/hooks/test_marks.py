from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heimdall.hooks.marks import LONGEST, MOST_MARKS, marks, without_private


def marked(text: str, *, by_user: bool = True) -> list[tuple[str, str]]:
    return [(mark.text, mark.tags[0]) for mark in marks(text, by_user=by_user)]


@pytest.mark.parametrize(
    ("said", "kept", "tag"),
    [
        ("remember that the sky is green", "The sky is green", "remember"),
        ("Remember: use tabs.", "Use tabs.", "remember"),
        ("please remember to run make lint", "Run make lint", "remember"),
        ("Thanks! Don't forget that dates are UTC", "Dates are UTC", "remember"),
        ("- **Remember that** bold text counts", "Bold text counts", "remember"),
        ("bitte merk dir, dass der Himmel grün ist", "Der Himmel grün ist", "remember"),
        ("recuerda que el cielo es verde", "El cielo es verde", "remember"),
        ("记住:天空是绿色的,不要改变它", "天空是绿色的,不要改变它", "remember"),
        ("From now on, write tests first.", "From now on, write tests first.", "preference"),
        ("I prefer short names", "I prefer short names", "preference"),
        ("Never push on Fridays.", "Never push on Fridays.", "preference"),
        ("ok, we decided to drop 3.9", "Ok, we decided to drop 3.9", "decision"),
        (
            "we've agreed on Redis\nsince it is there",
            "We've agreed on Redis\nsince it is there",
            "decision",
        ),
        ("Decision: cache for 60 seconds.", "Decision: cache for 60 seconds.", "decision"),
    ],
)
def test_what_is_marked(said: str, kept: str, tag: str) -> None:
    assert marked(said) == [(kept, tag)]
    assert marked(f"Do that.\n\n{said}\n\nThen go on.") == [(kept, tag)]


@pytest.mark.parametrize(
    "said",
    [
        "do you remember that thing we did?",
        "remember that bug?",
        "I don't remember that function",
        "the cache does not remember that state",
        "never mind",
        "always fails here",
        "we decided nothing yet?",
        "> remember that quoted text is somebody else's",
        "```\nremember that code is code\n```",
        "<note>remember that a program wrote this</note>",
        "remember that",
        "remember: x",
    ],
)
def test_what_is_not(said: str) -> None:
    assert marked(said) == []


def test_only_decisions_count_in_an_assistants_words() -> None:
    assert marked("Remember that I am an assistant.", by_user=False) == []
    assert marked("From now on I will be brief.", by_user=False) == []
    assert marked("So we decided to use Redis.", by_user=False)[0][1] == "decision"


def test_what_is_kept_is_bounded() -> None:
    ((kept, _),) = marked("remember that " + "word " * 10_000)
    assert len(kept) <= LONGEST + 2
    assert (
        len(marked("\n\n".join(f"remember that number {n} counts" for n in range(50))))
        == MOST_MARKS
    )


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a <private>b\nc</private> d", "a  d"),
        ("a <PRIVATE>b</Private> d", "a  d"),
        ("a <private>b c", "a "),
        ("a < b", "a < b"),
    ],
)
def test_what_is_private_is_left_out(text: str, left: str) -> None:
    assert without_private(text) == left


@given(st.text(st.sampled_from("remember that we decided <private> >`\n.:,-*1? "), max_size=300))
def test_any_text_is_read(text: str) -> None:
    for by_user in (True, False):
        for mark in marks(without_private(text), by_user=by_user):
            assert mark.text.strip()
            assert len(mark.text) <= LONGEST + 2


def test_time_is_linear_in_the_texts_length() -> None:
    pieces = 'and |so |remember |please |we have |(|  |\t|\n|`|- |<private>|1|a. |never |"'
    for piece in pieces.split("|"):
        marked(piece * 50_000)

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from heimdall.cli.wrapping import cut, cut_before, width, wrapped

WORDS = st.text(
    alphabet=st.one_of(
        st.sampled_from("ab .,-日本語、。「」한국어éé👍👩\u200d💻🏽🇩🇪️́क्षि"),
        st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]),
    ),
    max_size=300,
)


@given(st.text(alphabet="ab \u65e5\u0301", max_size=200), st.integers(1, 30))
def test_wrapped_lines_fit_unless_a_word_does_not(text: str, room: int) -> None:
    lines = wrapped(text, room)
    assert " ".join(lines).split() == text.split()
    for line in lines:
        assert width(line) <= room or " " not in line.strip()


@given(WORDS, st.integers(4, 120))
def test_folded_lines_fit_and_lose_nothing(text: str, room: int) -> None:
    lines = wrapped(text, room, fold=True)
    assert "".join("".join(lines).split(" ")) == "".join(text.split(" "))
    for line in lines:
        assert width(line) <= room or _clusters_at_most_one(line)


@given(
    st.lists(st.text(alphabet="abcdef-/_.", min_size=1, max_size=20), max_size=60),
    st.integers(20, 120),
)
def test_no_word_is_broken_that_fits(words: list[str], room: int) -> None:
    assert [
        word for line in wrapped(" ".join(words), room, fold=True) for word in line.split()
    ] == words


@given(WORDS, st.integers(4, 80))
def test_no_line_begins_with_what_belongs_to_the_character_before(text: str, room: int) -> None:
    for line in wrapped(text, room, fold=True)[1:]:
        assert unicodedata.category(line[:1] or " ") not in {"Mn", "Me", "Mc"} or _begins_a_word(
            text, line
        )


@given(WORDS, st.integers(4, 80))
def test_what_is_cut_fits(text: str, room: int) -> None:
    for short in (cut(text, room), cut_before(text, room)):
        assert width(short) <= room
        assert (short == text) == (width(text) <= room)


def test_signs_stay_where_they_belong() -> None:
    assert wrapped("日本語「検索」。", 10, fold=True) == ["日本語「検", "索」。"]
    assert wrapped("see /a/long/path here", 8, fold=True) == ["see", "/a/long/", "path", "here"]
    assert wrapped("👩\u200d💻👩\u200d💻👩\u200d💻", 4, fold=True)[0].startswith("👩\u200d💻")


def _clusters_at_most_one(line: str) -> bool:
    """A character with all that is written upon it is never broken."""
    return sum(width(character) > 0 for character in line) <= 2 or "\u200d" in line


def _begins_a_word(text: str, line: str) -> bool:
    return text.startswith(line[0]) or f" {line[0]}" in text

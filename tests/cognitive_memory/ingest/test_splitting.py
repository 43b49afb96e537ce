from __future__ import annotations

import re
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from cognitive_memory.ingest.splitting import LINES, PROSE, estimate_tokens, split
from tests.cognitive_memory.ingest.texts import texts


@given(text=texts(), bound=st.integers(1, 40), places=st.sampled_from([PROSE, LINES]))
def test_nothing_is_lost_and_no_piece_is_longer_than_the_bound(
    text: str, bound: int, places: Sequence[re.Pattern[str]]
) -> None:
    pieces = split(text, bound, places)
    assert "".join(pieces) == text
    assert max(map(estimate_tokens, pieces)) <= bound


def test_prose_is_cut_at_the_ends_of_sentences() -> None:
    text = "One two three four. Five six seven eight! Nine ten eleven twelve?\nThirteen."
    assert split(text, 6) == [
        "One two three four. ",
        "Five six seven eight! ",
        "Nine ten eleven twelve?\n",
        "Thirteen.",
    ]


def test_paragraphs_are_cut_before_sentences() -> None:
    assert split("One. Two.\n\nThree. Four.", 5) == ["One. Two.\n\n", "Three. Four."]


def test_code_is_cut_at_the_ends_of_lines() -> None:
    assert split("first. line\nsecond line\n", 4, LINES) == ["first. line\n", "second line\n"]


def test_pieces_are_of_about_the_same_size() -> None:
    pieces = split("word. " * 105, 100)
    assert [estimate_tokens(piece) for piece in pieces] == [70, 70, 70]


def test_a_word_that_is_too_long_is_cut() -> None:
    assert split("abcdefghijklmnop", 2) == ["abcdefghijkl", "mnop"]

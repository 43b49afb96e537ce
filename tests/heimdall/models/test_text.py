from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heimdall.models.text import megabytes, printable


@given(st.text())
def test_nothing_printable_moves_a_cursor(text: str) -> None:
    shown = printable(text)
    assert len(shown) == len(text)
    assert all(
        character.isprintable() or character in "\u200c\u200d" or "\udc80" <= character <= "\udcff"
        for character in shown
    )


@given(st.text(st.characters(exclude_categories=["C", "Z"])))
def test_ordinary_text_is_kept(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0.0 kB"), (99_999, "100.0 kB"), (100_000, "0.1 MB"), (90_868_376, "90.9 MB")],
)
def test_megabytes(count: int, text: str) -> None:
    assert megabytes(count) == text

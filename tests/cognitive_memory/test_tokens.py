from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognitive_memory.core.tokens import tokens

COUNTED = {
    "Wir haben uns für einen handgeschriebenen Parser entschieden, weil der erzeugte zu langsam war.": 24,
    "我们决定在这个项目中使用手写的解析器，因为生成的解析器太慢，而且很难调试。": 40,  # noqa: RUF001
    "このプロジェクトでは、生成されたパーサーが遅すぎたため、手書きのパーサーを使用することにしました。": 44,
    "Мы решили использовать в этом проекте рукописный парсер.": 23,
    "8712b8bc-0f3e-4c7e-9a3b-2d1e0f9c8b7a": 33,
    'def get(self, memory_id: str) -> Memory:\n    return self.by_id[memory_id]["text"]\n': 23,
}
"""Texts, and how many tokens the worse of o200k_base and cl100k_base makes of them."""


@pytest.mark.parametrize(("text", "counted"), COUNTED.items())
def test_no_less_than_a_tokenizer_counts(text: str, counted: int) -> None:
    assert counted <= tokens(text) <= 2.3 * counted


@given(st.text(), st.text(), st.integers(0, 50))
def test_counts_add_up_and_stop_early(one: str, two: str, most: int) -> None:
    whole = tokens(one + " " + two)
    assert max(tokens(one), tokens(two)) <= whole <= tokens(one) + tokens(two) + 2
    assert tokens(one, most) <= tokens(one)
    assert (tokens(one, most) > most) == (tokens(one) > most)

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognitive_memory.core.search_words import (
    character_pairs,
    date_words,
    identifier_parts,
    search_words,
    without_runs,
)

MAY = datetime(2023, 5, 8, 13, 56, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("getUserName", ["get", "User", "Name"]),
        ("HTTPServer2 runs", ["HTTP", "Server", "2"]),
        ("parseJSON(body)", ["parse", "JSON"]),
        ("plain words, USA and snake_case", []),
        ("Émile", []),
        ("readÉtat", []),
    ],
)
def test_parts_of_identifiers(text: str, parts: list[str]) -> None:
    assert identifier_parts(text) == parts


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("検索する", ["検索", "索す", "する"]),
        ("犬", ["犬"]),
        ("서버를 재시작", ["서버", "버를", "재시", "시작"]),
        ("ｶﾀｶﾅ", ["カタ", "タカ", "カナ"]),
        ("latin only", []),
        ("the 検索 index", ["検索"]),
    ],
)
def test_pairs_of_characters(text: str, pairs: list[str]) -> None:
    assert character_pairs(text) == pairs


@given(st.text())
def test_nothing_is_both_a_word_and_a_pair(text: str) -> None:
    assert character_pairs(without_runs(text)) == []


def test_a_date_is_written_as_people_do() -> None:
    assert date_words(MAY) == "8 May 2023"


def test_words_of_a_memory() -> None:
    assert search_words("call getName", "検索", MAY) == "get Name 検索 8 May 2023"

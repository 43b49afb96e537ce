from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from cognitive_memory.encoding.errors import EmptyTextError
from cognitive_memory.encoding.tokenization import TOKENIZER_NAME, TextTokenizer, beginning
from tests.support.real_model import require_real_model

pytestmark = pytest.mark.model

CLS, SEP = 101, 102
"""The special tokens of BERT's uncased vocabulary."""


@pytest.fixture(scope="module")
def tokenize(model_directory: Path) -> TextTokenizer:
    return TextTokenizer(model_directory, 512)


def test_ids_are_those_of_the_vocabulary(tokenize: TextTokenizer) -> None:
    (ids,), _, cut = tokenize(["Hello, world!"])
    assert cut == []
    assert ids.dtype == np.int64
    assert ids.tolist() == [CLS, 7592, 1010, 2088, 999, SEP]


def test_texts_keep_their_own_length(tokenize: TextTokenizer) -> None:
    """Upstream's file pads every text to 128 tokens and cuts it there."""
    rows, _, cut = tokenize(
        ["one", "one two three", "word " * 200, "word " * 510, "word " * 511, "word " * 9000]
    )
    assert [len(ids) for ids in rows] == [3, 5, 202, 512, 512, 512]
    assert cut == [4, 5]


def test_cutting_keeps_the_beginning_and_the_last_special_token(model_directory: Path) -> None:
    tokenize = TextTokenizer(model_directory, 8)
    (whole, cut), *_ = tokenize(
        ["one two three four five six", "one two three four five six seven eight"]
    )
    assert cut.tolist() == whole.tolist()
    assert (cut[0], cut[-1], len(cut)) == (CLS, SEP, 8)


@pytest.mark.parametrize("text", ["\x00\x01\x7f", "\u200b\ufeff", "\u0301", "\u00ad"])
def test_text_of_which_nothing_is_left_is_refused(tokenize: TextTokenizer, text: str) -> None:
    with pytest.raises(EmptyTextError, match="text 1 holds nothing to embed"):
        tokenize(["fine", text])
    with pytest.raises(EmptyTextError, match="the text holds nothing"):
        tokenize([text], first=None)
    with pytest.raises(EmptyTextError, match="text 41 holds nothing"):
        tokenize([text], first=41)


PIECES = st.one_of(
    st.sampled_from(
        [
            " ",
            "\n",
            "\t",
            "\u3000",
            "word",
            "x" * 150,
            "é",
            "\u0301",
            "中文",
            "-",
            "[SEP]",
            "\x00",
            " " * 90,
        ]
    ),
    st.text(max_size=12),
)


@pytest.fixture(scope="module")
def whole(model_directory: Path) -> Tokenizer:
    """Which looks at all of a text."""
    plain = Tokenizer.from_file(str(model_directory / TOKENIZER_NAME))
    plain.no_padding()
    plain.no_truncation()
    return plain


@pytest.fixture(scope="module")
def of_length(model_directory: Path) -> Callable[[int], TextTokenizer]:
    return cache(lambda length: TextTokenizer(model_directory, length))


@settings(max_examples=60)
@given(st.lists(PIECES, max_size=120), st.integers(3, 12))
def test_looking_at_the_beginning_alone_gives_the_same_ids(
    whole: Tokenizer, of_length: Callable[[int], TextTokenizer], pieces: list[str], max_length: int
) -> None:
    text = "a" + "".join(pieces)
    all_ids = whole.encode(text).ids
    expected = all_ids if len(all_ids) <= max_length else [*all_ids[: max_length - 1], SEP]
    (ids,), _, cut = of_length(max_length)([text])
    assert ids.tolist() == expected
    assert bool(cut) == (len(all_ids) > max_length)


def test_a_huge_text_is_not_tokenised_to_its_end(tokenize: TextTokenizer) -> None:
    text = "word " * 4_000_000
    (ids,), _, cut = tokenize([text])
    assert (len(ids), cut) == (512, [0])
    assert len(beginning(text, 4096)) == 4094


@pytest.mark.parametrize(
    ("text", "expected"),
    [("one two", "one two"), ("one two three", "one"), ("o" * 9, ""), (" x" * 9, " x x x")],
)
def test_beginning_ends_with_a_whole_word(text: str, expected: str) -> None:
    assert beginning(text, 7) == expected


@given(st.integers(1, 60), st.integers(1, 4))
def test_a_long_text_is_read_in_windows_of_like_length(
    tokenize: TextTokenizer, words: int, most: int
) -> None:
    """Nothing is lost or read twice, and every window looks like a text."""
    windowed = _tokenizer_of_twelve(most)
    rows, owners, cut = windowed(["short", "word " * words, "also short"])
    (whole,), *_ = tokenize(["word " * words])
    middle = [row for row, owner in zip(rows, owners, strict=True) if owner == 1]
    assert (len(rows[0]), len(rows[-1]), owners[0], owners[-1]) == (3, 4, 0, 2)
    assert all((row[0], row[-1]) == (CLS, SEP) and len(row) <= 12 for row in middle)
    assert max(map(len, middle)) - min(map(len, middle)) <= 1
    assert len(middle) == min(most, -(-words // 10))
    assert [token for row in middle for token in row[1:-1]] == whole[1:-1].tolist()[: most * 10]
    assert cut == ([1] if words > most * 10 else [])


@cache
def _tokenizer_of_twelve(most_windows: int) -> TextTokenizer:
    return TextTokenizer(require_real_model(), 12, most_windows=most_windows)

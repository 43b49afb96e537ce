from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cognitive_memory.encoding.errors import EmptyTextError
from cognitive_memory.encoding.tokenization import TextTokenizer

pytestmark = pytest.mark.model

CLS, SEP = 101, 102
"""The special tokens of BERT's uncased vocabulary."""


@pytest.fixture
def tokenize(model_directory: Path) -> TextTokenizer:
    return TextTokenizer(model_directory, 512)


def test_ids_are_those_of_the_vocabulary(tokenize: TextTokenizer) -> None:
    (ids,) = tokenize(["Hello, world!"])
    assert ids.dtype == np.int64
    assert ids.tolist() == [CLS, 7592, 1010, 2088, 999, SEP]


def test_texts_keep_their_own_length(tokenize: TextTokenizer) -> None:
    """Upstream's file pads every text to 128 tokens and cuts it there."""
    lengths = [len(ids) for ids in tokenize(["one", "one two three", "word " * 200, "word " * 510, "word " * 2000])]
    assert lengths == [3, 5, 202, 512, 512]


def test_cutting_keeps_the_beginning_and_the_last_special_token(model_directory: Path) -> None:
    tokenize = TextTokenizer(model_directory, 8)
    whole, cut = tokenize(["one two three four five six", "one two three four five six seven eight"])
    assert cut.tolist() == whole.tolist()
    assert (cut[0], cut[-1], len(cut)) == (CLS, SEP, 8)


@pytest.mark.parametrize("text", ["\x00\x01\x7f", "\u200b\ufeff", "\u0301", "\u00ad"])
def test_text_of_which_nothing_is_left_is_refused(tokenize: TextTokenizer, text: str) -> None:
    with pytest.raises(EmptyTextError, match="text 1 holds nothing to embed"):
        tokenize(["fine", text])
    with pytest.raises(EmptyTextError, match="the text holds nothing"):
        tokenize([text], alone=True)

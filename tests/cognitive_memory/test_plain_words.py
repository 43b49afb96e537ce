from __future__ import annotations

import json
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from cognitive_memory.encoding import plain_words
from cognitive_memory.encoding.plain_words import MOST_CHARACTERS, PlainWords
from cognitive_memory.encoding.tokenization import TOKENIZER_NAME, TextTokenizer
from tests.benchmarks.corpus import mixed_texts
from tests.support.real_model import DIRECTORY, ROOT

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def plain(model_directory: Path) -> PlainWords:
    return PlainWords(model_directory / TOKENIZER_NAME)


@pytest.fixture(scope="module")
def library(model_directory: Path) -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(model_directory / TOKENIZER_NAME))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def test_sentences_have_the_librarys_ids(plain: PlainWords, library: Tokenizer) -> None:
    documents = [path.read_text("utf-8").splitlines() for path in (ROOT / "docs").glob("*.md")]
    source = [
        path.read_text("utf-8").splitlines() for path in (ROOT / "cognitive_memory").rglob("*.py")
    ]
    texts = [line for lines in documents + source for line in lines] + mixed_texts(200)
    looked_at = [(text, ids) for text in texts if (ids := plain.ids(text)) is not None]
    assert len(looked_at) > 10_000
    encodings = library.encode_batch_fast([text for text, _ in looked_at])
    assert [encoding.ids for encoding in encodings] == [ids for _, ids in looked_at]


@given(st.text(string.printable, max_size=60) | st.text(max_size=20))
def test_any_text_has_the_librarys_ids_or_is_left_to_it(
    plain: PlainWords, library: Tokenizer, text: str
) -> None:
    assert plain.ids(text) in (None, library.encode(text).ids)


@pytest.mark.parametrize(
    "text", ["[SEP]", "é", "a\rb", "a\x00b", "中", "a" * (MOST_CHARACTERS + 1)]
)
def test_what_is_not_plain_is_left_to_the_library(plain: PlainWords, text: str) -> None:
    assert plain.ids(text) is None


def test_long_words_are_unknown(plain: PlainWords, library: Tokenizer) -> None:
    for text in ("a" * 100, "a" * 101, "qzqzqzqz" * 12):
        assert plain.ids(text) == library.encode(text).ids


def test_other_tokenizers_are_left_to_the_library(tmp_path: Path) -> None:
    document = json.loads((DIRECTORY / TOKENIZER_NAME).read_bytes())
    document["normalizer"]["lowercase"] = False
    (tmp_path / TOKENIZER_NAME).parent.mkdir()
    (tmp_path / TOKENIZER_NAME).write_text(json.dumps(document, separators=(",", ":")))
    with pytest.raises(ValueError, match="no tokenizer of plain words"):
        PlainWords(tmp_path / TOKENIZER_NAME)
    (row,) = TextTokenizer(tmp_path, 512)(["Hello"]).rows
    assert (
        row.tolist() == Tokenizer.from_file(str(tmp_path / TOKENIZER_NAME)).encode("Hello").ids[:3]
    )


def test_a_question_and_its_title_need_no_library(
    model_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TextTokenizer, "_library", property(lambda _: pytest.fail("loaded")))
    tokenize = TextTokenizer(model_directory, 512)
    assert [len(row) for row in tokenize(["where is it", "it"]).rows] == [5, 3]


def test_a_file_that_the_library_did_not_write_is_left_to_it(tmp_path: Path) -> None:
    document = json.loads((DIRECTORY / TOKENIZER_NAME).read_bytes())
    for text in (
        json.dumps(document, indent=2),
        json.dumps(dict(reversed(document.items())), separators=(",", ":")),
        "{}",
    ):
        (tmp_path / "tokenizer.json").write_text(text)
        with pytest.raises(ValueError, match=r"not as the tokenizers library writes it"):
            PlainWords(tmp_path / "tokenizer.json")


def test_what_is_looked_for_is_what_parsing_finds(
    plain: PlainWords, model_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plain_words, "_LOOKED_FOR", 10**9)
    looked_for = PlainWords(model_directory / TOKENIZER_NAME)
    tokens = [*plain.vocabulary._ids][::100]
    marks = "".join(filter(plain_words._PLAIN.fullmatch, string.printable))
    for text in (marks, *mixed_texts(5), *tokens):
        assert looked_for.ids(text) == plain.ids(text)
    assert [looked_for.vocabulary.id_of(f"{token}|") for token in tokens] == [None] * len(tokens)
    assert "_ids" not in vars(looked_for.vocabulary)


def test_tokens_of_a_text_are_known_by_their_ids(plain: PlainWords, library: Tokenizer) -> None:
    ids = plain.ids('How is "heimdallish" \\ spelt, downloaded?')
    assert ids is not None
    assert [plain.vocabulary.token_of(each) for each in ids] == [*map(library.id_to_token, ids)]
    assert plain.vocabulary.token_of(1) is None

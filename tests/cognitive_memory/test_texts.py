from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognitive_memory.encoding.errors import (
    EmptyTextError,
    ModelLoadError,
    TextError,
    TextTypeError,
)
from cognitive_memory.encoding.texts import check_text, check_texts
from heimdall import HeimdallError
from heimdall.models import ModelError


@given(st.text(), st.characters(categories=["L", "N", "P", "S"]), st.text())
def test_valid_text_comes_back_as_it_is(before: str, meaning: str, after: str) -> None:
    text = before + meaning + after
    assert check_text(text) is text


@pytest.mark.parametrize("text", ["", " ", "\n\t  \r\n", "\u3000\u00a0"])
def test_empty_and_blank_texts_are_refused(text: str) -> None:
    with pytest.raises(EmptyTextError, match="nothing to embed"):
        check_text(text)


@pytest.mark.parametrize("value", [None, 3, b"bytes", ["text"], float("nan")])
def test_other_types_are_named(value: object) -> None:
    with pytest.raises(
        TextTypeError, match=f"the text is of type {type(value).__name__}, expected str"
    ):
        check_text(value)


def test_lone_surrogate_is_named_with_its_place() -> None:
    with pytest.raises(TextError, match=r"lone surrogate \(U\+DC80\) at character 3") as caught:
        check_text("abc\udc80")
    assert type(caught.value) is TextError


def test_place_among_several_is_named() -> None:
    with pytest.raises(TextTypeError, match="text 2 is of type int") as caught:
        check_texts(["a", "b", 3])  # type: ignore[list-item]
    assert caught.value.index == 2


def test_any_iterable_will_do() -> None:
    assert check_texts(word for word in ("a", "b")) == ["a", "b"]
    assert check_texts(()) == []
    assert check_texts({"a": 1, "b": 2}.keys()) == ["a", "b"]


def test_one_str_is_not_taken_for_its_letters() -> None:
    with pytest.raises(TextTypeError, match=r"encode_batch\(\[text\]\)"):
        check_texts("abc")


@pytest.mark.parametrize("value", [None, 3, {"key": "value"}, {"a", "b"}, frozenset("a")])
def test_what_can_not_be_walked_through_is_refused(value: object) -> None:
    with pytest.raises(
        TextTypeError, match=f"of type {type(value).__name__}, expected an iterable of str"
    ):
        check_texts(value)  # type: ignore[arg-type]


def test_errors_can_be_caught_by_what_they_are() -> None:
    assert issubclass(TextError, (HeimdallError, ValueError))
    assert issubclass(TextTypeError, TypeError)
    assert issubclass(ModelLoadError, ModelError)


@pytest.mark.parametrize(
    "error",
    [
        TextError(3, "is bad"),
        EmptyTextError(None, "is empty"),
        TextTypeError(0, "is 3"),
        ModelLoadError("d", "r"),
    ],
)
def test_errors_survive_pickling(error: HeimdallError) -> None:
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 (made here)
    assert type(copy) is type(error)
    assert vars(copy) == vars(error)
    assert str(copy) == str(error)

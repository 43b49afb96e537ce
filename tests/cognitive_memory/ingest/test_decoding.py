from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognitive_memory.ingest.decoding import decode


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", ""),
        ("é\r\nb\rc".encode(), "é\nb\nc"),
        (b"\xef\xbb\xbfmark", "mark"),
        ("é".encode("utf-16"), "é"),
        (b"\xff\xfe" + "é".encode("utf-16-le"), "é"),
    ],
)
def test_utf_8_and_utf_16(content: bytes, text: str) -> None:
    assert decode(content) == (text, None)


def test_an_old_encoding_is_read_as_far_as_it_can_be_and_said() -> None:
    decoded = decode(("plain words, many of them\n" * 3 + "caf\xe9\n").encode("latin-1"))
    assert decoded is not None
    text, problem = decoded
    assert text.endswith("caf\ufffd\n")
    assert (
        problem
        == "is not UTF-8 (byte 0xE9 in line 4); 1 unreadable places were loaded as \ufffd: convert it to UTF-8"
    )


@pytest.mark.parametrize("content", [b"a\0b", bytes(range(128, 256)) * 4, b"\x1f\x8b\x08\x00"])
def test_binary_is_refused(content: bytes) -> None:
    assert decode(content) is None


@given(st.binary())
def test_whatever_comes_gives_text_that_can_be_stored_or_nothing(content: bytes) -> None:
    decoded = decode(content)
    if decoded is not None:
        text, _ = decoded
        text.encode()
        assert "\r" not in text
        assert "\0" not in text

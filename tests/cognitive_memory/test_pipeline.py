"""Streaming: order, bounds, what happens when reading or embedding goes wrong."""

from __future__ import annotations

import logging
import threading
from collections.abc import Generator, Iterator

import numpy as np
import pytest

from cognitive_memory.encoding import Block, EmptyTextError, Encoder, TextError
from cognitive_memory.encoding import texts as texts_module
from cognitive_memory.encoding.texts import windows
from tests.support.near import assert_near

pytestmark = pytest.mark.model

LONG = "word " * 600


@pytest.fixture
def small_windows(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(texts_module, "WINDOW_TEXTS", 4)
    return 4


def numbered(count: int) -> list[str]:
    return [f"text number {index} " * (1 + index % 7) for index in range(count)]


def no_worker_is_left() -> bool:
    return not any(thread.name.startswith("heimdall-encode") for thread in threading.enumerate())


def test_stream_gives_every_vector_in_order(encoder: Encoder, small_windows: int) -> None:
    texts = numbered(18)
    blocks = list(encoder.encode_stream(iter(texts)))
    assert [(block.first, len(block.vectors)) for block in blocks] == [
        (0, 4),
        (4, 4),
        (8, 4),
        (12, 4),
        (16, 2),
    ]
    together = np.concatenate([block.vectors for block in blocks])
    assert_near(together, np.stack([encoder.encode(text) for text in texts]))
    assert no_worker_is_left()


def test_stream_reads_two_windows_ahead_at_most_and_in_the_callers_thread(
    encoder: Encoder, small_windows: int
) -> None:
    read: list[int] = []

    def endless() -> Iterator[str]:
        number = 0
        while True:
            read.append(threading.get_ident())
            yield f"text {number}"
            number += 1

    stream = encoder.encode_stream(endless())
    assert isinstance(stream, Generator)
    for blocks in range(1, 5):
        next(stream)
        assert len(read) == (blocks + 1) * small_windows
    stream.close()
    assert set(read) == {threading.get_ident()}
    assert no_worker_is_left()


def test_windows_are_bounded_by_characters_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts_module, "WINDOW_CHARACTERS", 10)
    assert [len(window) for window in windows(["a" * 4] * 5 + ["a" * 100, "a"])] == [3, 3, 1]


def test_bad_text_comes_after_the_good_windows_before_it(
    encoder: Encoder, small_windows: int
) -> None:
    stream = encoder.encode_stream([*numbered(9), "\ud800", "never read"])
    assert [next(stream).first, next(stream).first] == [0, 4]
    with pytest.raises(TextError, match="text 9 has a lone surrogate"):
        next(stream)
    assert no_worker_is_left()


def test_text_in_which_only_the_tokenizer_finds_nothing_has_its_place(
    encoder: Encoder, small_windows: int
) -> None:
    unassigned = "\ue000"  # private use: the tokenizer drops it, we don't judge it
    with pytest.raises(EmptyTextError, match="text 6 holds nothing"):
        encoder.encode_batch([*numbered(6), unassigned])


def test_errors_of_the_iterator_come_after_what_it_gave(
    encoder: Encoder, small_windows: int
) -> None:
    def breaking() -> Iterator[str]:
        yield from numbered(8)
        raise OSError("the disk is gone")

    seen: list[Block] = []
    with pytest.raises(OSError, match="disk is gone"):
        seen.extend(encoder.encode_stream(breaking()))
    assert [block.first for block in seen] == [0, 4]
    assert no_worker_is_left()


def test_progress_counts_every_text_once(encoder: Encoder, small_windows: int) -> None:
    seen: list[tuple[int, int]] = []
    encoder.encode_batch(numbered(11), progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (11, 11)
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})
    assert {total for _, total in seen} == {11}


def test_error_in_progress_ends_the_work(encoder: Encoder, small_windows: int) -> None:
    def refuse(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        encoder.encode_batch(numbered(40), progress=refuse)
    assert no_worker_is_left()


def test_cut_texts_are_named_by_the_stream(encoder: Encoder, small_windows: int) -> None:
    texts = [LONG if index in {1, 6, 7} else "short" for index in range(9)]
    assert [block.cut for block in encoder.encode_stream(texts)] == [(1,), (6, 7), ()]


def test_cut_texts_are_logged_by_the_others(
    encoder: Encoder, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="cognitive_memory.encoding"):
        encoder.encode("short")
        encoder.encode_batch(["short", "also short"])
        assert caplog.messages == []
        encoder.encode(LONG)
        encoder.encode_batch([LONG])
        encoder.encode_batch(["short", LONG, LONG])
    longer = (
        "longer than the 512 tokens that are read of a text, and embedded by the beginning alone"
    )
    longer += "; long_texts='pool' reads more of them"
    assert caplog.messages == [
        f"the text is {longer}",
        f"the text is {longer}",
        f"2 of 3 texts, the first of them text 1, are {longer}",
    ]

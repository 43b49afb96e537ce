"""Texts with more tokens than the model reads, read in windows."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from cognitive_memory.encoding import Encoder
from cognitive_memory.encoding.encoder import MOST_WINDOWS
from tests.support.near import assert_near

pytestmark = pytest.mark.model

STEM = "The archive keeps what nobody asked for yet. " * 130
SHORT = ["a short text", "another one " * 40, "the lighthouse keeper counts his steps"]


@pytest.fixture(scope="module")
def pooling(model_directory: Path) -> Encoder:
    return Encoder.load(model_directory, long_texts="pool")


def test_shorter_texts_have_the_same_vectors_either_way(pooling: Encoder, encoder: Encoder) -> None:
    assert_near(pooling.encode_batch(SHORT), encoder.encode_batch(SHORT))


def test_a_long_text_has_the_same_vector_alone_and_in_any_batch(pooling: Encoder) -> None:
    texts = [SHORT[0], STEM, SHORT[1], STEM[: len(STEM) // 2], SHORT[2]]
    together = pooling.encode_batch(texts)
    assert_near(together, np.stack([pooling.encode(text) for text in texts]))
    assert_near(np.linalg.norm(together.astype(np.float64), axis=1), 1)
    assert together.dtype == np.float32


def test_it_is_the_mean_of_its_windows(pooling: Encoder, encoder: Encoder) -> None:
    """Of words that are one token each: 600 of them make two windows of 300."""
    words = [
        f"{word}"
        for _ in range(100)
        for word in ("river", "stone", "winter", "engine", "paper", "music")
    ]
    halves = encoder.encode_batch([" ".join(words[:300]), " ".join(words[300:])])
    mean = halves.mean(axis=0)
    assert_near(pooling.encode(" ".join(words)), mean / np.linalg.norm(mean))


def test_what_is_told_late_is_found(pooling: Encoder, encoder: Encoder) -> None:
    late = "The password of the observatory's telescope is changed each winter by the night porter."
    document, question = f"{STEM}{late}", "who changes the telescope's password?"
    assert encoder.encode(document) @ encoder.encode(question) < pooling.encode(
        document
    ) @ pooling.encode(question)


def test_there_is_an_end_and_it_is_said(
    pooling: Encoder, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="cognitive_memory.encoding"):
        pooling.encode(STEM)
        assert caplog.messages == []
        pooling.encode("word " * (MOST_WINDOWS * 510 + 1))
    assert caplog.messages == [
        "the text is longer than the 8162 tokens that are read of a text, and embedded by the beginning alone"
    ]


def test_progress_counts_texts_and_not_windows(pooling: Encoder) -> None:
    seen: list[tuple[int, int]] = []
    pooling.encode_batch(
        [STEM, *SHORT, STEM], progress=lambda done, total: seen.append((done, total))
    )
    assert seen[-1] == (5, 5)
    assert max(done for done, _ in seen) == 5

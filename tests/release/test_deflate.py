"""Deflate: any reader gets the bytes back, nearly as few as entropy allows, always the same."""

from __future__ import annotations

import hashlib
import random
import zlib
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from release.deflate import code_lengths, deflate


def packed(content: bytes) -> bytes:
    return b"".join(deflate(memoryview(content)))


@given(st.binary(max_size=3000) | st.text("ab ", max_size=500).map(str.encode))
@example(b"")
@example(b"a")
@example(b"\0" * 1000)
def test_zlib_reads_it_back(content: bytes) -> None:
    reader = zlib.decompressobj(-15)
    assert reader.decompress(packed(content)) == content
    assert reader.eof
    assert not reader.unused_data


@pytest.mark.parametrize("size", [(1 << 17) - 1, 1 << 17, (1 << 17) + 1, 300_001])
def test_blocks_follow_one_another(size: int) -> None:
    content = random.Random(size).randbytes(size // 2) + b"x" * (size - size // 2)
    assert zlib.decompress(packed(content), -15) == content


def test_it_comes_within_a_hundredth_of_the_entropy() -> None:
    codes = np.rint(np.random.default_rng(5).normal(0, 14, 500_000)).astype(np.int8)
    _, counts = np.unique(codes, return_counts=True)
    shares = counts / counts.sum()
    entropy = -(shares * np.log2(shares)).sum() * len(codes) / 8
    assert entropy < len(packed(codes.tobytes())) < 1.01 * entropy


@given(
    st.lists(st.integers(0, 10**6), min_size=2, max_size=40).filter(
        lambda counts: sum(map(bool, counts)) > 1
    )
)
def test_codes_are_whole_short_enough_and_shorter_for_what_is_frequent(counts: list[int]) -> None:
    lengths = code_lengths(counts, 7)
    used = [(length, count) for length, count in zip(lengths, counts, strict=True) if count]
    assert all(0 < length <= 7 for length, _ in used)
    assert [length for length, count in zip(lengths, counts, strict=True) if not count] == [
        0
    ] * counts.count(0)
    assert sum(Fraction(1, 2**length) for length, _ in used) == 1
    assert all(one[0] >= other[0] for one in used for other in used if one[1] < other[1])


def test_it_gives_these_bytes_on_every_machine() -> None:
    content = b"".join(bytes([number * number % 251]) * (number % 7) for number in range(5000))
    assert hashlib.sha256(packed(content)).hexdigest()[:16] == "1978a7be353bb24d"

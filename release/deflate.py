"""Deflate (RFC 1951) by Huffman codes alone: valid for every reader, and the same bytes on every machine.

zlib's output depends on the zlib that a Python was built with, so an asset packed with it could not
be rebuilt elsewhere. Quantised weights have no repetitions that deflate's other half would find;
their gain is all in the Huffman codes.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BLOCK = 1 << 17
"""Bytes that share a code. Measured on the compact model: half or twice as many change the size by
0.1 %.
"""
_END = 256
_LONGEST = 15
"""Bits of a code for a byte at most (RFC 1951, 3.2.7)."""
_LONGEST_OF_LENGTHS = 7
"""Bits of a code for a code's length at most."""
_LENGTH_ORDER = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)
"""The order in which a block's head has the lengths' code (RFC 1951, 3.2.7)."""
_NO_DISTANCES = (1, 1)
"""A whole code for distances, which are never used: a reader need not know that a block can do
without one.
"""


def deflate(content: memoryview) -> Iterator[bytes]:
    """The raw deflate stream, in parts: without a head, as members of a zip have it."""
    pending = np.zeros(0, np.uint8)
    for start in range(0, max(len(content), 1), _BLOCK):
        block = np.frombuffer(content[start : start + _BLOCK], np.uint8)
        bits = np.concatenate([pending, _block(block, last=start + _BLOCK >= len(content))])
        whole = len(bits) & ~7
        yield np.packbits(bits[:whole], bitorder="little").tobytes()
        pending = bits[whole:]
    if len(pending):
        yield np.packbits(pending, bitorder="little").tobytes()


def code_lengths(counts: Sequence[int], longest: int) -> list[int]:
    """The lengths of an optimal prefix code in which no code is longer than `longest` bits.

    By package-merge (Larmore and Hirschberg, "A fast algorithm for optimal length-limited Huffman
    codes", J. ACM 37, 1990).

    Args:
        counts: how often each symbol occurs; one that does not has no code, and the length 0.
        longest: bits; enough for as many symbols as occur.
    """
    leaves = sorted((count, (symbol,)) for symbol, count in enumerate(counts) if count)
    lengths = [0] * len(counts)
    if len(leaves) == 1:
        lengths[leaves[0][1][0]] = 1
        return lengths
    packages: list[tuple[int, tuple[int, ...]]] = []
    for _ in range(longest):
        merged = list(heapq.merge(leaves, packages))
        packages = [
            (first[0] + second[0], first[1] + second[1])
            for first, second in zip(merged[::2], merged[1::2], strict=False)
        ]
    for _, symbols in packages[: len(leaves) - 1]:
        for symbol in symbols:
            lengths[symbol] += 1
    return lengths


def _block(content: NDArray[np.uint8], *, last: bool) -> NDArray[np.uint8]:
    """A block's bits, one a byte."""
    counts = [*np.bincount(content, minlength=_END).tolist(), 1]
    # Two codes at least: a code of a single symbol is one that some readers refuse.
    if sum(map(bool, counts)) < 2:
        counts[0] += 1
    lengths = code_lengths(counts, _LONGEST)
    announced = [*lengths, *_NO_DISTANCES]
    of_lengths = code_lengths(
        np.bincount(announced, minlength=len(_LENGTH_ORDER)).tolist(), _LONGEST_OF_LENGTHS
    )
    head = [
        (int(last), 1),
        (2, 2),
        (len(lengths) - 257, 5),
        (len(_NO_DISTANCES) - 1, 5),
        (len(_LENGTH_ORDER) - 4, 4),
    ]
    head += [(of_lengths[symbol], 3) for symbol in _LENGTH_ORDER]
    parts = [
        _bits(np.array([value for value, _ in head]), np.array([width for _, width in head])),
        _coded(np.array(announced), of_lengths),
        _coded(np.append(content.astype(np.intp), _END), lengths),
    ]
    return np.concatenate(parts)


def _coded(symbols: NDArray[Any], lengths: Sequence[int]) -> NDArray[np.uint8]:
    return _bits(_codes(lengths)[symbols], np.array(lengths)[symbols])


def _codes(lengths: Sequence[int]) -> NDArray[np.intp]:
    """The canonical code (RFC 1951, 3.2.2) of each symbol, its first bit the lowest."""
    codes = np.zeros(len(lengths), np.intp)
    code = previous = 0
    for length, symbol in sorted(
        (length, symbol) for symbol, length in enumerate(lengths) if length
    ):
        code <<= length - previous
        codes[symbol] = int(format(code, f"0{length}b")[::-1], 2)
        code, previous = code + 1, length
    return codes


def _bits(values: NDArray[Any], widths: NDArray[Any]) -> NDArray[np.uint8]:
    """The values' bits, lowest first, one after the other."""
    ends = np.cumsum(widths)
    place = np.arange(ends[-1]) - np.repeat(ends - widths, widths)
    bits: NDArray[np.uint8] = (np.repeat(values, widths) >> place & 1).astype(np.uint8)
    return bits

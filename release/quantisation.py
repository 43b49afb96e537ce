"""Weights in one byte each: rounding float32 matrices to int8 with a step per group or per row.

Only operations whose result IEEE 754 fixes are used (division, rounding, maxima, sums of integers),
so the same weights give the same bytes on every machine, whatever its vector units do with the
order of a sum.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

GROUP = 32
"""Neighbouring weights of a row that share a step. Measured with a step per row, 128, 64 and 32
weights: the least cosine of any text is 0.9945, 0.9976, 0.9986 and 0.9991, at 7.1 to 7.5 bits a
weight once they are entropy coded.
"""
STEPS_PER_RMS = 14
"""How many steps a row's root mean square has in a table. Fewer make the table shrink more: 10, 14
and 20 come to 5.1, 5.6 and 6.1 bits a weight, and to a least cosine of 0.998, 0.999 and 0.9993.
"""
_LIMIT = 127
_STEP_BITS = 5
"""Bits of a step's mantissa, behind the leading one: fewer shrink better, and cost precision as
coarser steps do.
"""
_FIXED_POINT_BITS = 24
"""Squares of numbers of so many bits are summed exactly in 64 bits, for rows of up to 2^15 numbers.
"""


@dataclass(frozen=True, slots=True)
class Quantised:
    """Whole numbers and the size of their steps: what stands for `codes * steps`.

    Attributes:
        codes: int8, shape (rows, groups, group).
        steps: float32 of which the upper two bytes suffice (bfloat16), shape (rows, groups, 1),
            none of them 0.
    """

    codes: NDArray[np.int8]
    steps: NDArray[np.float32]

    def restored(self) -> NDArray[np.float32]:
        """The matrix that the codes stand for, shape (rows, groups * group)."""
        return (self.codes * self.steps).reshape(len(self.codes), -1)


def quantise_groups(matrix: NDArray[np.float32]) -> Quantised:
    """Round a matrix with a step for each `GROUP` neighbours, such that the largest of them is the largest code.

    Args:
        matrix: shape (rows, columns). Where `GROUP` does not divide the columns, the groups are as
            large as they can be.
    """
    rows, columns = matrix.shape
    groups = matrix.reshape(rows, -1, gcd(GROUP, columns)).astype(np.float64)
    return _quantised(groups, np.abs(groups).max(axis=2, keepdims=True) / _LIMIT)


def quantise_rows(table: NDArray[np.float32]) -> Quantised:
    """Round a table of rows that are looked up, with a step for each row that follows from its root mean square.

    Codes are mostly small numbers, which an entropy coder stores in far fewer bits than a byte has.

    Args:
        table: shape (rows, columns).
    """
    rows = table[:, None, :].astype(np.float64)
    largest = np.abs(rows).max(axis=2, keepdims=True)
    _, exponent = np.frexp(largest)
    whole = np.rint(np.ldexp(rows, _FIXED_POINT_BITS - exponent)).astype(np.int64)
    mean_square = (whole * whole).sum(axis=2, keepdims=True) / table.shape[1]
    rms = np.ldexp(np.sqrt(mean_square), exponent - _FIXED_POINT_BITS)
    return _quantised(rows, np.maximum(rms / STEPS_PER_RMS, largest / _LIMIT))


def _quantised(groups: NDArray[np.float64], least_steps: NDArray[np.float64]) -> Quantised:
    mantissa, exponent = np.frexp(least_steps)
    scale = 2.0 ** (_STEP_BITS + 1)
    steps = np.ldexp(np.ceil(mantissa * scale) / scale, exponent)
    steps[steps == 0] = 1  # any step will do where all is zero
    return Quantised(np.rint(groups / steps).astype(np.int8), steps.astype(np.float32))

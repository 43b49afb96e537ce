"""Rounding: how far a weight may move, and that nothing depends on the machine."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from release.quantisation import GROUP, quantise_groups, quantise_rows

pytestmark = pytest.mark.slow

_matrices = arrays.arrays(
    np.float32,
    st.tuples(st.integers(1, 5), st.sampled_from([1, 12, 32, 48, 64, 96])),
    elements=st.floats(-8, 8, width=32).filter(lambda number: number == 0 or abs(number) > 1e-9),
)
_LARGEST_STEP_UP = 1 + 1 / 32


@given(_matrices)
def test_no_weight_moves_by_more_than_half_a_step(matrix: np.ndarray) -> None:
    for quantised in (quantise_groups(matrix), quantise_rows(matrix)):
        moved = np.abs(quantised.restored().astype(np.float64) - matrix).reshape(
            quantised.codes.shape
        )
        assert (moved <= quantised.steps * 0.5001).all()
        assert np.abs(quantised.codes.astype(int)).max(initial=0) <= 127


@given(_matrices)
def test_a_groups_largest_weight_decides_its_step(matrix: np.ndarray) -> None:
    quantised = quantise_groups(matrix)
    largest = (
        np.abs(matrix).reshape(quantised.codes.shape).max(axis=2, keepdims=True).astype(np.float64)
    )
    steps = quantised.steps[largest > 0]
    assert (steps * 127 >= largest[largest > 0]).all()
    assert (steps * 127 <= largest[largest > 0] * _LARGEST_STEP_UP).all()


@given(_matrices)
def test_steps_are_bfloat16(matrix: np.ndarray) -> None:
    for quantised in (quantise_groups(matrix), quantise_rows(matrix)):
        assert not (quantised.steps.view(np.uint32) & 0xFFFF).any()
        assert (quantised.steps > 0).all()


@pytest.mark.parametrize(("columns", "group"), [(384, GROUP), (48, 16), (12, 4), (31, 1)])
def test_groups_are_as_large_as_the_columns_allow(columns: int, group: int) -> None:
    matrix = np.ones((2, columns), np.float32)
    assert quantise_groups(matrix).codes.shape == (2, columns // group, group)


def test_a_table_keeps_its_rows_apart_and_its_outliers_whole() -> None:
    spread = np.array([[0.001], [1], [50]])
    table = np.random.default_rng(3).normal(0, spread, (3, 384)).astype(np.float32)
    table[1, 7] = 40
    quantised = quantise_rows(table)
    assert quantised.codes.shape == (3, 1, 384)
    np.testing.assert_allclose(quantised.restored()[1, 7], 40, rtol=0.005)
    relative = np.linalg.norm(quantised.restored() - table, axis=1) / np.linalg.norm(table, axis=1)
    assert (relative < 0.05).all()


def test_it_gives_these_bytes_on_every_machine() -> None:
    # A generator whose bits are the same everywhere, and no function of the C library.
    matrix = (
        np.random.Generator(np.random.PCG64(1)).integers(-(2**20), 2**20, (64, 384)) / 2**21
    ).astype(np.float32)
    digests = [
        hashlib.sha256(part.tobytes()).hexdigest()[:16]
        for quantised in (quantise_groups(matrix), quantise_rows(matrix))
        for part in (quantised.codes, quantised.steps)
    ]
    assert digests == [
        "611f0bc0ce294d4e",
        "f434ce45fc8bbdd0",
        "75e934772b477e34",
        "62a7d11b3f003ecc",
    ]

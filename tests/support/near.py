"""Vectors are compared number by number."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def assert_near(actual: NDArray[Any], expected: NDArray[Any] | float, within: float = 1e-6) -> None:
    """Each number is what is expected, by default to within what the engine promises."""
    np.testing.assert_allclose(actual, expected, rtol=0, atol=within)

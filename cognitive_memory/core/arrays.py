"""The kinds of arrays that vectors are kept in.

Naming them loads nothing: numpy is loaded where something is computed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FloatArray: TypeAlias = "NDArray[np.float32]"
"""Vectors, or what comes of them."""
IntArray: TypeAlias = "NDArray[np.int64]"
"""Keys of memories, or ids of tokens."""

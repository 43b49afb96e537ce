"""All vectors of a project in memory, compared one by one with a question's: exact, and as fast as memory can be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from cognitive_memory.storage.vectors import UnfitVectorsError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Keys = NDArray[np.int64]
    Matrix = NDArray[np.float32]
    Rows = NDArray[np.intp]
    Mask = NDArray[np.bool_]

_MOST = 1.01
"""No cosine is greater; the rest is for rounding."""

FEW = 4
"""Below one row in this many, picking the rows first is cheaper than comparing all."""


@dataclass(frozen=True)
class Segment:
    """Some rows.

    Attributes:
        keys: of the memories, shape (n,); of those that are there twice only the last may count.
        matrix: their vectors, shape (n, dimension), of unit length.
        dead: which rows don't count any more, shape (n,); None: all count.
    """

    keys: Keys
    matrix: Matrix
    dead: Mask | None = None

    def __len__(self) -> int:
        return len(self.keys)

    @cached_property
    def _order(self) -> Rows | None:
        """Rows by key; None when they are in this order already."""
        if np.all(self.keys[1:] > self.keys[:-1]):
            return None
        return np.argsort(self.keys, kind="stable")

    def rows_of(self, keys: Keys) -> Rows:
        """The last row of each key; -1 where there is none that counts."""
        if not len(self):
            return np.full(len(keys), -1, dtype=np.intp)
        order = self._order
        places = np.maximum(np.searchsorted(self.keys, keys, side="right", sorter=order) - 1, 0)
        rows = places if order is None else order[places]
        counts = self.keys[rows] == keys
        if self.dead is not None:
            counts &= ~self.dead[rows]
        return np.where(counts, rows, -1)

    def without(self, keys: Keys) -> Segment:
        """The same rows, but those of `keys` don't count."""
        rows = self.rows_of(keys)
        rows = rows[rows >= 0]
        if not len(rows):
            return self
        dead = np.zeros(len(self), dtype=np.bool_) if self.dead is None else self.dead.copy()
        dead[rows] = True
        return Segment(self.keys, self.matrix, dead)

    @property
    def alive(self) -> int:
        """How many rows count."""
        return len(self) - (0 if self.dead is None else int(np.count_nonzero(self.dead)))

    def cosines(self, vector: Matrix) -> Matrix:
        """The cosine of each row with a vector of unit length, shape (n,); -inf where the row does not count."""
        cosines = _products(self.matrix, vector)
        if self.dead is not None:
            cosines[self.dead] = -np.inf
        return cosines


@dataclass(frozen=True)
class VectorIndex:
    """The vectors of one moment.

    What changes makes a new one, so that whoever searches is not disturbed.

    Rows are numbered through all segments. No key counts in two of them.
    """

    segments: tuple[Segment, ...] = field(default_factory=tuple)

    def __len__(self) -> int:
        return sum(segment.alive for segment in self.segments)

    def _by_segment(self, rows: Rows) -> Iterator[tuple[Segment, Mask, Rows]]:
        """Each segment, which of the rows lie in it, and where in it these are."""
        start = 0
        for segment in self.segments:
            here = (rows >= start) & (rows < start + len(segment))
            yield segment, here, rows[here] - start
            start += len(segment)

    def keys_of(self, rows: Rows) -> Keys:
        """The key of each row."""
        keys = np.empty(len(rows), dtype=np.int64)
        for segment, here, places in self._by_segment(rows):
            keys[here] = segment.keys[places]
        return keys

    def rows_of(self, keys: Keys) -> Rows:
        """The row of each key; -1 where it has none."""
        rows, start = np.full(len(keys), -1, dtype=np.intp), 0
        for segment in self.segments:
            places = segment.rows_of(keys)
            rows = np.where(places >= 0, places + start, rows)
            start += len(segment)
        return rows

    def living_keys(self) -> Keys:
        """The keys of all rows that count, ascending."""
        parts = [
            segment.keys if segment.dead is None else segment.keys[~segment.dead]
            for segment in self.segments
        ]
        return np.sort(np.concatenate([*parts, np.empty(0, dtype=np.int64)]))

    def vectors_of(self, keys: Keys) -> Matrix:
        """The vectors of keys that all count, shape (number of keys, dimension)."""
        rows = self.rows_of(keys)
        vectors = np.empty(
            (len(keys), max(segment.matrix.shape[1] for segment in self.segments)), dtype=np.float32
        )
        for segment, here, places in self._by_segment(rows):
            vectors[here] = segment.matrix[places]
        return vectors

    def cosines(self, vector: Matrix, among: Sequence[int] | Keys | None = None) -> Matrix:
        """The cosine of every row with a vector of unit length.

        Args:
            vector: shape (dimension,).
            among: keys that alone may be found; None: all.

        Returns:
            Shape (rows,); -inf for rows that don't count or are not `among` those asked for.

        Raises:
            UnfitVectorsError: the rows are no unit vectors of that dimension.
        """
        if among is not None:
            return self._cosines_among(vector, np.asarray(among, dtype=np.int64))
        parts = [segment.cosines(vector) for segment in self.segments]
        if len(parts) == 1:  # most often; nothing is copied
            return parts[0]
        return np.concatenate([*parts, np.empty(0, dtype=np.float32)])

    def _cosines_among(self, vector: Matrix, keys: Keys) -> Matrix:
        total = sum(map(len, self.segments))
        if len(keys) * FEW > total:
            cosines = self.cosines(vector)
            wanted = [np.isin(segment.keys, keys) for segment in self.segments]
            cosines[~np.concatenate([*wanted, np.empty(0, dtype=np.bool_)])] = -np.inf
            return cosines
        rows = self.rows_of(keys)
        rows = rows[rows >= 0]
        cosines = np.full(total, -np.inf, dtype=np.float32)
        for segment, here, places in self._by_segment(rows):
            cosines[rows[here]] = _products(segment.matrix[places], vector)
        return cosines


def _products(matrix: Matrix, vector: Matrix) -> Matrix:
    """`matrix @ vector` with one thread.

    Two read memory no faster, and on a busy machine they wait for each other.

    Raises:
        UnfitVectorsError: the rows are no unit vectors of that dimension.
    """
    if matrix.shape[1] != len(vector):
        raise UnfitVectorsError(f"vectors have {matrix.shape[1]} numbers, not {len(vector)}")
    with np.errstate(all="ignore"):
        if hasattr(np, "vecdot"):  # numpy 2
            products: Matrix = np.vecdot(matrix, vector)
        else:
            products = np.einsum("ij,j->i", matrix, vector)
        # Both are NaN if one row is; that costs a fraction of what the products do.
        fit = not len(products) or (products.min() >= -_MOST and products.max() <= _MOST)
    if not fit:
        raise UnfitVectorsError("vectors have numbers that are not finite, or are too long")
    return products


def best_rows(scores: Matrix, count: int) -> Rows:
    """The rows of the highest scores, best first; equal ones by row, newest first.

    Never one of -inf.

    Args:
        scores: shape (n,).
        count: how many at most.
    """
    if count < len(scores):
        least = np.partition(scores, len(scores) - count)[len(scores) - count]
        rows = np.flatnonzero(scores >= least)
    else:
        rows = np.arange(len(scores))
    rows = rows[scores[rows] > -np.inf]
    order = np.lexsort((-rows, -scores[rows]))
    best: Rows = rows[order][:count]
    return best

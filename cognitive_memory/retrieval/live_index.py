"""The vector index that follows the database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from cognitive_memory.retrieval.vector_file import VectorFile
from cognitive_memory.retrieval.vector_index import Segment, VectorIndex
from cognitive_memory.storage.vectors import State, Vectors

if TYPE_CHECKING:
    from numpy.typing import NDArray

WORTH_A_FILE = 5_000
"""From that many vectors on they are kept in a file. Fewer are read from the database in some ten
milliseconds.
"""

_STEP = 4096
"""How many rows are copied at a time."""


class LiveIndex:
    """Thread-safe.

    What was there first is one segment, mapped from the file or in memory. What came later is a
    second one, which is merged into the first when it has grown to an eighth of it.

    Args:
        changes: tells what changed after a state; with None everything there is. As
            `VectorReader.since`.
        file: where to keep the vectors for the next process; None: nowhere.
        save: writes all there are into the file, if they are worth it: from the database, without
            having all in memory.
    """

    def __init__(
        self,
        changes: Callable[[State | None], Vectors],
        file: VectorFile | None = None,
        save: Callable[[VectorFile], None] = lambda _: None,
    ) -> None:
        self._changes = changes
        self._file = file
        self._save = save
        self._lock = Lock()
        self._space: str | None = None
        self._forget()

    def current(self, space: str) -> VectorIndex:
        """All vectors that the database has at this moment.

        Args:
            space: the embedding space of the vectors that `changes` tells of.
        """
        with self._lock:
            if space != self._space:
                self._space = space
                self._forget()
                if not self._take_saved() and self._file is not None:
                    self._save(self._file)
                    self._take_saved()
            anew = self._refresh()
            # another process may have merged already
            if self._overgrown() and self._take_saved():
                anew = self._refresh()
            if anew or self._overgrown():
                self._merge()
            return self._together()

    def discard(self) -> None:
        """Begin anew with what the database has, and without the file that is there."""
        with self._lock:
            self._space = None
            self._forget()
            if self._file is not None:
                self._file.remove()

    def _together(self) -> VectorIndex:
        return VectorIndex(tuple(segment for segment in (self._base, self._tail) if len(segment)))

    def _forget(self) -> None:
        self._state: State | None = None
        self._base, self._base_state = _EMPTY, State(0, 0)
        self._tail, self._room = _EMPTY, _EMPTY.matrix

    def _begin(self, vectors: Vectors) -> None:
        self._forget()
        self._state = self._base_state = vectors.state
        self._base = Segment(vectors.keys, vectors.matrix)

    def _saved(self) -> Vectors | None:
        return self._file.read(self._space) if self._file and self._space else None

    def _take_saved(self) -> bool:
        """Take what the file has instead of what is here, if it is newer."""
        saved = self._saved()
        if saved is None or saved.state.revision <= self._base_state.revision:
            return False
        self._begin(saved)
        return True

    def _refresh(self) -> bool:
        """Take in what changed; tells whether that was everything."""
        changes = self._changes(self._state)
        if changes.gone is None:
            self._begin(changes)
            return True
        self._state = changes.state
        if len(changes.keys) or len(changes.gone):
            old = np.concatenate([changes.keys, changes.gone])
            self._base, self._tail = self._base.without(old), self._tail.without(old)
            self._append(changes.keys, changes.matrix)
        return False

    def _append(self, keys: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        """Add rows to the tail.

        They go behind what others may be reading, into room that grows by doubling.
        """
        if not len(keys):
            return
        before, after = len(self._tail), len(self._tail) + len(keys)
        if after > len(self._room):
            room = np.empty((max(after, 2 * len(self._room)), vectors.shape[1]), dtype=np.float32)
            room[:before] = self._tail.matrix if before else 0
            self._room = room
        self._room[before:after] = vectors
        dead = None
        if self._tail.dead is not None:
            dead = np.concatenate([self._tail.dead, np.zeros(len(keys), dtype=np.bool_)])
        self._tail = Segment(np.concatenate([self._tail.keys, keys]), self._room[:after], dead)

    def _overgrown(self) -> bool:
        wasted = len(self._base) - self._base.alive
        return len(self._tail) + wasted > max(WORTH_A_FILE, len(self._base)) // 8

    def _merge(self) -> None:
        """Make everything one segment, ordered by key, in the file if it is worth one."""
        if self._state is None or self._space is None:
            return
        index = self._together()
        keys = index.living_keys()
        if self._file is not None and len(keys) >= WORTH_A_FILE:
            self._file.write(self._space, self._state, _parts(index, keys))
            saved = self._saved()
            if saved is not None and saved.state == self._state:
                self._begin(saved)
                return
        if self._overgrown():
            matrix = index.vectors_of(keys) if len(keys) else _EMPTY.matrix
            self._begin(Vectors(self._state, keys, matrix))


def _parts(
    index: VectorIndex, keys: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    for start in range(0, len(keys), _STEP):
        some = keys[start : start + _STEP]
        yield some, index.vectors_of(some)


_EMPTY = Segment(np.empty(0, dtype=np.int64), np.empty((0, 0), dtype=np.float32))

"""How near memories are to what a question means: by their vectors, here or on a server."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Collection
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from cognitive_memory.core.embedder import Embedder, Tokens
from cognitive_memory.core.recall import EVERYTHING, WITHOUT_MODEL, RecallFilter
from cognitive_memory.retrieval.keywords import title_of
from cognitive_memory.retrieval.scoring import Meaning
from cognitive_memory.storage.errors import StorageError
from cognitive_memory.storage.store import MemoryStore
from cognitive_memory.storage.vectors import State, UnfitVectorsError, Vectors
from heimdall.errors import HeimdallError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cognitive_memory.retrieval.live_index import LiveIndex
    from cognitive_memory.retrieval.vector_index import VectorIndex

_log = logging.getLogger(__name__)

MANY = 1_000
"""From that many vectors that are new or gone on, it is worth to look whether the file is still as it should be."""

Nearest: TypeAlias = "Callable[[NDArray[np.float32], RecallFilter, Collection[int]], VectorIndex]"
"""Asks a server for the memories near a vector that may answer, and adds those of the keys; as
`QdrantNearest.near`.
"""


class Comparer:
    """Compares memories' vectors with a question's. Thread-safe.

    Args:
        store: where the memories are.
        embedder: what makes a vector of the question.
        file: where the vectors may be kept for the next process; None: nowhere.
        nearest: searches the vectors on a server, as long as that answers; None: they are searched
            here.
    """

    def __init__(
        self, store: MemoryStore, embedder: Embedder, file: Path | None, nearest: Nearest | None
    ) -> None:
        self._store = store
        self._embedder = embedder
        self._file = file
        self._nearest = nearest

    def meaning(
        self,
        question: str,
        wanted: RecallFilter,
        others: Callable[[], Collection[int]],
        notes: list[str],
    ) -> Meaning | None:
        """How near memories' vectors are to the question's.

        Args:
            question: what is asked.
            wanted: which memories may answer.
            others: gives the keys of those that a server has to tell of besides the nearest ones.
            notes: told why nothing can be compared, or not as usual.

        Returns:
            None if nothing can be compared.
        """
        compare = partial(self._compared, question, wanted, others, notes)
        try:
            return compare()
        except UnfitVectorsError as error:
            why = str(error)
        # Not above: an error keeps the file mapped, and Windows removes none that is.
        self._mend(why)
        try:
            return compare()
        except UnfitVectorsError as error:  # of a database that can't be written
            notes.append(f"Searched by keywords alone: {error}.")
            return None

    def _compared(
        self,
        question: str,
        wanted: RecallFilter,
        others: Callable[[], Collection[int]],
        notes: list[str],
    ) -> Meaning | None:
        """As `meaning`.

        Raises:
            UnfitVectorsError: vectors are not what the model makes.
        """
        space = self._embedder.embedding_space()
        if space is None or not self._embedder.ready():
            notes.append(WITHOUT_MODEL)
            return None
        index = None if self._nearest else self._index.current(space)
        # Without a vector to compare with, the model need not be loaded.
        if index is not None and not len(index):
            return None
        try:
            vector, tokens = self._read(question)
        except HeimdallError as error:
            notes.append(f"Searched by keywords alone: {error}")
            return None
        if self._nearest is not None:
            try:
                index = self._nearest(vector, wanted, others())
            except HeimdallError as error:
                notes.append(f"Searched the vectors on this machine instead: {error}")
        index = index or self._index.current(space)
        if not len(index):
            return None
        if wanted == EVERYTHING:
            return Meaning(index, index.cosines(vector), tokens)
        with self._store.reading() as reader:
            among = reader.keys(wanted)
        return Meaning(index, index.cosines(vector, among), tokens)

    def _read(self, question: str) -> tuple[NDArray[np.float32], list[Tokens]]:
        """What a question means, of unit length: of several lines the first, a title, as much as all; and the tokens of both.

        Raises:
            HeimdallError: the model can't tell.
        """
        import numpy as np

        title = title_of(question)
        texts = [question, title] if title else [question]
        tokens: list[Tokens] = []
        if self._embedder.has_tokens():
            vectors, tokens = self._embedder.embed_with_tokens(texts)
        else:
            vectors = self._embedder.embed(texts)
        together = vectors.sum(axis=0)
        vector: NDArray[np.float32] = together / np.linalg.norm(together) if title else vectors[0]
        return vector, [of_text for of_text in tokens if of_text.words]

    def _mend(self, why: str) -> None:
        """Throw away what vectors are wrong, in the file and in the database.

        They are made again.
        """
        self._index.discard()
        dropped = 0
        with contextlib.suppress(StorageError), self._store.writing() as writer:
            dropped = writer.drop_unfit_vectors(self._embedder.dimension)
        _log.warning(
            "%s: %s; the vector file and %d vectors are thrown away, to be made again",
            *(self._store.database, why, dropped),
        )

    def keep(self, changed: int) -> None:
        """After so many vectors changed at once, write them down, so that no question has to wait for that."""
        space = self._embedder.embedding_space()
        if changed < MANY or space is None or not self._file or self._nearest is not None:
            return
        # What is wrong the next question tells of, or mends.
        with contextlib.suppress(HeimdallError):
            with self._store.reading() as reader:
                left = reader.memory_count()
            if changed > left:  # most is gone: what stays is read again
                self._index.discard()
            self._index.current(space)

    @cached_property
    def _index(self) -> LiveIndex:
        """All vectors, here; made when they are needed, since numpy is loaded for them."""
        from cognitive_memory.retrieval.live_index import WORTH_A_FILE, LiveIndex
        from cognitive_memory.retrieval.vector_file import VectorFile

        dimension = self._embedder.dimension

        def changes(known: State | None) -> Vectors:
            with self._store.reading() as reader:
                vectors = reader.vectors.since(known)
            if vectors.matrix.shape[1] not in {0, dimension}:
                raise UnfitVectorsError(
                    f"vectors have {vectors.matrix.shape[1]} numbers, not {dimension}"
                )
            return vectors

        def save(file: VectorFile) -> None:
            with self._store.reading() as reader:
                if reader.vectors.counts()[0] >= WORTH_A_FILE:
                    state = reader.vectors.state()
                    file.write(str(reader.vectors.space), state, reader.vectors.parts())

        return LiveIndex(changes, VectorFile(self._file, dimension) if self._file else None, save)

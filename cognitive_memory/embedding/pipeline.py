"""Embedding beside reading and writing."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Self

from cognitive_memory.core.batches import batched
from cognitive_memory.core.embedder import Embedder
from cognitive_memory.core.memory import NewMemory
from cognitive_memory.core.reports import Progress, StoreReport
from cognitive_memory.embedding.embedder import embedded_text
from cognitive_memory.storage.store import MemoryStore
from cognitive_memory.storage.vectors import Embedded, Pending
from cognitive_memory.storage.writing import Change, Stored
from heimdall.errors import HeimdallError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BLOCK = 256
"""How many memories are embedded and written together: what a kill loses at most, and how long others wait for a turn."""

_log = logging.getLogger(__name__)


class EmbeddingPipeline:
    """Embeds blocks of memories in a thread, one ahead: while it computes, the last block is written and the next one read.

    A context manager that finishes.

    Args:
        store: where the vectors are written.
        embedder: what makes them.
        optional: whether the memories may as well wait for their vectors: then nothing is embedded if the model is not on
            this machine, and after a failure no more.

    Attributes:
        blocks: how many blocks are embedded and written.
        written: how many memories were given a vector, or a reason to have none.
    """

    def __init__(self, store: MemoryStore, embedder: Embedder, *, optional: bool = False) -> None:
        self.blocks = 0
        self.written = 0
        self._store = store
        self._embedder = embedder
        self._optional = optional
        self._stopped = optional and not (embedder.embedding_space() and embedder.ready())
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="heimdall-embed")
        self._running: Future[list[Embedded]] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._finish()
        finally:
            self._pool.shutdown()

    def add(self, block: Sequence[Pending]) -> None:
        """One more block; its memories are stored already.

        Raises:
            heimdall.models.ModelError: the model can't be had, unless embedding is optional.
        """
        if self._stopped:
            return
        following = self._pool.submit(_outcomes, self._embedder, block)
        self._finish()
        self._running = following

    def _finish(self) -> None:
        running, self._running = self._running, None
        if running is None or self._stopped:
            return
        try:
            if outcomes := running.result():
                with self._store.writing(durable=False) as writer:
                    self.written += writer.write_vectors(outcomes, self._embedder.dimension)
            self.blocks += 1
        except HeimdallError as error:
            if not self._optional:
                raise
            self._stopped = True
            _log.warning("stored, but not embedded yet: %s", error)


def store_many(
    store: MemoryStore,
    embedder: Embedder,
    memories: Iterable[NewMemory],
    *,
    embed: bool = True,
    progress: Progress | None = None,
) -> StoreReport:
    """Store memories in blocks, and embed each block while the next one is read and written, unless `embed` is false.

    If the model is not on this machine, or fails, everything is stored all the same and waits for `embed_pending`.
    """
    stored: list[Stored] = []

    def report(pipeline: EmbeddingPipeline) -> None:
        if progress is not None and stored:
            progress(len(stored), min(pipeline.blocks * BLOCK, len(stored)))

    with EmbeddingPipeline(store, embedder, optional=True) as pipeline:
        for block in batched(memories, BLOCK):
            with store.writing() as writer:
                of_block = writer.put(block)
                pending = writer.vectors.pending(keys=[item.key for item in of_block])
            stored += of_block
            if embed:
                pipeline.add(pending)
            report(pipeline)
    report(pipeline)
    changes = [item.change for item in stored]
    return StoreReport(
        added=changes.count(Change.ADDED),
        unchanged=changes.count(Change.UNCHANGED),
        updated=changes.count(Change.UPDATED),
        ids=tuple(item.id for item in stored),
    )


def _outcomes(embedder: Embedder, block: Sequence[Pending]) -> list[Embedded]:
    """Embed a block. A text that can't be embedded gets the reason instead of a vector, and does not stop the others."""
    from cognitive_memory.encoding import TextError

    left = list(block)
    refused: list[Embedded] = []
    while left:
        try:
            vectors = embedder.embed([embedded_text(item.text, item.context) for item in left])
        except TextError as error:
            if error.index is None:
                raise
            bad = left.pop(error.index)
            refused.append(Embedded(bad.key, bad.content_hash, None, error.problem))
        else:
            return refused + [_embedded(*pair) for pair in zip(left, vectors, strict=True)]
    return refused


def _embedded(item: Pending, vector: NDArray[np.float32]) -> Embedded:
    return Embedded(item.key, item.content_hash, vector.astype("<f4", copy=False).tobytes())

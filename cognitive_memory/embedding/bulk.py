"""Storing very many memories: reading, writing and embedding at the same time."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Self

from cognitive_memory.core.memory import NewMemory
from cognitive_memory.core.reports import StoreReport
from cognitive_memory.embedding.backfill import BLOCK, Progress, outcomes
from cognitive_memory.embedding.embedder import Embedder
from cognitive_memory.storage.store import MemoryStore
from cognitive_memory.storage.vectors import Embedded
from cognitive_memory.storage.writing import Change, Stored
from heimdall.errors import HeimdallError

_log = logging.getLogger(__name__)


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
    source = iter(memories)
    with _Embedding(store, embedder, wanted=embed) as embedding:
        while block := list(islice(source, BLOCK)):
            written = store.put(block)
            stored += written
            embedding.add([item.key for item in written])
            if progress is not None:
                progress(len(stored), embedding.over)
    if progress is not None and stored:
        progress(len(stored), embedding.over)
    changes = [item.change for item in stored]
    return StoreReport(
        added=changes.count(Change.ADDED),
        unchanged=changes.count(Change.UNCHANGED),
        updated=changes.count(Change.UPDATED),
        ids=tuple(item.id for item in stored),
    )


class _Embedding:
    """Embeds blocks in a thread, one at a time, and writes what came of the last one when the next one is added.

    Attributes:
        over: for how many memories embedding is over.
    """

    def __init__(self, store: MemoryStore, embedder: Embedder, *, wanted: bool) -> None:
        self.over = 0
        self._store = store
        self._embedder = embedder
        self._label = embedder.label() if wanted and embedder.ready() else None
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="heimdall-embed")
        self._running: tuple[str, int, Future[list[Embedded]]] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._finish()
        finally:
            self._pool.shutdown()

    def add(self, keys: list[int]) -> None:
        """One more block; its memories are stored already."""
        if self._label is None:
            return
        block = self._store.pending_of(self._label, keys)
        following = self._label, len(keys), self._pool.submit(outcomes, self._embedder, block)
        self._finish()
        if self._label is not None:
            self._running = following

    def _finish(self) -> None:
        if self._running is None:
            return
        label, count, future = self._running
        self._running = None
        try:
            embedded = future.result()
        except HeimdallError as error:
            self._label = None  # no more of it
            _log.warning("stored, but not embedded yet: %s", error)
            return
        self._store.write_vectors(label, self._embedder.dimension * 4, embedded)
        self.over += count

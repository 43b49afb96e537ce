"""Giving memories their vectors: those just stored, and those that waited for the model."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from cognitive_memory.embedder import Embedder, embedded_text
from cognitive_memory.storage.store import MemoryStore
from cognitive_memory.storage.vectors import Embedded, Pending

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BLOCK = 256
"""How many memories are embedded and written together: what a kill loses at most, and how long others wait for a turn."""

LOCK_SECONDS = 3600.0
"""How long to wait for another process that is embedding; then both do it, which costs time but harms nothing."""

Progress = Callable[[int, int], None]


def embed_pending(
    store: MemoryStore,
    embedder: Embedder,
    *,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
) -> int:
    """Embed every memory that has no vector of the current model, newest first; a kill loses two blocks at most.

    One process at a time does this; another one waits for it, and does what is left.

    Args:
        progress: called after each block with how many are done and how many there are.
        stop: set by somebody else to end after the current block.

    Returns:
        How many memories were given a vector, or a reason to have none.

    Raises:
        heimdall.models.ModelError: the model can't be had; what is done stays.
    """
    from heimdall.models.locking import advisory_lock
    from heimdall.models.progress import Progress as Quiet

    label = embedder.label()
    stopped = stop or threading.Event()

    def done() -> bool:
        return stopped.is_set() or not store.pending_count()

    if label is None or done():
        return 0
    total = 0
    lock = store.database.with_name(f"{store.database.name}-embedding.lock")
    with advisory_lock(lock, LOCK_SECONDS, done, Quiet()):
        while not done():
            written = 0
            for block in in_background(embedder, _blocks(store, label, stopped)):
                written += store.write_vectors(label, embedder.dimension * 4, block)
                if progress is not None:
                    progress(total + written, total + written + store.pending_count())
            total += written
            if not written:
                break
    return total


def _blocks(store: MemoryStore, label: str, stopped: threading.Event) -> Iterator[list[Pending]]:
    before: int | None = None
    while not stopped.is_set():
        block = store.pending(label=label, before=before, limit=BLOCK)
        if not block:
            return
        before = block[-1].key
        yield block


def in_background(embedder: Embedder, blocks: Iterable[Sequence[Pending]]) -> Iterator[list[Embedded]]:
    """Embed blocks in a thread, one ahead: while it computes, the caller writes the last one and reads the next."""
    with ThreadPoolExecutor(1, thread_name_prefix="heimdall-embed") as pool:
        running: Future[list[Embedded]] | None = None
        for block in blocks:
            finished, running = running, pool.submit(outcomes, embedder, block)
            if finished is not None:
                yield finished.result()
        if running is not None:
            yield running.result()


def outcomes(embedder: Embedder, block: Sequence[Pending]) -> list[Embedded]:
    """Embed a block. A text that can't be embedded gets the reason instead of a vector, and does not stop the others."""
    from cognitive_memory.encoding import TextError

    left = list(block)
    found: list[Embedded] = []
    while left:
        try:
            vectors = embedder.embed([embedded_text(item.text, item.context) for item in left])
        except TextError as error:
            if error.index is None:
                raise
            bad = left.pop(error.index)
            found.append(Embedded(bad.key, bad.content_hash, None, error.problem))
        else:
            found += [_embedded(item, vector) for item, vector in zip(left, vectors, strict=True)]
            break
    return found


def _embedded(item: Pending, vector: NDArray[np.float32]) -> Embedded:
    return Embedded(item.key, item.content_hash, vector.astype("<f4", copy=False).tobytes())

"""Giving memories their vectors: those just stored, and those that waited for the model."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from cognitive_memory.embedder import Embedder, embedded_text
from cognitive_memory.storage.store import MemoryStore
from cognitive_memory.storage.vectors import Embedded, Pending

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BLOCK = 256
"""How many memories are embedded and written together: what a kill loses at most, and how long others wait for a turn."""

Progress = Callable[[int, int], None]


def embed_pending(
    store: MemoryStore,
    embedder: Embedder,
    *,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
) -> int:
    """Embed every memory that has no vector of the current model, newest first; a kill loses one block at most.

    Args:
        progress: called with how many are done and how many there are, after each block.
        stop: set by somebody else to end after the current block.

    Returns:
        How many memories got a vector.

    Raises:
        heimdall.models.ModelError: the model can't be had; what is done stays.
    """
    label = embedder.label()
    if label is None:
        return 0
    done = 0
    before: int | None = None
    while store.pending_count():
        if stop is not None and stop.is_set():
            break
        block = store.pending(label=label, before=before, limit=BLOCK)
        if not block:
            if before is None:
                break
            before = None  # what was added or changed meanwhile
            continue
        before = block[-1].key
        done += store.write_vectors(label, outcomes(embedder, block))
        if progress is not None:
            progress(done, done + store.pending_count())
    return done


def outcomes(embedder: Embedder, block: Sequence[Pending]) -> list[Embedded]:
    """Embed a block. A text that can't be embedded gets the reason instead of a vector, and does not stop the others."""
    from cognitive_memory.encoding import TextError

    left = list(block)
    found: list[Embedded] = []
    while left:
        texts = [embedded_text(item.text, item.context) for item in left]
        try:
            vectors = embedder.embed(texts)
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

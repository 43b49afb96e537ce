"""Giving memories their vectors: those just stored, and those that waited for the model."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from cognitive_memory.embedding.embedder import Embedder, embedded_text
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

_log = logging.getLogger(__name__)


class Backfill:
    """Gives a project's memories the vectors that they lack.

    Vectors of another model are replaced. But where two installations with different models work on one project, they
    would replace each other's for ever: so what another model made after we were through is left to it.
    """

    def __init__(self, store: MemoryStore, embedder: Embedder) -> None:
        self._store = store
        self._embedder = embedder
        self._through: int | None = None
        self._warned = False

    def run(self, *, progress: Progress | None = None, stop: threading.Event | None = None) -> int:
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
        from heimdall.models.transfer.progress import Progress as Quiet

        store, label = self._store, self._embedder.label()
        stopped = stop or threading.Event()

        def done() -> bool:
            return stopped.is_set() or not store.pending_count()

        if label is None:
            return 0
        total, take_over = 0, True
        if not done():
            lock = store.database.with_name(f"{store.database.name}-embedding.lock")
            with advisory_lock(lock, LOCK_SECONDS, done, Quiet()):
                take_over = self._may_take_over(label)
                # Once more for what was added or changed meanwhile.
                while not done() and (
                    written := self._pass(label, stopped, take_over, total, progress)
                ):
                    total += written
        if take_over and not stopped.is_set():
            self._through = store.revision()
        return total

    def _pass(
        self,
        label: str,
        stopped: threading.Event,
        take_over: bool,
        before: int,
        progress: Progress | None,
    ) -> int:
        """Embed what is pending now; `before` so many were embedded already. Tells how many were written."""
        store, written = self._store, 0
        for block in in_background(
            self._embedder, self._blocks(label, stopped, take_over=take_over)
        ):
            written += store.write_vectors(label, self._embedder.dimension * 4, block)
            if progress is not None:
                progress(before + written, before + written + store.pending_count())
        return written

    def _may_take_over(self, label: str) -> bool:
        if self._through is None:
            return True
        other = self._store.other_model_since(label, self._through)
        if other is not None and not self._warned:
            self._warned = True
            _log.warning(
                "%s: another installation uses the model %s on this project, here it is %s; its vectors are left to it, and "
                "what it embeds is found here by words alone. Use one release and variant for both.",
                *(self._store.database, other, label),
            )
        return other is None

    def _blocks(
        self, label: str, stopped: threading.Event, *, take_over: bool
    ) -> Iterator[list[Pending]]:
        before: int | None = None
        while not stopped.is_set():
            block = self._store.pending(
                label=label, before=before, limit=BLOCK, take_over=take_over
            )
            if not block:
                return
            before = block[-1].key
            yield block


def in_background(
    embedder: Embedder, blocks: Iterable[Sequence[Pending]]
) -> Iterator[list[Embedded]]:
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

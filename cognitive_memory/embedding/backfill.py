"""Giving vectors to the memories that waited for the model."""

from __future__ import annotations

import logging
import threading

from cognitive_memory.core.batches import batched
from cognitive_memory.core.embedder import Embedder
from cognitive_memory.core.reports import OnProgress
from cognitive_memory.embedding.pipeline import BLOCK, EmbeddingPipeline
from cognitive_memory.embedding.sharing import Databases, take_over
from cognitive_memory.storage.store import MemoryStore
from cognitive_memory.storage.token_codes import TokenReader

LOCK_SECONDS = 3600.0
"""How long to wait for another process that is embedding; then both do it, which costs time but
harms nothing.
"""

_log = logging.getLogger(__name__)


class Backfill:
    """Gives a project's memories the vectors that they lack.

    Vectors of another embedding space are replaced. But where two installations with different
    models work on one project, they would replace each other's for ever: so what another model made
    after we were through is left to it.

    Args:
        store: the project's memories.
        embedder: what makes the vectors.
        others: the databases of other projects, whose vectors of the same texts are as good.
    """

    def __init__(
        self, store: MemoryStore, embedder: Embedder, others: Databases = lambda: ()
    ) -> None:
        self._store = store
        self._embedder = embedder
        self._others = others
        self._finished_at: int | None = None
        """The revision at which everything was embedded here last."""
        self._warned = False

    def run(
        self, *, progress: OnProgress | None = None, stop: threading.Event | None = None
    ) -> int:
        """Embed every memory that has no vector of the current model, the most useful ones first; then make tokens for those that have none.

        What another project on this machine has a vector of is taken from there. A kill loses two blocks at most.

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

        stop = stop or threading.Event()

        def done() -> bool:
            return stop.is_set() or not (self._pending_count() or self._without_tokens())

        if self._store.embedding_space() is None:
            return 0
        total, replace = 0, True
        if not done():
            database = self._store.database
            lock = database.with_name(f"{database.name}-embedding.lock")
            with advisory_lock(lock, LOCK_SECONDS, done):
                replace = self._may_replace()
                total = take_over(
                    self._store, self._embedder.dimension, self._others, stop, replace=replace
                )
                # Once more for what was added or changed meanwhile.
                while not done() and (written := self._pass(stop, replace, total, progress)):
                    total += written
                self._add_tokens(stop)
        if replace and not stop.is_set():
            with self._store.reading() as reader:
                self._finished_at = reader.revision()
        return total

    def _pass(
        self, stop: threading.Event, replace: bool, before: int, progress: OnProgress | None
    ) -> int:
        """Embed what is pending now; `before` so many were embedded already.

        Tells how many were written.
        """

        def report() -> None:
            if progress is not None:
                done = before + pipeline.written
                progress(done, done + self._pending_count())

        with self._store.reading() as reader:
            waiting = reader.vectors.pending_keys(replace=replace)
        with EmbeddingPipeline(self._store, self._embedder, after_block=report) as pipeline:
            for keys in batched(waiting, BLOCK):
                if stop.is_set():
                    break
                with self._store.reading() as reader:
                    block = reader.vectors.pending(keys, replace=replace)
                pipeline.add(block)
        return pipeline.written

    def _add_tokens(self, stop: threading.Event) -> None:
        """Make the tokens of memories that were given a vector by an earlier release, or by an import."""
        last_key: int | None = None
        with EmbeddingPipeline(self._store, self._embedder, tokens_alone=True) as pipeline:
            while self._without_tokens() and not stop.is_set():
                with self._store.reading() as reader:
                    block = TokenReader(reader.vectors).pending(before=last_key, limit=BLOCK)
                if not block:
                    break
                last_key = block[-1].key
                pipeline.add(block)

    def _may_replace(self) -> bool:
        """Whether vectors of another embedding space are to be made anew in the current one."""
        if self._finished_at is None:
            return True
        with self._store.reading() as reader:
            other = reader.vectors.other_space_since(self._finished_at)
        if other is not None and not self._warned:
            self._warned = True
            _log.warning(
                "%s: another installation uses the model %s on this project, here it is %s; its vectors are left to it, and "
                "what it embeds is found here by words alone. Use one release and variant for both.",
                *(self._store.database, other, self._store.embedding_space()),
            )
        return other is None

    def _pending_count(self) -> int:
        with self._store.reading() as reader:
            return reader.vectors.pending_count()

    def _without_tokens(self) -> int:
        if not self._embedder.has_tokens():
            return 0
        with self._store.reading() as reader:
            return TokenReader(reader.vectors).pending_count()

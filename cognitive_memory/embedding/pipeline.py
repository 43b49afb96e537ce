"""Embedding memories beside reading and writing them."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from typing import Self

from cognitive_memory.core.arrays import FloatArray
from cognitive_memory.core.batches import batched
from cognitive_memory.core.embedder import Embedder, Tokens
from cognitive_memory.core.memory import NewMemory
from cognitive_memory.core.reports import OnProgress, StoreReport
from cognitive_memory.embedding.embedder import embedded_text, message_alone
from cognitive_memory.storage.store import MemoryStore
from cognitive_memory.storage.token_codes import write_tokens
from cognitive_memory.storage.vectors import Embedded, Pending
from cognitive_memory.storage.writing import Writer
from heimdall.errors import HeimdallError

BLOCK = 256
"""How many memories are embedded and written together: what a kill loses at most, and how long
others wait for a turn.
"""

_log = logging.getLogger(__name__)


class EmbeddingPipeline:
    """Embeds blocks of memories in a thread, one ahead: while it computes, the last block is written and the next one read.

    A context manager that finishes.

    Args:
        store: where the vectors are written.
        embedder: what makes them.
        optional: whether the memories may as well wait for their vectors: then nothing is embedded
            if the model is not on this machine, and after a failure no more.
        tokens_alone: whether the memories have their vectors and lack their tokens.
        after_block: called when a block is embedded and written.

    Attributes:
        blocks: how many blocks are embedded and written.
        written: how many memories were given a vector, or a reason to have none; or tokens, if
            these alone are made.
    """

    def __init__(
        self,
        store: MemoryStore,
        embedder: Embedder,
        *,
        optional: bool = False,
        tokens_alone: bool = False,
        after_block: Callable[[], None] = lambda: None,
    ) -> None:
        self.blocks = 0
        self.written = 0
        self._store = store
        self._embedder = embedder
        self._optional = optional
        self._tokens_alone = tokens_alone
        self._after_block = after_block
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="heimdall-embed")
        self._running: Future[list[Embedded]] | None = None

    @cached_property
    def _open(self) -> bool:
        """Whether blocks are taken.

        Asked for the first one, since to know it may cost a look at files.
        """
        possible = self._embedder.embedding_space() is not None and self._embedder.ready()
        return possible or not self._optional

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None and not issubclass(kind, Exception):
            # Ctrl-C: nobody waits for a block, which takes seconds and can be made again.
            self._running = None
            self._pool.shutdown(wait=False, cancel_futures=True)
            return
        try:
            self._finish()
        finally:
            self._pool.shutdown()

    def add(self, block: Sequence[Pending]) -> None:
        """One more block; its memories are stored already.

        Raises:
            HeimdallError: the model can't be had, or the vectors can't be written, unless embedding
                is optional.
        """
        if self._open:
            following = self._pool.submit(
                _outcomes, self._embedder, block, tokens_alone=self._tokens_alone
            )
            self._finish()
            self._running = following

    def _finish(self) -> None:
        running, self._running = self._running, None
        if running is None or not self._open:
            return
        try:
            if outcomes := running.result():
                # Vectors can be made again, so nobody waits for the disk.
                with self._store.writing(durable=False) as writer:
                    self.written += self._write(writer, outcomes)
        except HeimdallError as error:
            if not self._optional:
                raise
            self._open = False
            _log.warning("stored, but not embedded yet: %s", error)
        else:
            self.blocks += 1
            self._after_block()

    def _write(self, writer: Writer, outcomes: Sequence[Embedded]) -> int:
        if self._tokens_alone:
            return write_tokens(writer, outcomes)
        dimension = self._embedder.dimension
        try:
            written = writer.write_vectors(outcomes, dimension)
        except ValueError:  # the database says another size, which the model's vectors never had
            writer.drop_unfit_vectors(dimension)
            written = writer.write_vectors(outcomes, dimension)
        write_tokens(writer, outcomes)
        return written


def store_many(
    store: MemoryStore,
    embedder: Embedder,
    memories: Iterable[NewMemory],
    *,
    embed: bool,
    progress: OnProgress | None,
    by_hand: bool = False,
) -> StoreReport:
    """Store memories in blocks, and embed each block while the next one is read and written.

    What `ProjectMemory.store_many` does.
    """
    ids: list[str] = []
    changes: Counter[str] = Counter()

    def report() -> None:
        if progress is not None and ids:
            progress(len(ids), min(pipeline.blocks * BLOCK, len(ids)))

    with EmbeddingPipeline(store, embedder, optional=True) as pipeline:
        for block in batched(memories, BLOCK):
            with store.writing() as writer:
                of_block = writer.put(block, by_hand=by_hand)
                keys = [item.key for item in of_block] if embed else []
                pending = writer.vectors.pending(keys=keys)
            ids += (item.id for item in of_block)
            changes.update(str(item.change) for item in of_block)
            if embed:
                pipeline.add(pending)
            report()
    report()
    return StoreReport(**changes, ids=tuple(ids))


def _outcomes(
    embedder: Embedder, block: Sequence[Pending], *, tokens_alone: bool = False
) -> list[Embedded]:
    """Embed a block.

    A text that can't be embedded gets the reason instead of a vector, and does not stop the others.
    """
    from cognitive_memory.encoding import TextError

    if not block:
        return []
    texts = [embedded_text(item.text, item.context) for item in block]
    tokens: Sequence[Tokens | None] = [None] * len(block)
    try:
        if embedder.has_tokens():
            vectors, tokens = embedder.embed_with_tokens(texts)
        else:
            vectors = embedder.embed(texts)
    except TextError as error:
        if error.index is None:
            raise
        bad = block[error.index]
        others = [*block[: error.index], *block[error.index + 1 :]]
        refused = Embedded(bad.key, bad.content_hash, None, error.problem)
        return [refused, *_outcomes(embedder, others, tokens_alone=tokens_alone)]
    if not tokens_alone:
        _add_messages(embedder, block, vectors)
    return [
        Embedded(
            item.key,
            item.content_hash,
            vector.astype("<f4", copy=False).tobytes(),
            tokens=None if of_text is None else of_text.codes.tobytes(),
        )
        for item, vector, of_text in zip(block, vectors, tokens, strict=True)
    ]


def _add_messages(embedder: Embedder, block: Sequence[Pending], vectors: FloatArray) -> None:
    """Make each vector the mean of the whole memory's and that of what is read once more by itself."""
    import numpy as np

    from cognitive_memory.encoding import TextError

    messages = {
        row: message
        for row, item in enumerate(block)
        if (message := message_alone(item.text, item.origin)) is not None
    }
    while messages:
        rows = list(messages)
        try:
            alone = embedder.embed(list(messages.values()))
        except TextError as error:  # a message of nothing but marks
            if error.index is None:
                raise
            del messages[rows[error.index]]
            continue
        together = vectors[rows] + alone
        vectors[rows] = together / np.linalg.norm(together, axis=1, keepdims=True)
        return

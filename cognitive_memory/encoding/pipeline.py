"""Texts through tokenizer and model: reading, tokenising and computing at the same time, in bounded memory.

The calling thread reads a window of texts and tokenises it while workers compute the one before; so
no more than two windows are in memory, and an iterator is only ever walked by the thread that asked
for the vectors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from cognitive_memory.core.arrays import FloatArray
from cognitive_memory.encoding.batching import plan_batches
from cognitive_memory.encoding.sessions import Sessions
from cognitive_memory.encoding.token_code import TokenCode, joined
from cognitive_memory.encoding.tokenization import TextTokenizer

if TYPE_CHECKING:
    from cognitive_memory.core.embedder import Tokens


class Block(NamedTuple):
    """Vectors of consecutive texts.

    Attributes:
        first: the first text's place among all, from 0.
        vectors: float32 of shape (texts, embedding_dimension), rows of unit L2 norm.
        cut: places, among all, of the texts that are longer than what is read of one; their ends
            are not in their vectors.
        tokens: those of each text, if they were asked for.
    """

    first: int
    vectors: FloatArray
    cut: tuple[int, ...]
    tokens: tuple[Tokens, ...] = ()


@dataclass(slots=True)
class Pipeline:
    """Embeds windows of texts.

    Attributes:
        tokenizer: the model's.
        sessions: the model's.
        dimension: how many numbers a vector has.
        max_rows: how many texts at most go through the model at once.
        code: makes tokens of ids and hidden states; None: tokens are not asked for.
    """

    tokenizer: TextTokenizer
    sessions: Sessions
    dimension: int
    max_rows: int
    code: TokenCode | None = None
    _pool: ThreadPoolExecutor | None = None

    def blocks(
        self, windows: Iterator[Sequence[str]], done: Callable[[int], None] | None = None
    ) -> Iterator[Block]:
        """Embed windows of checked texts.

        Args:
            windows: each has a text at least. The second one is read before the first one's block
                comes, and so on.
            done: called in this thread whenever some more texts are done, with their number.

        Raises:
            Exception: whatever reading the windows raises, after the blocks of those before.
        """
        ahead: _Work | None = None
        failure: Exception | None = None
        first = 0
        try:
            while failure is None:
                try:
                    work = self._start(next(windows, ()), first)
                except Exception as error:  # noqa: BLE001 (whoever's it is: it is raised below, in its turn)
                    work, failure = None, error
                # After the next window was begun, so that workers are busy while the caller has
                # this one.
                if ahead is not None:
                    yield ahead.finish(done)
                if work is None:
                    break
                ahead = work
                first += work.owners[-1] + 1
        finally:
            if self._pool is not None:
                self._pool.shutdown(cancel_futures=True)
                self._pool = None
        if failure is not None:
            raise failure

    def _start(self, texts: Sequence[str], first: int) -> _Work | None:
        import numpy as np

        if not texts:
            return None
        rows, owners, cut = self.tokenizer(texts, first=first)
        vectors = np.empty((len(rows), self.dimension), dtype=np.float32)
        batches = plan_batches([len(row) for row in rows], max_rows=self.max_rows)
        alone = first == 0 and len(batches) == 1
        session = self.sessions.single() if alone else self.sessions.bulk()

        tokens: dict[int, Tokens] = {}

        def embed(batch: Sequence[int]) -> int:
            texts = [rows[index] for index in batch]
            if self.code is None:
                vectors[batch] = session.run(texts)
            else:
                vectors[batch], states = session.run_whole(texts)
                for index, of_text in zip(batch, states, strict=True):
                    tokens[index] = self.code(rows[index], of_text)
            return sum(
                index + 1 == len(rows) or owners[index + 1] != owners[index] for index in batch
            )

        parts: list[Callable[[], int]]
        if alone:  # few texts are not worth a pool of threads
            parts = [partial(embed, batches[0])]
        else:
            self._pool = self._pool or ThreadPoolExecutor(self.sessions.workers, "heimdall-encode")
            parts = [self._pool.submit(embed, batch).result for batch in batches]
        places = tuple(first + place for place in cut)
        return _Work(first, vectors, owners, places, parts, tokens)


class _Work(NamedTuple):
    """Texts under way: their parts fill `vectors` and `tokens`, a row for each of `owners`, and say how many texts they finished."""

    first: int
    vectors: FloatArray
    owners: Sequence[int]
    cut: tuple[int, ...]
    parts: Sequence[Callable[[], int]]
    tokens: Mapping[int, Tokens]

    def finish(self, done: Callable[[int], None] | None) -> Block:
        for part in self.parts:
            count = part()
            if done is not None:
                done(count)
        vectors = pooled(self.vectors, self.owners)
        tokens = [self.tokens[row] for row in sorted(self.tokens)]
        return Block(self.first, vectors, self.cut, joined(tokens, self.owners))


def pooled(vectors: FloatArray, owners: Sequence[int]) -> FloatArray:
    """The mean of each owner's rows, of unit length.

    The rows themselves where each has an owner of its own.

    Args:
        vectors: shape (rows, width).
        owners: of each row, from 0, ascending, none left out.
    """
    import numpy as np

    if owners[-1] + 1 == len(owners):
        return vectors
    # In float64: a sum of many windows would lose digits that a single text keeps.
    sums = np.zeros((owners[-1] + 1, vectors.shape[1]), dtype=np.float64)
    np.add.at(sums, np.asarray(owners), vectors)
    means: FloatArray = (sums / np.linalg.norm(sums, axis=1, keepdims=True)).astype(np.float32)
    return means

"""From a question to an answer."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Protocol

from cognitive_memory.core.memory import Memory
from cognitive_memory.core.recall import Hit, QuestionError, Recall, RecallFilter, RecallMode
from cognitive_memory.retrieval import fusion, scoring
from cognitive_memory.retrieval.fusion import Candidate
from cognitive_memory.retrieval.keywords import match_expression
from cognitive_memory.retrieval.scoring import Weights
from cognitive_memory.storage.replication import ReplicaSource
from cognitive_memory.storage.vectors import State, Vectors
from heimdall.errors import HeimdallError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cognitive_memory.retrieval.live_index import LiveIndex
    from cognitive_memory.retrieval.vector_index import VectorIndex

MAX_CHARACTERS = 8_000
"""How much of a question is read. The model reads 512 tokens, which are some 2,000 characters of English."""

KEYWORD_HITS = 1_000
"""How many keyword hits take part, the best ones. What comes after them has a small part of the best one's score."""

SPARE = 20
"""How many candidates more than twice the limit are looked at in full, so that duplicates and small extras find a place."""

_EVERYTHING = RecallFilter()


class Memories(Protocol):
    """What is asked of storage: a part of `MemoryStore`."""

    def words(
        self,
        match: str,
        filter: RecallFilter,  # noqa: A002 (the facade's word)
        *,
        limit: int,
        weights: tuple[float, float, float, float],
    ) -> list[tuple[int, float]]:
        """Keys and BM25 scores of memories that match an FTS5 expression, best first."""

    def passing(self, filter: RecallFilter) -> Sequence[int]:  # noqa: A002 (the facade's word)
        """The keys of all memories that pass a filter."""

    def rows(self, keys: Sequence[int]) -> dict[int, Memory]:
        """The memories of keys, in their order."""

    def vectors_since(self, known: State | None) -> Vectors:
        """What changed among the vectors after a state."""

    def pending_count(self) -> int:
        """How many memories have no vector yet."""

    def replica_source(self, label: str) -> ReplicaSource:
        """The memories with a vector of that model."""


class Elsewhere(Protocol):
    """Vectors that are kept elsewhere: a part of `QdrantNearest`."""

    def near(
        self,
        source: ReplicaSource,
        vector: NDArray[np.float32],
        wanted: RecallFilter,
        also: Sequence[int],
    ) -> VectorIndex:
        """The memories that may answer, with their vectors, among them `also`; a `HeimdallError` if that can't be told."""


class Embedder(Protocol):
    """What is asked of the engine."""

    def label(self) -> str | None:
        """Which model it is; None: there is none."""

    def ready(self) -> bool:
        """Whether the model is on this machine."""

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of texts."""


class Recaller:
    """Answers questions about a project's memories. Thread-safe.

    Args:
        memories: where they are.
        embedder: what makes a vector of the question.
        weights: how much each thing counts.
        file: where the vectors may be kept for the next process; None: nowhere.
        elsewhere: where the vectors are searched instead of here, as long as it answers.
    """

    def __init__(
        self,
        memories: Memories,
        embedder: Embedder,
        *,
        weights: Weights | None = None,
        file: Path | None = None,
        elsewhere: Elsewhere | None = None,
    ) -> None:
        self._memories = memories
        self._embedder = embedder
        self._weights = weights or Weights()
        self._file = file
        self._elsewhere = elsewhere
        self._lock = Lock()
        self._index: LiveIndex | None = None

    def recall(
        self,
        question: str,
        *,
        limit: int = 10,
        filter: RecallFilter = _EVERYTHING,  # noqa: A002 (the facade's word)
        explain: bool = False,
        now: datetime | None = None,
    ) -> Recall:
        """Find the memories that answer a question.

        Args:
            question: in any words; only its first `MAX_CHARACTERS` are read.
            limit: how many hits at most; fewer come only when fewer memories pass the filter and could be found.
            filter: which memories may answer.
            explain: tell what each score is made of.
            now: the moment from which age is counted; default: this one.

        Raises:
            QuestionError: the question is blank, or `limit` less than 1.
        """
        if not question.strip():
            raise QuestionError("the question is blank: tell in some words what is looked for")
        if limit < 1:
            raise QuestionError(f"at least 1 hit can be asked for, not {limit}")
        # A lone surrogate can be neither searched nor embedded; terminals produce them for bytes that are no text.
        read = question[:MAX_CHARACTERS].encode(errors="replace").decode()
        notes = (
            []
            if len(question) <= MAX_CHARACTERS
            else [f"Only the question's first {MAX_CHARACTERS} characters count."]
        )
        expression = match_expression(read)
        with ThreadPoolExecutor(1, thread_name_prefix="heimdall-keywords") as beside:
            # SQLite and the model both let other threads work meanwhile.
            words = beside.submit(self._words, expression, filter)
            meaning = self._meaning(read, filter, notes, words)
            keywords = words.result()
        pending = self._memories.pending_count()
        ranked = self._ranked(keywords, meaning, limit, now or datetime.now(UTC))
        if ranked and not keywords:
            notes.append("No memory has a word of the question: the hits rest on meaning alone.")
        if pending:
            waiting = "1 memory has" if pending == 1 else f"{pending} memories have"
            notes.append(f"{waiting} no vector yet and can be found by keywords alone.")
        return Recall(
            hits=tuple(hit if explain else replace(hit, parts={}) for hit in ranked),
            mode=RecallMode.KEYWORDS if meaning is None else RecallMode.HYBRID,
            pending=pending,
            notes=tuple(notes),
        )

    def _words(self, expression: str | None, filter: RecallFilter) -> dict[int, float]:  # noqa: A002 (as above)
        if expression is None:
            return {}
        hits = self._memories.words(
            expression, filter, limit=KEYWORD_HITS, weights=self._weights.columns
        )
        return scoring.relative(dict(hits), self._weights.least_best)

    def _meaning(
        self,
        question: str,
        filter: RecallFilter,  # noqa: A002 (as above)
        notes: list[str],
        words: Future[dict[int, float]],
    ) -> Meaning | None:
        """How near memories' vectors are to the question's; None, with a note why, if that can't be told."""
        label = self._embedder.label()
        if label is None or not self._embedder.ready():
            notes.append(
                "Searched by keywords alone: the embedding model is not on this machine yet."
            )
            return None
        here = None if self._elsewhere else self._vectors().current(label)
        if here is not None and not len(here):
            return None
        try:
            vector = self._embedder.embed([question])[0]
        except HeimdallError as error:
            notes.append(f"Searched by keywords alone: {error}")
            return None
        index = (
            here
            or self._near(label, vector, filter, notes, words)
            or self._vectors().current(label)
        )
        if not len(index):
            return None
        among = None if filter == _EVERYTHING else _as_keys(self._memories.passing(filter))
        return Meaning(index, index.cosines(vector, among))

    def _near(
        self,
        label: str,
        vector: NDArray[np.float32],
        filter: RecallFilter,  # noqa: A002 (as above)
        notes: list[str],
        words: Future[dict[int, float]],
    ) -> VectorIndex | None:
        """What may answer, as far as `elsewhere` knows; None, with a note why, if it can't be asked."""
        if self._elsewhere is None:
            return None
        try:
            return self._elsewhere.near(
                self._memories.replica_source(label), vector, filter, list(words.result())
            )
        except HeimdallError as error:
            notes.append(f"Searched the vectors on this machine instead: {error}")
            return None

    def _vectors(self) -> LiveIndex:
        with self._lock:
            if self._index is None:
                from cognitive_memory.retrieval.live_index import LiveIndex
                from cognitive_memory.retrieval.vector_file import VectorFile

                self._index = LiveIndex(
                    self._memories, None if self._file is None else VectorFile(self._file)
                )
            return self._index

    def _ranked(
        self, keywords: dict[int, float], meaning: Meaning | None, limit: int, now: datetime
    ) -> list[Hit]:
        """The best hits, no two of one text. What a memory gets for itself is looked at for the best candidates only."""
        count = 2 * limit + SPARE
        while True:
            if meaning is None:
                candidates = fusion.by_keywords(keywords, count)
            else:
                candidates = fusion.by_both(
                    keywords, meaning.index, meaning.cosines, self._weights, count
                )
            memories = self._memories.rows([candidate.key for candidate in candidates])
            hits = [
                self._hit(candidate, memories[candidate.key], now)
                for candidate in candidates
                if candidate.key in memories  # another process may have deleted it meanwhile
            ]
            hits = scoring.without_duplicates(sorted(hits, key=lambda hit: -hit.score))
            if len(hits) >= limit or len(candidates) < count:
                return hits[:limit]
            count *= 4

    def _hit(self, candidate: Candidate, memory: Memory, now: datetime) -> Hit:
        extras = scoring.extras(memory, now, self._weights)
        parts = {"keywords": candidate.keywords, "meaning": candidate.meaning, **extras}
        return Hit(memory=memory, score=sum(parts.values()), parts=parts)


@dataclass(frozen=True, slots=True)
class Meaning:
    """How near all memories are to a question: the cosine of each row of an index, -inf where it may not answer."""

    index: VectorIndex
    cosines: NDArray[np.float32]


def _as_keys(keys: Sequence[int]) -> NDArray[np.int64]:
    import numpy as np

    return np.array(keys, dtype=np.int64)

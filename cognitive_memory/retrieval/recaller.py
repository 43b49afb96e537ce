"""From a question to an answer."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from cognitive_memory.core.embedder import Embedder, Tokens
from cognitive_memory.core.local_time import Span, spans_in
from cognitive_memory.core.memory import Origin
from cognitive_memory.core.recall import (
    EVERYTHING,
    MEANING_ALONE,
    NOTHING_FITS,
    WITHOUT_MODEL,
    Hit,
    QuestionError,
    Recall,
    RecallFilter,
    RecallMode,
    waiting,
)
from cognitive_memory.retrieval import late, scoring
from cognitive_memory.retrieval.duplicates import without_duplicates
from cognitive_memory.retrieval.keywords import sought, title_of
from cognitive_memory.retrieval.scoring import Candidate, Meaning, Weights
from cognitive_memory.storage.errors import StorageError
from cognitive_memory.storage.store import MemoryStore
from cognitive_memory.storage.token_codes import TokenReader
from cognitive_memory.storage.vectors import State, UnfitVectorsError, Vectors
from heimdall.errors import HeimdallError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cognitive_memory.retrieval.live_index import LiveIndex
    from cognitive_memory.retrieval.vector_index import VectorIndex

_log = logging.getLogger(__name__)

MAX_CHARACTERS = 8_000
"""How much of a question is read. The model reads 512 tokens, which are some 2,000 characters of
English.
"""

KEYWORD_HITS = 1_000
"""How many keyword hits take part, the best ones, besides those of `MOST_FAVOURED` memories. What
comes after them has a small part of the best one's score.
"""

SPARE = 10
"""How many candidates more than twice the limit are looked at in full, so that duplicates and small
priors find a place.
"""

SPARE_IN_TIME = 200
"""The same for a question that names a time: it lifts memories from further down."""

MOST_FAVOURED = 1_000
"""How many of the memories that were stored by hand, are pinned or important are always looked at,
the newest ones. Where there are more, they are most of what there is, and need no help.
"""

MANY = 1_000
"""From that many vectors that are new or gone on, it is worth to look whether the file is still as it should be."""

Nearest: TypeAlias = "Callable[[NDArray[np.float32], RecallFilter, Collection[int]], VectorIndex]"
"""Asks a server for the memories near a vector that may answer, and adds those of the keys; as
`QdrantNearest.near`.
"""


class Keywords(NamedTuple):
    """What the words of a question bring.

    Attributes:
        scores: each memory that has one, from 0 to 1, by key.
        frequencies: how many memories have each word.
        total: how many memories there are.
    """

    scores: dict[int, float]
    frequencies: dict[str, int]
    total: int


class Recaller:
    """Answers questions about a project's memories. Thread-safe.

    Args:
        store: where they are.
        embedder: what makes a vector of the question.
        weights: how much each thing counts.
        file: where the vectors may be kept for the next process; None: nowhere.
        nearest: searches the vectors on a server, as long as that answers; None: they are searched
            here.
    """

    def __init__(
        self,
        store: MemoryStore,
        embedder: Embedder,
        *,
        weights: Weights | None = None,
        file: Path | None = None,
        nearest: Nearest | None = None,
    ) -> None:
        self._store = store
        self._embedder = embedder
        self._weights = weights or Weights()
        self._file = file
        self._nearest = nearest
        self._standing: tuple[int, frozenset[int]] = (-1, frozenset())

    def recall(
        self,
        question: str,
        *,
        limit: int = 10,
        filter: RecallFilter = EVERYTHING,
        explain: bool = False,
        now: datetime | None = None,
    ) -> Recall:
        """Find the memories that answer a question.

        Args:
            question: in any words; only its first `MAX_CHARACTERS` are read.
            limit: how many hits at most; fewer come only when fewer memories pass the filter and
                could be found.
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
        # A lone surrogate can be neither searched nor embedded; terminals produce them for bytes
        # that are no text.
        read = question[:MAX_CHARACTERS].encode(errors="replace").decode()
        notes = []
        if len(question) > MAX_CHARACTERS:
            notes.append(f"Only the question's first {MAX_CHARACTERS} characters count.")
        with ThreadPoolExecutor(1, thread_name_prefix="heimdall-keywords") as beside:
            # SQLite and the model both let other threads work meanwhile.
            scored = beside.submit(self._keywords, read, filter)
            meaning = self._meaning(read, filter, notes, scored)
            keywords = scored.result()
        with self._store.reading() as reader:
            pending = reader.vectors.pending_count()
        now = now or datetime.now(UTC)
        # Below a title there are logs and data, whose dates nobody asks for.
        spans = spans_in(title_of(read) or read, now)
        ranked = self._ranked(keywords, meaning, limit, now, spans)
        weak = scoring.is_weak(ranked, keywords.total, self._weights)
        if weak:
            notes.append(NOTHING_FITS)
        if ranked and not keywords.scores:
            notes.append(MEANING_ALONE)
        if pending:
            notes.append(waiting(pending))
        return Recall(
            hits=tuple(hit if explain else replace(hit, parts={}) for hit in ranked[:limit]),
            mode=RecallMode.KEYWORDS if meaning is None else RecallMode.HYBRID,
            pending=pending,
            notes=tuple(notes),
            weak=weak,
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

    def _keywords(self, question: str, wanted: RecallFilter) -> Keywords:
        """What keywords bring each memory that has one."""
        terms = sought(question)
        favoured = self._favoured()
        with self._store.reading() as reader:
            frequencies = reader.word_frequencies(terms.terms)
            total = reader.memory_count()
            telling = terms.most_telling(frequencies, total)
            if not telling:
                return Keywords({}, frequencies, total)
            score = partial(
                reader.keyword_scores,
                terms.expression(telling),
                wanted,
                limit=KEYWORD_HITS,
                weights=self._weights.columns,
            )
            scores = score()
            if len(scores) == KEYWORD_HITS and (missed := favoured.difference(scores)):
                scores |= score(among=missed)
        covered = self._weights.coverage * sum(telling.values())
        full = max(self._weights.bm25_floor, covered)
        return Keywords(scoring.relative(scores, full), frequencies, total)

    def _meaning(
        self, question: str, wanted: RecallFilter, notes: list[str], keywords: Future[Keywords]
    ) -> Meaning | None:
        """How near memories' vectors are to the question's.

        None, with a note why, if that can't be told.
        """
        try:
            return self._compared(question, wanted, notes, keywords)
        except UnfitVectorsError as error:
            self._mend(error)
        try:
            return self._compared(question, wanted, notes, keywords)
        except UnfitVectorsError as error:  # of a database that can't be written
            notes.append(f"Searched by keywords alone: {error}.")
            return None

    def _compared(
        self, question: str, wanted: RecallFilter, notes: list[str], keywords: Future[Keywords]
    ) -> Meaning | None:
        """As `_meaning`.

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
                index = self._nearest(vector, wanted, keywords.result().scores)
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

    def _mend(self, error: UnfitVectorsError) -> None:
        """Throw away what vectors are wrong, in the file and in the database.

        They are made again.
        """
        self._index.discard()
        dropped = 0
        with contextlib.suppress(StorageError), self._store.writing() as writer:
            dropped = writer.drop_unfit_vectors(self._embedder.dimension)
        _log.warning(
            "%s: %s; the vector file and %d vectors are thrown away, to be made again",
            *(self._store.database, error, dropped),
        )

    def _favoured(self) -> frozenset[int]:
        """The keys that have a standing; asked again when something changed."""
        with self._store.reading() as reader:
            revision = reader.revision()
            if self._standing[0] != revision:
                self._standing = (revision, frozenset(reader.standing_keys(MOST_FAVOURED)))
            return self._standing[1]

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

    def _ranked(
        self,
        keywords: Keywords,
        meaning: Meaning | None,
        limit: int,
        now: datetime,
        spans: Collection[Span],
    ) -> list[Hit]:
        """The best hits, no two of one text; some more than the limit.

        What a memory gets for itself is looked at for the best candidates only.
        """
        count = 2 * limit + (SPARE_IN_TIME if spans else SPARE)
        favoured = self._favoured()
        while True:
            candidates = self._best(keywords, meaning, count, favoured)
            with self._store.reading() as reader:
                memories = reader.memories([candidate.key for candidate in candidates])
            found = (
                (candidate, memories[candidate.key])
                for candidate in candidates
                if candidate.key in memories  # another process may have deleted it meanwhile
            )
            hits = without_duplicates(scoring.hits(found, now, self._weights, spans))
            if len(hits) >= limit or len(candidates) < count:
                return hits
            count *= 4

    def _best(
        self, keywords: Keywords, meaning: Meaning | None, count: int, favoured: Collection[int]
    ) -> list[Candidate]:
        """The best candidates by words and meaning, and of more of them those by tokens, too."""
        tokens = meaning.tokens if meaning else ()
        most = max(count, scoring.COMPARED_CLOSELY) if tokens else count
        found = scoring.candidates(keywords.scores, meaning, self._weights, most, favoured)
        if not tokens:
            return found
        with self._store.reading() as reader:
            codes = TokenReader(reader.vectors).of_keys([candidate.key for candidate in found])
            commits = reader.of_origin(Origin.COMMIT, codes)
        near = late.mean_nearness(tokens, keywords.frequencies, keywords.total, codes)
        compared = scoring.with_tokens(found, near, self._weights, commits)
        return scoring.best(compared, count, favoured)

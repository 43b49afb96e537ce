"""From a question to an answer."""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from cognitive_memory.core.embedder import Embedder
from cognitive_memory.core.local_time import Span, spans_in
from cognitive_memory.core.memory import Origin
from cognitive_memory.core.recall import (
    EVERYTHING,
    MEANING_ALONE,
    NOTHING_FITS,
    Hit,
    QuestionError,
    Recall,
    RecallFilter,
    RecallMode,
    waiting,
)
from cognitive_memory.retrieval import late, scoring
from cognitive_memory.retrieval.comparer import Comparer, Nearest
from cognitive_memory.retrieval.duplicates import without_duplicates
from cognitive_memory.retrieval.keywords import sought, title_of
from cognitive_memory.retrieval.scoring import Candidate, Meaning, Weights
from cognitive_memory.storage.bm25 import keyword_scores
from cognitive_memory.storage.store import MemoryStore
from cognitive_memory.storage.token_codes import TokenReader

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

    Attributes:
        comparer: compares vectors with the question's.
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
        self._weights = weights or Weights()
        self.comparer = Comparer(store, embedder, file, nearest)
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
            meaning = self.comparer.meaning(read, filter, lambda: scored.result().scores, notes)
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
            scores = keyword_scores(
                reader.connection,
                telling,
                wanted,
                total=total,
                k1=self._weights.k1,
                columns=self._weights.columns,
                limit=KEYWORD_HITS,
                favoured=favoured,
            )
        covered = self._weights.coverage * sum(term.idf for term in telling)
        full = max(self._weights.bm25_floor, covered)
        return Keywords(scoring.relative(scores, full), frequencies, total)

    def _favoured(self) -> frozenset[int]:
        """The keys that have a standing; asked again when something changed."""
        with self._store.reading() as reader:
            revision = reader.revision()
            if self._standing[0] != revision:
                self._standing = (revision, frozenset(reader.standing_keys(MOST_FAVOURED)))
            return self._standing[1]

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

"""Words and meaning, put together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cognitive_memory.retrieval.scoring import Weights

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cognitive_memory.retrieval.vector_index import VectorIndex


@dataclass(frozen=True, slots=True)
class Candidate:
    """A memory that may answer, and what its words and its meaning bring it."""

    key: int
    keywords: float
    meaning: float

    @property
    def score(self) -> float:
        """Both together."""
        return self.keywords + self.meaning


@dataclass(frozen=True, slots=True)
class Meaning:
    """How near memories are to a question: the cosine of each row of an index, -inf where it may not answer."""

    index: VectorIndex
    cosines: NDArray[np.float32]


def by_keywords(keywords: Mapping[int, float], count: int) -> list[Candidate]:
    """Candidates when words are all there is, best first; of equal ones the newer first.

    Args:
        keywords: from 0 to 1, by key.
        count: how many at most.

    >>> [candidate.key for candidate in by_keywords({1: 0.2, 2: 1.0, 3: 0.2}, count=2)]
    [2, 3]
    """
    return _best([Candidate(key, score, 0.0) for key, score in keywords.items()], count)


def by_both(
    keywords: Mapping[int, float], meaning: Meaning, weights: Weights, count: int
) -> list[Candidate]:
    """Candidates by the weighted sum of both, best first; of equal ones the newer first.

    Every row takes part, so no good one is lost because it is high in neither list. A memory that has no vector yet is
    taken to mean as much as its words say: the part of the best cosine that its keywords are of the best keywords.

    Args:
        keywords: from 0 to 1, by key; others have none.
        meaning: of the memories that have a vector.
        weights: how much each counts.
        count: how many at most.
    """
    import numpy as np

    from cognitive_memory.retrieval.vector_index import best_rows

    def candidate(key: int, cosine: float) -> Candidate:
        return Candidate(key, weights.keywords * keywords.get(key, 0.0), weights.meaning * cosine)

    index, cosines = meaning.index, meaning.cosines
    keys = np.fromiter(keywords, dtype=np.int64, count=len(keywords))
    scores = np.fromiter(keywords.values(), dtype=np.float32, count=len(keywords))
    rows = index.rows_of(keys)
    with_vector = rows >= 0
    totals = cosines * np.float32(weights.meaning)
    totals[rows[with_vector]] += scores[with_vector] * np.float32(weights.keywords)
    best = best_rows(totals, count)
    best_cosine = max(0.0, float(cosines.max(initial=0.0)))
    candidates = [
        candidate(key, cosine)
        for key, cosine in zip(index.keys_of(best).tolist(), cosines[best].tolist(), strict=True)
    ]
    candidates += [
        candidate(key, keywords[key] * best_cosine) for key in keys[~with_vector].tolist()
    ]
    return _best(candidates, count)


def _best(candidates: list[Candidate], count: int) -> list[Candidate]:
    return sorted(candidates, key=lambda candidate: (-candidate.score, -candidate.key))[:count]

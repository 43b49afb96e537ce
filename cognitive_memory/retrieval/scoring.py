"""What a score is made of: words and meaning, put together, and what a memory gets for itself.

docs/recall.md has the measurements behind each number.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from cognitive_memory.core.local_time import Span
from cognitive_memory.core.memory import Memory, Origin
from cognitive_memory.core.recall import Hit
from cognitive_memory.retrieval.priors import is_answer, is_test_code, is_within, recency

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cognitive_memory.core.embedder import Tokens
    from cognitive_memory.retrieval.vector_index import VectorIndex

MOST_LIFTED = 10
"""How many memories are lifted by their standing, however far down they are; the tenth is by little."""
COMPARED_CLOSELY = 100
"""How many candidates at least are compared token by token. From 60 to 200 no figure of recall
differs.
"""
_FEW = 50
"""Among so many memories a word is in too large a part of them to tell anything."""
_UNRELATED = 0.3
"""The best cosine of a few memories with a question about something else is below this."""
_STIFFNESS = 0.5
"""Which spread of known keywords, in squares, bends the line to their cosines half way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """How much each thing counts.

    Attributes:
        meaning: share of the cosine in the score; the rest, up to 1, is the keywords'.
        tokens: what a memory gets on top whose tokens are those of the question.
        commits: how far its tokens bring a commit from what tokens bring on average, as part of how
            far they bring others.
        recency: what a memory of this moment gets on top; an older one gets less, half of it after
            `half_life_days`.
        half_life_days: see there.
        importance: what one of importance 1.0 gets on top of one of importance 0.0.
        stored: what one gets that was stored by hand, not loaded, as part of what else it is
            brought.
        pinned: what one gets that is pinned.
        asked: what one gets whose context ends in a question, as part of what that question's own
            memory is brought: it is the answer to that. Where there is none, as half a part of what
            is brought to itself.
        tests: what a comment of test code loses, as part of what words and meaning bring it: it
            tells what is checked, not how or why something is done.
        time: what one gets of a time that the question names, as part of what words and meaning bring
            it.
        k1: how slowly a word that occurs again and again in a memory stops to count. A word of its
            text is often in its context and among its extra words, too, so that says little.
        columns: how much a word counts in text, context, tags, and among what `search_words` adds.
        bm25_floor: the BM25 score up to which the best keyword hit does not count in full. Below
            it, all that matched are words that nearly every memory has.
        coverage: which part of the score that all terms of the question would bring once the best
            keyword hit must have to count in full.
        weak: what words and meaning of an answer's best hit bring together when it answers the
            question; below it, chances are that nothing does.
    """

    meaning: float = 0.65
    tokens: float = 0.3
    commits: float = 2 / 3
    recency: float = 0.02
    half_life_days: float = 90.0
    importance: float = 0.2
    stored: float = 0.6
    pinned: float = 0.1
    asked: float = 0.15
    tests: float = 0.2
    time: float = 0.3
    k1: float = 0.4
    columns: tuple[float, float, float, float] = (1.0, 0.4, 1.0, 1.0)
    bm25_floor: float = 1.0
    coverage: float = 0.4
    weak: float = 0.48

    @property
    def keywords(self) -> float:
        """The keywords' share of the score."""
        return 1.0 - self.meaning


class Candidate(NamedTuple):
    """A memory that may answer, and what its words, its meaning and its tokens bring it."""

    key: int
    keywords: float
    meaning: float
    tokens: float = 0.0

    @property
    def score(self) -> float:
        """All together."""
        return self.keywords + self.meaning + self.tokens


@dataclass(frozen=True, slots=True)
class Meaning:
    """How near memories are to a question: the cosine of each row, -inf where it may not answer.

    Attributes:
        tokens: of the question and of its title, if it has one; none where there are none.
    """

    index: VectorIndex
    cosines: NDArray[np.float32]
    tokens: Sequence[Tokens] = ()


def relative(scores: Mapping[int, float], full: float) -> dict[int, float]:
    """BM25 scores as parts of the best one, or of what counts in full if that is more; from 0 to 1.

    >>> relative({1: 4.0, 2: 1.0}, full=1.0)
    {1: 1.0, 2: 0.25}
    >>> relative({1: 2.0}, full=4.0)  # a word by chance, of a question that has many
    {1: 0.5}
    """
    if not scores:
        return {}
    best = max(full, *scores.values())
    return {key: max(0.0, score) / best for key, score in scores.items()}


def candidates(
    keywords: Mapping[int, float],
    meaning: Meaning | None,
    weights: Weights,
    count: int,
    favoured: Collection[int] = (),
) -> list[Candidate]:
    """What answers best by the weighted sum of words and meaning; of equal ones the newer first.

    Every row takes part, so no good one is lost because it is high in neither list. A memory that
    has no vector yet is taken to mean what memories with such keywords mean (`_expected`); all of
    its score rests on keywords, and is told so.

    Args:
        keywords: from 0 to 1, by key; others have none.
        meaning: of the memories that have a vector; None: words are all there is, and count fully.
        weights: how much each counts.
        count: how many at most.
        favoured: keys of which the best `MOST_LIFTED` come besides.
    """
    if meaning is None:
        answers = [Candidate(key, score, 0.0) for key, score in keywords.items()]
        return best(answers, count, favoured)
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
    first = best_rows(totals, count)
    if favoured:
        among = index.rows_of(np.fromiter(favoured, dtype=np.int64, count=len(favoured)))
        among = among[among >= 0]
        totals[first] = -np.inf  # these are there already
        first = np.concatenate([first, among[best_rows(totals[among], MOST_LIFTED)]])
    answers = [
        candidate(key, cosine)
        for key, cosine in zip(index.keys_of(first).tolist(), cosines[first].tolist(), strict=True)
    ]
    waiting = scores[~with_vector].astype(np.float64)
    highest = max(0.0, float(cosines.max(initial=0.0)))
    known = cosines[rows[with_vector]]
    expected = weights.meaning * _expected(waiting, scores[with_vector], known, highest)
    totals_waiting = weights.keywords * waiting + expected
    answers += [
        Candidate(key, score, 0.0)
        for key, score in zip(keys[~with_vector].tolist(), totals_waiting.tolist(), strict=True)
    ]
    return best(answers, count, favoured)


def _expected(
    keywords: NDArray[np.float64],
    known: NDArray[np.float32],
    cosines: NDArray[np.float32],
    best: float,
) -> NDArray[np.float64]:
    """The cosines to expect of memories with such keywords: on the line through those that are known.

    Few of them bend it little: without any, it leads from nothing to the best cosine.

    Args:
        keywords: of the memories in question, from 0 to 1, shape (n,).
        known: keywords of others, shape (m,), with their `cosines`.
        best: the best cosine of all.
    """
    import numpy as np

    fit = np.isfinite(cosines)
    known, cosines = known[fit], cosines[fit]
    x, y = (float(known.mean()), float(cosines.mean())) if len(known) else (0.0, 0.0)
    slope = (float(((known - x) * cosines).sum()) + _STIFFNESS * best) / (
        float(np.square(known - x).sum()) + _STIFFNESS
    )
    expected: NDArray[np.float64] = np.clip(y + slope * (keywords - x), 0.0, best)
    return expected


def best(answers: Iterable[Candidate], count: int, favoured: Collection[int]) -> list[Candidate]:
    """The best candidates, so many, and of the favoured behind them the best `MOST_LIFTED`."""
    ordered = sorted(answers, key=lambda candidate: (-candidate.score, -candidate.key))
    rest = (candidate for candidate in ordered[count:] if candidate.key in favoured)
    return [*ordered[:count], *islice(rest, MOST_LIFTED)]


def with_tokens(
    candidates: Sequence[Candidate],
    near: Mapping[int, float],
    weights: Weights,
    commits: Collection[int] = (),
) -> list[Candidate]:
    """The candidates with what their tokens bring them.

    One that has none yet is taken for as near as the others are on average, so that it stands where
    it would without any.

    Args:
        candidates: best first. The best `COMPARED_CLOSELY` make the average, so that it is the same
            however many are asked for.
        near: how near the question's tokens are to those of a memory, by key.
        weights: how much each thing counts.
        commits: the keys of those that are commits.
    """
    known = [near[each.key] for each in candidates[:COMPARED_CLOSELY] if each.key in near]
    if not known:
        return list(candidates)
    usual = sum(known) / len(known)

    def brought(key: int) -> float:
        share = weights.commits if key in commits else 1.0
        return weights.tokens * (usual + share * (near.get(key, usual) - usual))

    return [candidate._replace(tokens=brought(candidate.key)) for candidate in candidates]


def standing(memory: Memory, brought: float, weights: Weights) -> dict[str, float]:
    """What a memory gets for what its user made of it. An importance of 0.5, the default, brings nothing.

    Args:
        memory: the memory.
        brought: what the question and its age bring it.
        weights: how much each thing counts.
    """
    return {
        "stored": weights.stored * max(0.0, brought) * (memory.origin is Origin.STORED),
        "pinned": weights.pinned * memory.pinned,
        "importance": weights.importance * (memory.importance - 0.5),
    }


def hits(
    found: Iterable[tuple[Candidate, Memory]],
    now: datetime,
    weights: Weights,
    spans: Collection[Span] = (),
) -> list[Hit]:
    """Memories with their scores, best first; `spans` are the times that the question names.

    The standing of a memory counts in full for the one that it serves best, by a quarter for the
    second, by a ninth for the third. So what somebody stored is not lost among what was loaded, and
    however much they stored, one memory at most is lifted in full over a better one.
    """
    scored: list[tuple[Memory, dict[str, float], dict[str, float]]] = []
    found = list(found)
    said = {memory.text: candidate.score for candidate, memory in found}
    for candidate, memory in found:
        question = said.get(memory.context, candidate.score / 2)
        parts = {
            "keywords": candidate.keywords,
            "meaning": candidate.meaning,
            "tokens": candidate.tokens,
            "asked": weights.asked * question * is_answer(memory),
            "tests": weights.tests * candidate.score * -is_test_code(memory),
            "time": weights.time * candidate.score * is_within(memory, spans),
            "recency": weights.recency * recency(memory, now, weights.half_life_days),
        }
        scored.append((memory, parts, standing(memory, _sum(parts), weights)))
    scored.sort(key=lambda item: -_sum(item[1]) - _sum(item[2]))
    answers, place = [], 0
    for memory, parts, lifts in scored:
        place += _sum(lifts) > 0
        share = 1 / place**2 if _sum(lifts) > 0 else 1.0
        parts |= {name: value * share for name, value in lifts.items()}
        answers.append(Hit(memory=memory, score=_sum(parts), parts=parts))
    return sorted(answers, key=lambda hit: -hit.score)


def is_weak(found: Iterable[Hit], total: int, weights: Weights) -> bool:
    """Whether none of an answer's hits fits the question well; what a memory gets for itself does not count.

    Args:
        found: the hits, with their parts.
        total: how many memories there are. Among few, BM25 tells nothing, and meaning alone is asked.
        weights: how much each thing counts.
    """
    parts = [hit.parts for hit in found]
    meaning = max((part["meaning"] for part in parts), default=0.0)
    if total < _FEW:
        return 0 < meaning < weights.meaning * _UNRELATED
    return bool(parts) and max(p["keywords"] + p["meaning"] for p in parts) < weights.weak


def _sum(parts: Mapping[str, float]) -> float:
    return sum(parts.values())

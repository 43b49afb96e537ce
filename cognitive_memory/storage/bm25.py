"""BM25 with a saturation of one's own, made of what FTS5's brings each term.

FTS5 has k1 = 1.2 and b = 0.75 fixed. Of one term it brings a memory idf · 2.2 · x, where x = f / (f + 1.2 · l),
f is how often the term occurs and l what the memory's length says. Another k1 has f / (f + k1 · l) there, which is
1 / (1 - r + r / x) with r = k1 / 1.2; so neither f nor l need be known.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from itertools import islice
from typing import NamedTuple

from cognitive_memory.core.recall import EVERYTHING, RecallFilter
from cognitive_memory.storage.filters import Conditions, conditions, keys_query
from cognitive_memory.storage.rows import as_json

MOST_SCORED = 30_000
"""Memories that have one term, above which it is looked for beside the next ones alone: to score one takes fifty times
as long as to pass over it, and where there are so many, the best ones have several terms.
"""

_SPARE = 3
"""How many times as many as are wanted are looked for where some of them may not do."""

_LARGEST_KEY = 1 << 25
"""Keys are counted up from 1, and SQLite takes a byte for each up to here."""
_K1 = 1.2
_PARTS = """
WITH terms (term, whole, weight) AS MATERIALIZED (
    SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]')
    FROM json_each(:terms)
)
-- bm25 is negative, the better the lower; 0 where the column counts nothing.
SELECT memory_words.rowid, ifnull(weight / (1 - :r - :r * whole / {bm25}), 0)
FROM terms CROSS JOIN memory_words {join} WHERE memory_words MATCH term AND {where}
"""
_CHOSEN = "(:chosen IS NULL OR substr(:chosen, memory_words.rowid + 1, 1) = x'01')"
"""Looks at a byte for each key: to look for one in a table takes several times as long."""


class Term(NamedTuple):
    """What is looked for.

    Attributes:
        match: in FTS5's query language: one word, phrase or prefix.
        frequency: how many memories have it.
        idf: how much it tells, as FTS5 takes it.
        counts: how often it is counted, as if the question had it so many times.
    """

    match: str
    frequency: int
    idf: float
    counts: int = 1


def keyword_scores(
    connection: sqlite3.Connection,
    terms: Iterable[Term],
    filter: RecallFilter,
    *,
    total: int,
    k1: float,
    columns: tuple[float, float, float, float],
    limit: int,
    favoured: Collection[int] = (),
) -> dict[int, float]:
    """BM25 scores, the higher the better, of memories that have one of the terms, by key; best first.

    The rarest terms are looked for in all memories until so many have one, or more than `MOST_SCORED` have the next:
    then it is looked for in those that have those behind it, too, as many as leave enough. More frequent ones count in all these alone,
    and in those that are favoured: they tell little, and to score each memory that has one takes long. Where that
    finds too few, as with a filter, each term is looked for in all memories. Where few pass the filter, each is looked
    for in these alone.

    Args:
        connection: in a transaction.
        terms: each costs a walk through its list of memories.
        filter: which memories may answer.
        total: how many memories there are.
        k1: how slowly a word that occurs again and again stops to count; 0: it counts once.
        columns: how much a word counts in text, context, tags, and among what `search_words` adds.
        limit: how many at most, besides as many as are favoured.
        favoured: keys of those that come before all others.
    """
    ordered = sorted(terms, key=lambda term: term.frequency)
    # With a filter some of them do not pass: more are worth to be scored than to look for all of them again.
    enough = limit if filter == EVERYTHING else _SPARE * limit
    few = _few(connection, filter)
    where = conditions(filter, row="memory_words.rowid") if few is None else Conditions()
    alone, together = 0, ""
    if few is None:
        alone, together = _narrowed(ordered, enough, _SPARE * limit, total)
    join = "JOIN memories ON memories.key = memory_words.rowid" * ("memories." in str(where))
    bm25 = f"bm25(memory_words, {', '.join(map(repr, map(float, columns)))})"
    query = _PARTS.format(bm25=bm25, join=join, where=f"{_CHOSEN} AND {where}")
    scores = defaultdict[int, float](float)

    def add(some: Sequence[Term], chosen: bytes | None = None) -> None:
        weighed = [
            (term.match, term.idf * (1 + _K1), term.idf * (1 + k1) * term.counts) for term in some
        ]
        values = {"terms": as_json(weighed), "r": k1 / _K1, "chosen": chosen, **where.values}
        for key, part in connection.execute(query, values):
            scores[key] += part

    add(ordered[:alone])
    if alone < len(ordered):
        chosen = few
        if chosen is None:
            query_together = "SELECT rowid FROM memory_words WHERE memory_words MATCH ?"
            found = connection.execute(query_together, (together,)) if together else ()
            chosen = _marked({*scores, *favoured, *(key for (key,) in found)})
        if chosen is not None:
            add(ordered[alone:], chosen)
        uncertain = few is None and (together or filter != EVERYTHING)
        if chosen is None or (uncertain and len(scores.keys() - favoured) < limit):
            scores.clear()
            add(ordered)
    best = sorted(((score, key) for key, score in scores.items()), reverse=True)
    first = [key for _, key in best if key in favoured]
    rest = (key for _, key in best if key not in favoured)
    return {key: scores[key] for key in [*first, *islice(rest, limit + len(favoured) - len(first))]}


def _few(connection: sqlite3.Connection, filter: RecallFilter) -> bytes | None:
    """The memories that pass a filter, marked; None where they are more than `MOST_SCORED`, or no index has them."""
    if filter == EVERYTHING or filter.origins:
        return None
    query, values = keys_query(filter)
    keys = {key for (key,) in connection.execute(f"{query} LIMIT {MOST_SCORED + 1}", values)}
    return _marked(keys) if len(keys) <= MOST_SCORED else None


def _marked(keys: Collection[int]) -> bytes | None:
    """A byte for each key there may be, 1 for these; None where one is none that we gave, as in a damaged file."""
    if not 0 <= min(keys, default=0) <= max(keys, default=0) <= _LARGEST_KEY:
        return None
    marks = bytearray(max(keys, default=0) + 1)
    for key in keys:
        marks[key] = 1
    return bytes(marks)


def _narrowed(terms: Sequence[Term], enough: int, together: int, total: int) -> tuple[int, str]:
    """How many of the terms, rarest first, are looked for in all memories; and what others match that are scored.

    Args:
        terms: rarest first.
        enough: when so many have one, no more are looked for.
        together: how many should be left where terms are looked for together.
        total: how many memories there are.
    """
    found = 0
    for number, term in enumerate(terms):
        if found >= enough:
            return number, ""
        if term.frequency > MOST_SCORED and (several := _together(terms[number:], together, total)):
            return number, several
        found += term.frequency
    return len(terms), ""


def _together(terms: Sequence[Term], enough: int, total: int) -> str:
    """Terms as far as they leave enough memories, if each has them whatever others it has; nothing for less than two."""
    expected, matched = float(total), []
    for term in terms:
        expected *= term.frequency / total
        if expected < enough:
            break
        matched.append(term.match)
    return " AND ".join(matched) if len(matched) > 1 else ""

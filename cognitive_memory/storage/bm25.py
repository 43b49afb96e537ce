"""BM25 with a saturation of one's own, made of what FTS5's brings each term.

FTS5 has k1 = 1.2 and b = 0.75 fixed. Of one term it brings a memory idf · 2.2 · x, where x = f / (f + 1.2 · l),
f is how often the term occurs and l what the memory's length says. Another k1 has f / (f + k1 · l) there, which is
1 / (1 - r + r / x) with r = k1 / 1.2; so neither f nor l need be known.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from cognitive_memory.core.recall import EVERYTHING, RecallFilter
from cognitive_memory.storage.filters import conditions
from cognitive_memory.storage.rows import as_json

MOST_SCORED = 30_000
"""Memories that have one term, above which it is looked for beside the next one alone: to score one takes ten times as
long as to pass over it, and where there are so many, the best ones have several terms.
"""

_K1 = 1.2
_SCORES = """
WITH terms (term, whole, weight, frequent) AS MATERIALIZED (
    SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'),
        json_extract(value, '$[2]'), json_extract(value, '$[3]')
    FROM json_each(:terms)
),
found (key, part) AS MATERIALIZED (
    SELECT memory_words.rowid, {part} FROM terms CROSS JOIN memory_words {join}
    WHERE NOT frequent AND memory_words MATCH term AND {where}
),
others (key) AS (SELECT value FROM json_each(:favoured) {together}),
candidates (key) AS MATERIALIZED (
    SELECT key FROM found UNION ALL SELECT others.key FROM others {join_others} WHERE {where_others}
),
narrowed (key, part) AS MATERIALIZED (
    SELECT memory_words.rowid, {part} FROM terms CROSS JOIN memory_words
    -- With "+", since FTS5 would begin anew for each key.
    WHERE frequent AND memory_words MATCH term AND +memory_words.rowid IN (SELECT key FROM candidates)
)
SELECT key, total(part) AS score
FROM (SELECT * FROM found UNION ALL SELECT * FROM narrowed) GROUP BY key
ORDER BY key IN (SELECT value FROM json_each(:favoured)) DESC, score DESC, key DESC LIMIT :limit
"""


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
    k1: float,
    columns: tuple[float, float, float, float],
    limit: int,
    favoured: Collection[int] = (),
) -> dict[int, float]:
    """BM25 scores, the higher the better, of memories that have one of the terms, by key; best first.

    The rarest terms are looked for in all memories until so many have one, or more than `MOST_SCORED` have the next:
    then it is looked for in those that have the one behind it, too. More frequent ones count in all these alone,
    and in those that are favoured: they tell little, and to score each memory that has one takes long. Where that
    finds too few, as with a filter, each term is looked for in all memories.

    Args:
        connection: in a transaction.
        terms: each costs a walk through its list of memories.
        filter: which memories may answer.
        k1: how slowly a word that occurs again and again stops to count; 0: it counts once.
        columns: how much a word counts in text, context, tags, and among what `search_words` adds.
        limit: how many at most, besides as many as are favoured.
        favoured: keys of those that come before all others.
    """
    where = conditions(filter, row="memory_words.rowid")
    joined = "JOIN memories ON memories.key = " * ("memories." in str(where))
    ordered = sorted(terms, key=lambda term: term.frequency)
    # With a filter some of them do not pass: more are worth to be scored than to look for all of them again.
    alone, together = _narrowed(ordered, limit if filter == EVERYTHING else 3 * limit)
    weighed = [
        (term.match, term.idf * (1 + _K1), term.idf * (1 + k1) * term.counts, number >= alone)
        for number, term in enumerate(ordered)
    ]
    bm25 = f"bm25(memory_words, {', '.join(map(repr, map(float, columns)))})"
    matching = " UNION ALL SELECT rowid FROM memory_words WHERE memory_words MATCH :together"
    query = _SCORES.format(
        part=f"weight / (1 - :r - :r * whole / {bm25})",  # it is negative, the better the lower
        join=joined and f"{joined} memory_words.rowid",
        where=where,
        join_others=joined and f"{joined} others.key",
        where_others=conditions(filter, row="others.key"),
        together=matching * bool(together),
    )
    values = {
        **where.values,
        "terms": as_json(weighed),
        "r": k1 / _K1,
        "favoured": as_json(list(favoured)),
        "together": together,
        "limit": limit + len(favoured),
    }
    scores = dict(connection.execute(query, values))
    uncertain = alone < len(ordered) and (together or filter != EVERYTHING)
    if uncertain and len(scores.keys() - favoured) < limit:
        values["terms"] = as_json([(*term[:3], False) for term in weighed])
        scores = dict(connection.execute(query, values))
    return scores


def _narrowed(terms: Sequence[Term], enough: int) -> tuple[int, str]:
    """How many of the terms, rarest first, are looked for in all memories; and what others match that are scored."""
    found = 0
    for number, term in enumerate(terms):
        if found >= enough:
            return number, ""
        if term.frequency > MOST_SCORED and number + 1 < len(terms):
            return number, f"{term.match} AND {terms[number + 1].match}"
        found += term.frequency
    return len(terms), ""

"""BM25 with a saturation of one's own, made of what FTS5's brings each term.

FTS5 has k1 = 1.2 and b = 0.75 fixed. Of one term it brings a memory idf · 2.2 · x, where x = f / (f + 1.2 · l),
f is how often the term occurs and l what the memory's length says. Another k1 has f / (f + k1 · l) there, which is
1 / (1 - r + r / x) with r = k1 / 1.2; so neither f nor l need be known.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from cognitive_memory.core.recall import EVERYTHING, RecallFilter
from cognitive_memory.storage.filters import conditions
from cognitive_memory.storage.rows import as_json

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
narrowed (key, part) AS MATERIALIZED (
    SELECT memory_words.rowid, {part} FROM terms CROSS JOIN memory_words {join}
    WHERE frequent AND memory_words MATCH term AND {where}
    -- With "+", since FTS5 would begin anew for each key.
    AND +memory_words.rowid IN (
        SELECT key FROM found UNION ALL SELECT value FROM json_each(:favoured)
    )
)
SELECT key, total(part) AS score
FROM (SELECT * FROM found UNION ALL SELECT * FROM narrowed) GROUP BY key
ORDER BY key IN (SELECT value FROM json_each(:favoured)) DESC, score DESC, key DESC LIMIT :limit
"""


@dataclass(frozen=True, slots=True)
class Term:
    """What is looked for.

    Attributes:
        match: in FTS5's query language: one word, phrase or prefix.
        frequency: how many memories have it.
        idf: how much it tells, as FTS5 takes it.
        counts: how often the question has it.
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

    The rarest terms are looked for in all memories until so many have one. More frequent ones count in these
    alone, and in those that are favoured: they tell little, and to score each memory that has one takes long.
    Of memories that pass a filter it is not known how many have a term, so each term is looked for in all of them.

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
    weighed, found = [], 0
    for term in sorted(terms, key=lambda term: term.frequency):
        whole, weight = term.idf * (1 + _K1), term.idf * (1 + k1) * term.counts
        weighed.append((term.match, whole, weight, found >= limit and filter == EVERYTHING))
        found += term.frequency
    bm25 = f"bm25(memory_words, {', '.join(map(repr, map(float, columns)))})"
    query = _SCORES.format(
        part=f"weight / (1 - :r - :r * whole / {bm25})",  # it is negative, the better the lower
        join="JOIN memories ON memories.key = memory_words.rowid" * ("memories." in str(where)),
        where=where,
    )
    values = {
        **where.values,
        "terms": as_json(weighed),
        "r": k1 / _K1,
        "favoured": as_json(list(favoured)),
        "limit": limit + len(favoured),
    }
    return dict(connection.execute(query, values))

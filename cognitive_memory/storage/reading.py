"""Questions to the database, each on a connection that the caller holds."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence

from cognitive_memory.core.memory import Memory, MemoryType
from cognitive_memory.core.recall import RecallFilter
from cognitive_memory.storage.errors import UnknownMemoryError
from cognitive_memory.storage.filters import conditions
from cognitive_memory.storage.rows import COLUMNS, JOINED, as_memory

ORDERS: Mapping[str, tuple[str, str]] = {
    "newest": ("memories.created_at", "DESC"),
    "oldest": ("memories.created_at", "ASC"),
    "changed": ("memories.revision", "DESC"),
    "important": ("memories.importance", "DESC"),
}
"""The orders in which memories can be listed: column and direction. Those of equal value go by key, the same way."""


def by_id(connection: sqlite3.Connection, memory_id: str, model: int | None) -> Memory:
    """The memory of an id.

    Raises:
        UnknownMemoryError: there is none.
    """
    query = f"SELECT {COLUMNS} FROM {JOINED} WHERE memories.id = :id"
    row = connection.execute(query, {"id": memory_id, "model": model}).fetchone()
    if row is None:
        raise UnknownMemoryError((memory_id,))
    return as_memory(row)


def keys_of(connection: sqlite3.Connection, ids: Sequence[str]) -> list[int]:
    """The keys of ids, each once, in their order.

    Raises:
        UnknownMemoryError: naming all that there are none for.
    """
    query = "SELECT id, key FROM memories WHERE id IN (SELECT value FROM json_each(?))"
    found = dict(connection.execute(query, (json.dumps(list(ids)),)))
    wanted = list(dict.fromkeys(ids))
    if unknown := tuple(memory_id for memory_id in wanted if memory_id not in found):
        raise UnknownMemoryError(unknown)
    return [found[memory_id] for memory_id in wanted]


def by_keys(
    connection: sqlite3.Connection, keys: Sequence[int], model: int | None
) -> dict[int, Memory]:
    """The memories of keys, in their order; those that are gone are left out."""
    query = (
        f"SELECT {COLUMNS} FROM {JOINED} WHERE memories.key IN (SELECT value FROM json_each(:keys))"
    )
    rows = connection.execute(
        query, {"keys": json.dumps([int(key) for key in keys]), "model": model}
    )
    found = {row[-1]: as_memory(row) for row in rows}
    return {key: found[key] for key in keys if key in found}


def tagged(connection: sqlite3.Connection, tags: Sequence[str]) -> list[int]:
    """The keys of memories that have any of the tags, oldest first."""
    query = "SELECT DISTINCT memory FROM memory_tags WHERE tag IN (SELECT value FROM json_each(?)) ORDER BY memory"
    return [row[0] for row in connection.execute(query, (json.dumps(list(tags)),))]


def page(
    connection: sqlite3.Connection,
    filter: RecallFilter,  # noqa: A002 (the facade's word)
    *,
    order: str,
    size: int,
    after: str | None,
    pinned: bool | None,
    model: int | None,
) -> list[Memory]:
    """At most `size` memories that pass the filter, in one of `ORDERS`, those after the memory `after`.

    Raises:
        UnknownMemoryError: `after` is not there.
    """
    column, direction = ORDERS[order]
    where = conditions(filter, pinned=pinned)
    if after is not None:
        query = f"SELECT {column}, key FROM memories WHERE id = ?"
        row = connection.execute(query, (after,)).fetchone()
        if row is None:
            raise UnknownMemoryError((after,))
        sign = "<" if direction == "DESC" else ">"
        where.add(
            f"({column}, memories.key) {sign} (:after_value, :after_key)",
            after_value=row[0],
            after_key=row[1],
        )
    query = f"SELECT {COLUMNS} FROM {JOINED} WHERE {where} ORDER BY {column} {direction}, memories.key {direction}"
    rows = connection.execute(
        f"{query} LIMIT :size", {**where.values, "size": size, "model": model}
    )
    return [as_memory(row) for row in rows]


def words(
    connection: sqlite3.Connection,
    match: str,
    filter: RecallFilter,  # noqa: A002 (the facade's word)
    *,
    limit: int,
    weights: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0),
) -> list[tuple[int, float]]:
    """The keys of memories that match an FTS5 expression, with their BM25 score (the higher the better), best first.

    Args:
        match: in FTS5's query language.
        weights: of words in text, context, tags, and of what `search_words` adds.
    """
    where = conditions(filter)
    score = f"-bm25(memory_words, {', '.join(map(repr, map(float, weights)))})"
    joined = (
        "memory_words"
        if not where.clauses
        else "memory_words JOIN memories ON memories.key = memory_words.rowid"
    )
    query = (
        f"SELECT memory_words.rowid, {score} AS score FROM {joined} WHERE memory_words MATCH :match AND {where} "
        "ORDER BY score DESC, memory_words.rowid DESC LIMIT :limit"
    )
    return list(connection.execute(query, {**where.values, "match": match, "limit": limit}))


def passing(connection: sqlite3.Connection, filter: RecallFilter) -> Iterator[int]:  # noqa: A002 (the facade's word)
    """The keys of all memories that pass the filter."""
    where = conditions(filter)
    for row in connection.execute(f"SELECT memories.key FROM memories WHERE {where}", where.values):
        yield row[0]


def revision(connection: sqlite3.Connection) -> int:
    """The project's change counter."""
    return int(connection.execute("SELECT revision FROM project").fetchone()[0])


def sources(connection: sqlite3.Connection) -> dict[str, int]:
    """How many memories each source has."""
    query = "SELECT source, count(*) FROM memories WHERE source IS NOT NULL GROUP BY source ORDER BY source"
    return dict(connection.execute(query))


def types(connection: sqlite3.Connection) -> dict[MemoryType, int]:
    """How many memories each type has; all types are there."""
    found = dict(connection.execute("SELECT type, count(*) FROM memories GROUP BY type"))
    return {kind: found.get(str(kind), 0) for kind in MemoryType}


def tags(connection: sqlite3.Connection) -> dict[str, int]:
    """How many memories have each tag, most frequent first."""
    return dict(
        connection.execute(
            "SELECT tag, count(*) FROM memory_tags GROUP BY tag ORDER BY count(*) DESC, tag"
        )
    )


def pinned_count(connection: sqlite3.Connection) -> int:
    """How many memories are pinned."""
    return int(connection.execute("SELECT count(*) FROM memories WHERE pinned = 1").fetchone()[0])

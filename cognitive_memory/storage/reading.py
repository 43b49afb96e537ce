"""Questions to a project's database."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from cognitive_memory.core.arrays import IntArray
from cognitive_memory.core.memory import LoadState, Memory, MemoryType, Origin, Scope
from cognitive_memory.core.recall import RecallFilter
from cognitive_memory.core.values import MemoryValueError
from cognitive_memory.storage.errors import UnknownMemoryError
from cognitive_memory.storage.filters import TAGGED, Conditions, conditions, keys_query, one_of
from cognitive_memory.storage.rows import COLUMNS, as_json, as_memory
from cognitive_memory.storage.vectors import VectorReader

if TYPE_CHECKING:
    from cognitive_memory.core.history import Event
    from cognitive_memory.core.reports import Deletion

MOST_TOLD = 1_000
"""How many memories are told of one by one, when many are deleted."""

_ORDERS: Mapping[str, tuple[str, str]] = {
    "newest": ("memories.created_at", "DESC"),
    "oldest": ("memories.created_at", "ASC"),
    "changed": ("memories.revision", "DESC"),
    "important": ("memories.importance", "DESC"),
}
"""The orders in which memories can be listed: column and direction. Those of equal value go by key, the same way."""


class Reader:
    """Questions to a project's database, all within one transaction. Made by `MemoryStore.reading`.

    A memory's key is its number within this database; it is never used again.

    Args:
        connection: in a transaction.
        space: the embedding space whose vectors count; None: none.
        scope: where the memories hold.

    Attributes:
        vectors: questions about the vectors.
    """

    def __init__(
        self, connection: sqlite3.Connection, space: str | None, scope: Scope = Scope.PROJECT
    ) -> None:
        self.connection = connection
        self.scope = scope
        self.vectors = VectorReader(connection, space)

    def get(self, memory_id: str) -> Memory:
        """The memory of an id.

        Raises:
            UnknownMemoryError: there is none.
        """
        (memory,) = self.memories(self.keys_of([memory_id])).values()
        return memory

    def history(self, memory_id: str) -> list[Event]:
        """What became of the memory of an id, latest first.

        Raises:
            UnknownMemoryError: there is none.
        """
        from cognitive_memory.storage import history

        (key,) = self.keys_of([memory_id])
        return history.events(self.connection, key, self.memories([key])[key])

    def memories(self, keys: Sequence[int]) -> dict[int, Memory]:
        """The memories of keys, in their order; those that are gone are left out."""
        where = Conditions()
        where.add(f"memories.key IN {one_of('keys')}", keys=as_json(keys))
        by_key = {key: memory for key, memory, _ in self.rows(where)}
        return {key: by_key[key] for key in keys if key in by_key}

    def known(self, ids: Sequence[str]) -> list[Memory]:
        """The memories of those ids that there are memories for, in their order."""
        keys = self.known_keys(ids)
        return list(self.memories([keys[one] for one in ids if one in keys]).values())

    def known_keys(self, ids: Sequence[str]) -> dict[str, int]:
        """The keys of those ids that there are memories for."""
        query = "SELECT id, key FROM memories WHERE id IN (SELECT value FROM json_each(?))"
        return dict(self.connection.execute(query, (as_json(ids),)))

    def ids_that_begin(self, beginning: str) -> list[str]:
        """The ids that begin so, in their order; a beginning is in lower case."""
        # All characters of an id are below "g", so that its index answers.
        query = "SELECT id FROM memories WHERE id >= :one AND id < :one || 'g' ORDER BY id LIMIT 20"
        return [row[0] for row in self.connection.execute(query, {"one": beginning})]

    def says(self, content_hash: bytes) -> bool:
        """Whether a memory has that text and context, whatever its source and origin."""
        query = "SELECT 1 FROM memories WHERE content_hash = ? LIMIT 1"
        return self.connection.execute(query, (content_hash,)).fetchone() is not None

    def stored_texts(self, limit: int = -1) -> dict[int, str]:
        """The texts of the memories that were stored by hand, by key, the newest ones first; -1: all."""
        # The condition of the index `memories_standing`, among which all of them are.
        query = """
            SELECT key, text FROM memories
            WHERE (origin = 'stored') + pinned + (importance > 0.5) > 0 AND origin = 'stored'
            ORDER BY key DESC LIMIT ?
        """
        return dict(self.connection.execute(query, (limit,)))

    def keys_of(self, ids: Sequence[str]) -> list[int]:
        """The keys of ids, each once, in their order.

        Raises:
            UnknownMemoryError: naming all that there are no memories for.
        """
        known = self.known_keys(ids)
        wanted = dict.fromkeys(ids)
        if unknown := tuple(memory_id for memory_id in wanted if memory_id not in known):
            raise UnknownMemoryError(unknown)
        return [known[memory_id] for memory_id in wanted]

    def tagged(self, tags: Sequence[str]) -> Deletion:
        """The memories that have any of the tags."""
        from cognitive_memory.core.reports import Deletion

        chosen, values = f"SELECT DISTINCT memory {TAGGED}", {"tags": as_json(tags)}
        (count,) = self.connection.execute(f"SELECT count(*) FROM ({chosen})", values).fetchone()
        first = f"{chosen} ORDER BY memory LIMIT {MOST_TOLD}"
        keys = [row[0] for row in self.connection.execute(first, values)]
        return Deletion(count, tuple(self.memories(keys).values()))

    def page(
        self,
        filter: RecallFilter,
        *,
        order: str,
        size: int,
        after: str | None,
        pinned: bool | None,
        origin: Origin | None,
    ) -> list[Memory]:
        """At most `size` memories that pass the filter, those after the memory with the id `after`.

        Raises:
            MemoryValueError: there is no such order.
            UnknownMemoryError: `after` is not there.
        """
        if order not in _ORDERS:
            raise MemoryValueError("order", f"expected one of {', '.join(_ORDERS)}, got {order!r}")
        column, direction = _ORDERS[order]
        where = conditions(filter, pinned=pinned, origin=origin)
        if after is not None:
            (key,) = self.keys_of([after])
            query = f"SELECT {column} FROM memories WHERE key = ?"
            (value,) = self.connection.execute(query, (key,)).fetchone()
            sign = "<" if direction == "DESC" else ">"
            # The very values, so that an index answers.
            where.add(
                f"({column}, memories.key) {sign} (:after_value, :after_key)",
                after_value=value,
                after_key=key,
            )
        tail = f"ORDER BY {column} {direction}, memories.key {direction} LIMIT {size}"
        return [memory for _, memory, _ in self.rows(where, tail)]

    def rows(
        self, where: Conditions, tail: str = "", *, vectors: bool = False
    ) -> Iterator[tuple[int, Memory, bytes | None]]:
        """Memories that meet conditions: key, memory, and if `vectors`, its vector as float32 bytes if it has one."""
        query = f"""
            SELECT {COLUMNS}, memories.key, {"embeddings.vector" if vectors else "NULL"} FROM memories
            LEFT JOIN embeddings ON embeddings.memory = memories.key AND embeddings.model = :model
            WHERE {where} {tail}
        """
        values = {**where.values, "model": self.vectors.model}
        for *row, key, vector in self.connection.execute(query, values):
            yield key, as_memory(row, self.scope), vector

    def word_frequencies(self, terms: Sequence[str]) -> dict[str, int]:
        """How many memories match each of some terms in FTS5's query language."""
        query = """
            SELECT value, (SELECT count(*) FROM memory_words WHERE memory_words MATCH value)
            FROM json_each(?)
        """
        return dict(self.connection.execute(query, (as_json(terms),)))

    def memory_count(self) -> int:
        """How many memories there are."""
        return int(self.connection.execute("SELECT memories FROM project").fetchone()[0])

    def keys(self, filter: RecallFilter) -> IntArray:
        """The keys of all memories that pass the filter; some of them twice."""
        import numpy as np

        chosen, values = keys_query(filter)
        # As one text: a row for each takes Python several times as long.
        query = f"SELECT ifnull(group_concat(key), '') FROM ({chosen})"
        (keys,) = self.connection.execute(query, values).fetchone()
        return np.fromstring(keys, dtype=np.int64, sep=",")

    def standing_keys(self, limit: int) -> list[int]:
        """The keys of the newest memories that were stored by hand, are pinned or more important than others."""
        query = """
            SELECT key FROM memories WHERE (origin = 'stored') + pinned + (importance > 0.5) > 0
            ORDER BY key DESC LIMIT ?
        """
        return [row[0] for row in self.connection.execute(query, (limit,))]

    def of_origin(self, origin: Origin, keys: Collection[int]) -> frozenset[int]:
        """Those of some memories, by key, that have an origin."""
        query = f"SELECT key FROM memories WHERE key IN {one_of('keys')} AND +origin = :origin"
        values = {"keys": as_json(list(keys)), "origin": str(origin)}
        return frozenset(row[0] for row in self.connection.execute(query, values))

    def revision(self) -> int:
        """The project's change counter: as long as it stays, nothing has changed."""
        return int(self.connection.execute("SELECT revision FROM project").fetchone()[0])

    def changed_since(self, revision: int) -> dict[str, int]:
        """How many memories were stored or changed after a revision, by origin."""
        query = "SELECT origin, count(*) FROM memories WHERE revision > ? GROUP BY origin"
        return dict(self.connection.execute(query, (revision,)))

    def pinned_and_sources(self) -> tuple[int, int]:
        """How many memories are pinned, and how many sources they come from."""
        # By their indexes, without a look at the memories.
        query = """
            SELECT (SELECT count(*) FROM memories WHERE pinned = 1), count(*)
            FROM (SELECT DISTINCT source FROM memories WHERE source IS NOT NULL)
        """
        pinned, sources = self.connection.execute(query).fetchone()
        return int(pinned), int(sources)

    def types(self) -> dict[MemoryType, int]:
        """How many memories each type has; all types are there."""
        query = "SELECT type, count(*) FROM memories GROUP BY type"
        counts = dict(self.connection.execute(query))
        return {kind: counts.get(str(kind), 0) for kind in MemoryType}

    def tags(self) -> dict[str, int]:
        """How many memories have each tag, most frequent first."""
        query = "SELECT tag, count(*) FROM memory_tags GROUP BY tag ORDER BY count(*) DESC, tag"
        return dict(self.connection.execute(query))

    def load_state(self, source: str) -> LoadState | None:
        """What a loader remembers of one source; None if nothing."""
        query = "SELECT state FROM load_states WHERE source = ?"
        row = self.connection.execute(query, (source,)).fetchone()
        return _load_state(row[0]) if row else None

    def tags_like(self, names: Collection[str]) -> list[str]:
        """The tags that differ from one of the names in case alone, sorted.

        The index is asked for one tag after the other, since memories are many and tags are few.
        """
        wanted = {name.strip().casefold() for name in names}
        query = """
            WITH RECURSIVE each(tag) AS (
                SELECT min(tag) FROM memory_tags
                UNION ALL
                SELECT (SELECT min(tag) FROM memory_tags WHERE tag > each.tag) FROM each
                WHERE each.tag IS NOT NULL
            )
            SELECT tag FROM each WHERE tag IS NOT NULL
        """
        return sorted(tag for (tag,) in self.connection.execute(query) if tag.casefold() in wanted)

    def load_states(self) -> dict[str, LoadState]:
        """What the loaders remember, by source; what is no object is none of theirs."""
        rows = self.connection.execute("SELECT source, state FROM load_states ORDER BY source")
        states = ((source, _load_state(state)) for source, state in rows)
        return {source: state for source, state in states if state is not None}


def _load_state(text: str) -> LoadState | None:
    try:
        state = json.loads(text)
    except (ValueError, RecursionError):  # numbers and depths that JSON allows and Python does not
        return None
    return state if isinstance(state, dict) else None

"""The database as something to be copied: what is in it, in the order in which it came, and whose it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cognitive_memory.core.memory import Memory
from cognitive_memory.storage.filters import Conditions, one_of
from cognitive_memory.storage.reading import Reader
from cognitive_memory.storage.rows import as_json


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells whether the copy of a memory is up to date.

    Attributes:
        owner: which database it is of; a copy of the database's file shares it.
        key: of the memory in that database.
        revision: of the memory or its vector, whichever is later.
        content_hash: of the memory.
    """

    owner: str
    key: int
    revision: int
    content_hash: str

    @property
    def position(self) -> int:
        """A number that orders a database's stamps as revision and key do."""
        return self.revision << _KEY_BITS | self.key


_KEY_BITS = 32
"""Of a position: room for 4 billion keys, and above them for 2 billion revisions in 64 bits."""


def at_position(position: int) -> tuple[int, int]:
    """The revision and key that a position stands for."""
    return position >> _KEY_BITS, position & (1 << _KEY_BITS) - 1


def owner(reader: Reader) -> str:
    """What tells this database from others of the same project; a copy of the file shares it."""
    query = "SELECT project_id || '@' || created_at FROM project"
    return str(reader.connection.execute(query).fetchone()[0])


def dimension(reader: Reader) -> int | None:
    """How many numbers the vectors have; None if nothing was embedded yet."""
    query = "SELECT size / 4 FROM models WHERE model = ?"
    row = reader.connection.execute(query, (reader.vectors.model,)).fetchone()
    return None if row is None else int(row[0])


def stamps(reader: Reader, *, after: Stamp | None = None) -> dict[str, Stamp]:
    """The memories with a vector, those that come after a stamp, by id, in the order of stamps."""
    # CROSS JOIN: SQLite goes from the keys to the memories, and not through all vectors of the model.
    changed = f"({_changed(-1)}) CROSS JOIN" if after else ""
    query = f"""
        SELECT id, memories.key, max(memories.revision, embeddings.revision) AS state, hex(content_hash)
        FROM {changed} embeddings CROSS JOIN memories ON memories.key = embeddings.memory
        WHERE +embeddings.model = :model AND embeddings.vector IS NOT NULL
            {"AND embeddings.memory = changed" if after else ""}
        ORDER BY state, memories.key
    """
    mine = owner(reader)
    rows = reader.connection.execute(query, _values(reader, after))
    return {
        memory_id: Stamp(mine, key, state, digest.lower()) for memory_id, key, state, digest in rows
    }


def keys_after(reader: Reader, stamp: Stamp | None, *, most: int) -> list[int] | None:
    """The keys of memories with a vector that come after a stamp (None: all); None if more than `most` do.

    Takes time for these and not for those before them.
    """
    rows = reader.connection.execute(_changed(most + 1), _values(reader, stamp)).fetchmany(most + 1)
    return None if len(rows) > most else [key for (key,) in rows]


def knows(reader: Reader, stamp: Stamp) -> bool:
    """Whether this database has been in the state in which it gave a stamp: a restored backup has not."""
    query = """
        SELECT max(memories.revision, ifnull(embeddings.revision, 0)), hex(content_hash)
        FROM memories LEFT JOIN embeddings ON memory = key WHERE key = ?
    """
    row = reader.connection.execute(query, (stamp.key,)).fetchone()
    if row is None:
        query = "SELECT EXISTS (SELECT 1 FROM deletions WHERE revision > ? AND memory = ?)"
        return bool(reader.connection.execute(query, (stamp.revision, stamp.key)).fetchone()[0])
    state, digest = row
    same = state == stamp.revision and digest.lower() == stamp.content_hash
    return bool(same or state > stamp.revision)


def _changed(most: int) -> str:
    """A query for the keys with a vector after a revision and key; each of its parts finds `most`, or all for -1.

    Where a load gave many memories one revision, only an index on revision and key answers at once.
    SQLite has it, since the row's number is the end of each index, but does not use it for
    `(revision, key) > (?, ?)`.
    """
    fits = f"+model = :model AND vector IS NOT NULL LIMIT {most}"
    memory = "memories INDEXED BY memories_by_revision CROSS JOIN embeddings ON memory = key"
    vector = "embeddings INDEXED BY embeddings_by_revision"
    return " UNION ".join(
        f"SELECT changed FROM (SELECT {key} AS changed FROM {table} WHERE {later} AND {fits})"
        for key, table, revision in (
            ("key", memory, "memories.revision"),
            ("memory", vector, "revision"),
        )
        for later in (f"{revision} = :revision AND {key} > :key", f"{revision} > :revision")
    )


def _values(reader: Reader, after: Stamp | None) -> dict[str, int]:
    revision, key = (after.revision, after.key) if after else (-1, -1)
    return {"model": reader.vectors.model, "revision": revision, "key": key}


def gone(reader: Reader, since: int) -> list[int] | None:
    """Keys of what was deleted, or lost its vector, after a revision; None if that is no longer known."""
    query = "SELECT deletions_since FROM project"
    (complete_from,) = reader.connection.execute(query).fetchone()
    return None if since < complete_from else reader.vectors.gone(since).tolist()


def replicas(reader: Reader, keys: Sequence[int]) -> dict[int, tuple[Memory, bytes]]:
    """The memories of keys with their vectors, as float32 bytes; those without one are left out."""
    where = Conditions()
    where.add(f"memories.key IN {one_of('keys')}", keys=as_json(keys))
    rows = reader.rows(where, vectors=True)
    return {key: (memory, vector) for key, memory, vector in rows if vector is not None}

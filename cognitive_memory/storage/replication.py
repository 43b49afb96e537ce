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


def owner(reader: Reader) -> str:
    """What tells this database from others of the same project; a copy of the file shares it."""
    query = "SELECT project_id || '@' || created_at FROM project"
    return str(reader.connection.execute(query).fetchone()[0])


def dimension(reader: Reader) -> int | None:
    """How many numbers the vectors have; None if nothing was embedded yet."""
    query = "SELECT size / 4 FROM models WHERE model = ?"
    row = reader.connection.execute(query, (reader.vectors.model,)).fetchone()
    return None if row is None else int(row[0])


def stamps(reader: Reader, *, since: int = 0) -> dict[str, Stamp]:
    """The memories with a vector that are of a revision or later, by id, in the order of revisions."""
    changed = """
        AND memories.key IN (
            SELECT key FROM memories WHERE revision >= :since
            UNION SELECT memory FROM embeddings WHERE revision >= :since)
    """
    query = f"""
        SELECT id, key, max(memories.revision, embeddings.revision) AS state, hex(content_hash)
        FROM embeddings JOIN memories ON memories.key = embeddings.memory
        WHERE embeddings.model = :model AND embeddings.vector IS NOT NULL {changed if since else ""}
        ORDER BY state, key
    """
    mine = owner(reader)
    rows = reader.connection.execute(query, {"model": reader.vectors.model, "since": since})
    return {
        memory_id: Stamp(mine, key, state, digest.lower()) for memory_id, key, state, digest in rows
    }


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

"""Embeddings in the database: who has none, writing them, and all of them as one array."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from cognitive_memory.storage.connections import Transaction

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_UPSERT = """
INSERT INTO embeddings (memory, model, vector, failure, revision)
SELECT key, :model, :vector, :failure, :revision FROM memories WHERE key = :key AND content_hash = :content_hash
ON CONFLICT (memory) DO UPDATE
SET model = excluded.model, vector = excluded.vector, failure = excluded.failure, revision = excluded.revision
"""


_STEP = 4096
"""How many vectors are read at a time."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A memory that needs a vector: its key, what is to be embedded, and the hash that says whether it still fits."""

    key: int
    text: str
    context: str
    content_hash: bytes


@dataclass(frozen=True, slots=True)
class Embedded:
    """The outcome of embedding one memory: a vector as float32 bytes, or the reason why there is none."""

    key: int
    content_hash: bytes
    vector: bytes | None
    failure: str | None = None


class State(NamedTuple):
    """A database at one moment: its revision, and the stamp that tells this history from others with such a revision."""

    revision: int
    stamp: int


@dataclass(frozen=True, slots=True)
class Vectors:
    """Vectors of one model, and what to forget.

    Attributes:
        state: the state of the database that this leads to.
        keys: of memories with a vector that is new since then, shape (n,).
        vectors: theirs, shape (n, dimension); dimension is 0 when there are none.
        gone: keys of memories that have no vector (any more); None means: forget everything you had.
    """

    state: State
    keys: NDArray[np.int64]
    vectors: NDArray[np.float32]
    gone: NDArray[np.int64] | None


def model_number(connection: sqlite3.Connection, label: str | None) -> int | None:
    """The number of a model in this database, or None if nothing was embedded with it yet."""
    row = connection.execute("SELECT model FROM models WHERE label = ?", (label,)).fetchone()
    return None if row is None else int(row[0])


def ensure_model(transaction: Transaction, label: str, size: int) -> int:
    """The number of a model whose vectors have `size` bytes, given now if it has none.

    Raises:
        ValueError: vectors under that label have another size.
    """
    row = transaction.connection.execute(
        "SELECT model, size FROM models WHERE label = ?", (label,)
    ).fetchone()
    if row is None:
        query = "INSERT INTO models (label, size) VALUES (?, ?) RETURNING model, size"
        row = transaction.connection.execute(query, (label, size)).fetchone()
    number, known = row
    if known != size:
        raise ValueError(f"a vector of {label} has {known} bytes here, got one of {size}")
    return int(number)


def pending_count(connection: sqlite3.Connection, model: int | None) -> int:
    """How many memories have neither a vector of the model nor a reason to have none."""
    query = (
        "SELECT memories - ifnull((SELECT embeddings FROM models WHERE model = ?), 0) FROM project"
    )
    return int(connection.execute(query, (model,)).fetchone()[0])


def counts(connection: sqlite3.Connection, model: int | None) -> tuple[int, int]:
    """How many memories have a vector of the model, and how many can't have one."""
    query = """
        SELECT ifnull((SELECT embeddings FROM models WHERE model = :model), 0), count(*)
        FROM embeddings WHERE model = :model AND failure IS NOT NULL
    """
    tried, failed = connection.execute(query, {"model": model}).fetchone()
    return int(tried) - int(failed), int(failed)


def pending(
    connection: sqlite3.Connection,
    model: int,
    *,
    before: int | None,
    limit: int,
    take_over: bool = True,
) -> list[Pending]:
    """Memories without a vector of the model, newest first, from below the key `before`.

    Args:
        take_over: whether one that has a vector of another model is among them.
    """
    query = """
        SELECT key, text, context, content_hash FROM memories
        WHERE (:before IS NULL OR key < :before)
            AND NOT EXISTS (SELECT 1 FROM embeddings WHERE memory = key AND (model = :model OR NOT :take_over))
        ORDER BY key DESC LIMIT :limit
    """
    values = {"model": model, "before": before, "limit": limit, "take_over": take_over}
    return [Pending(*row) for row in connection.execute(query, values)]


def other_model_since(connection: sqlite3.Connection, model: int, revision: int) -> str | None:
    """The label of another model that made vectors after a revision."""
    query = """
        SELECT label FROM embeddings JOIN models USING (model) WHERE embeddings.revision > ? AND model <> ? LIMIT 1
    """
    row = connection.execute(query, (revision, model)).fetchone()
    return None if row is None else str(row[0])


def pending_of(
    connection: sqlite3.Connection, model: int | None, keys: Sequence[int]
) -> list[Pending]:
    """Those of the keys whose memories have neither a vector of the model nor a reason to have none."""
    query = """
        SELECT key, text, context, content_hash FROM memories
        WHERE key IN (SELECT value FROM json_each(:keys))
            AND NOT EXISTS (SELECT 1 FROM embeddings WHERE memory = key AND model = :model)
        ORDER BY key DESC
    """
    rows = connection.execute(
        query, {"model": -1 if model is None else model, "keys": json.dumps(list(keys))}
    )
    return [Pending(*row) for row in rows]


def write(transaction: Transaction, model: int, outcomes: Iterable[Embedded]) -> int:
    """Store the outcomes whose memories are still there and still say the same; what other models made is replaced.

    Returns:
        How many were stored.
    """
    written = 0
    # In the order of keys SQLite fills its pages; against it, it leaves a third of each empty.
    for outcome in sorted(outcomes, key=lambda outcome: outcome.key):
        values = {
            "key": outcome.key,
            "content_hash": outcome.content_hash,
            "vector": outcome.vector,
            "failure": outcome.failure,
            "model": model,
            "revision": transaction.revision,
        }
        written += transaction.connection.execute(_UPSERT, values).rowcount
    return written


def state(connection: sqlite3.Connection) -> State:
    """What a database is at now."""
    query = "SELECT revision, ifnull(stamp, 0) FROM project LEFT JOIN revisions USING (revision)"
    return State(*connection.execute(query).fetchone())


def since(connection: sqlite3.Connection, model: int | None, known: State | None) -> Vectors:
    """What changed among the model's vectors after a state; with None everything there is.

    Changes are remembered for a while only: when `known` is too old, or of another history, everything is given.
    """
    now = state(connection)
    if known == now:
        return Vectors(now, *arrays(iter(()), 0), _gone_keys([]))
    if known is None or not _remembered(connection, known):
        where, values = "model = ? AND vector IS NOT NULL", [model]
        (count,) = connection.execute(
            f"SELECT count(*) FROM embeddings WHERE {where}", values
        ).fetchone()
        rows = connection.execute(
            f"SELECT memory, vector FROM embeddings WHERE {where} ORDER BY memory", values
        )
        return Vectors(now, *arrays(rows, count), None)
    query = "SELECT memory, vector FROM embeddings WHERE revision > ? AND model = ? AND vector IS NOT NULL"
    changed = connection.execute(query, (known.revision, model)).fetchall()
    return Vectors(
        now, *arrays(iter(changed), len(changed)), gone(connection, model, known.revision)
    )


def _remembered(connection: sqlite3.Connection, known: State) -> bool:
    """Whether all that happened after a state can still be told."""
    query = """
        SELECT EXISTS (SELECT 1 FROM revisions, project
            WHERE revisions.revision = ? AND stamp = ? AND revisions.revision >= deletions_since)
    """
    return bool(connection.execute(query, known).fetchone()[0])


def gone(connection: sqlite3.Connection, model: int | None, revision: int) -> NDArray[np.int64]:
    """Keys of what was deleted, or changed and has no vector of the model, after a revision."""
    query = """
        SELECT memory FROM deletions WHERE revision > :revision
        UNION SELECT key FROM memories WHERE revision > :revision AND NOT EXISTS (
            SELECT 1 FROM embeddings WHERE memory = key AND model = :model AND vector IS NOT NULL)
        UNION SELECT memory FROM embeddings WHERE revision > :revision AND (model <> :model OR vector IS NULL)
    """
    rows = connection.execute(
        query, {"revision": revision, "model": -1 if model is None else model}
    )
    return _gone_keys([row[0] for row in rows])


def _gone_keys(keys: Sequence[int]) -> NDArray[np.int64]:
    import numpy as np

    return np.array(keys, dtype=np.int64)


def arrays(
    rows: Iterator[tuple[int, bytes]], count: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Rows as arrays, in steps, so that they are not in memory twice."""
    import numpy as np

    keys = np.empty(count, dtype=np.int64)
    vectors = np.empty((count, 0), dtype=np.float32)
    for start in range(0, count, _STEP):
        block = list(islice(rows, _STEP))
        if not start:
            vectors = np.empty((count, len(block[0][1]) // 4), dtype=np.float32)
        keys[start : start + len(block)] = [row[0] for row in block]
        numbers = np.frombuffer(b"".join(row[1] for row in block), dtype="<f4")
        vectors[start : start + len(block)] = numbers.reshape(len(block), -1)
    return keys, vectors

"""Embeddings in the database: who has none, writing them, and all of them as one array."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

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


@dataclass(frozen=True, slots=True)
class Vectors:
    """Vectors of one model, and what to forget.

    Attributes:
        revision: the state of the database that this leads to.
        keys: of memories with a vector that is new since then, shape (n,).
        vectors: theirs, shape (n, dimension); dimension is 0 when there are none.
        gone: keys of memories that have no vector (any more); None means: forget everything you had.
    """

    revision: int
    keys: NDArray[np.int64]
    vectors: NDArray[np.float32]
    gone: NDArray[np.int64] | None


def model_number(connection: sqlite3.Connection, label: str | None) -> int | None:
    """The number of a model in this database, or None if nothing was embedded with it yet."""
    row = connection.execute("SELECT model FROM models WHERE label = ?", (label,)).fetchone()
    return None if row is None else int(row[0])


def ensure_model(transaction: Transaction, label: str) -> int:
    """The number of a model, given now if it has none."""
    number = model_number(transaction.connection, label)
    if number is None:
        query = "INSERT INTO models (label) VALUES (?) RETURNING model"
        number = int(transaction.connection.execute(query, (label,)).fetchone()[0])
    return number


def pending_count(connection: sqlite3.Connection, model: int | None) -> int:
    """How many memories have neither a vector of the model nor a reason to have none."""
    query = "SELECT memories - ifnull((SELECT embeddings FROM models WHERE model = ?), 0) FROM project"
    return int(connection.execute(query, (model,)).fetchone()[0])


def counts(connection: sqlite3.Connection, model: int | None) -> tuple[int, int]:
    """How many memories have a vector of the model, and how many can't have one."""
    query = "SELECT count(vector), count(failure) FROM embeddings WHERE model = ?"
    embedded, failed = connection.execute(query, (model,)).fetchone()
    return int(embedded), int(failed)


def pending(connection: sqlite3.Connection, model: int, *, before: int | None, limit: int) -> list[Pending]:
    """Memories without a vector of the model, newest first, from below the key `before`."""
    query = """
        SELECT key, text, context, content_hash FROM memories
        WHERE (:before IS NULL OR key < :before)
            AND NOT EXISTS (SELECT 1 FROM embeddings WHERE memory = key AND model = :model)
        ORDER BY key DESC LIMIT :limit
    """
    rows = connection.execute(query, {"model": model, "before": before, "limit": limit})
    return [Pending(*row) for row in rows]


def pending_of(connection: sqlite3.Connection, model: int | None, keys: Sequence[int]) -> list[Pending]:
    """Those of the keys whose memories have neither a vector of the model nor a reason to have none."""
    query = """
        SELECT key, text, context, content_hash FROM memories
        WHERE key IN (SELECT value FROM json_each(:keys))
            AND NOT EXISTS (SELECT 1 FROM embeddings WHERE memory = key AND model = :model)
        ORDER BY key DESC
    """
    rows = connection.execute(query, {"model": -1 if model is None else model, "keys": json.dumps(list(keys))})
    return [Pending(*row) for row in rows]


def write(transaction: Transaction, model: int, outcomes: Iterable[Embedded]) -> int:
    """Store the outcomes whose memories are still there and still say the same; what other models made is replaced.

    Returns:
        How many were stored.
    """
    written = 0
    for outcome in outcomes:
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


def since(connection: sqlite3.Connection, model: int | None, revision: int | None) -> Vectors:
    """What changed among the model's vectors after a revision; with None everything there is.

    Deletions are remembered for a while only: when `revision` is too old, everything is given.
    """
    now, complete_from = connection.execute("SELECT revision, deletions_since FROM project").fetchone()
    if revision is None or revision < complete_from or revision > now:
        query = "SELECT memory, vector FROM embeddings WHERE model = ? AND vector IS NOT NULL ORDER BY memory"
        return Vectors(now, *_arrays(connection.execute(query, (model,)).fetchall()), None)
    query = "SELECT memory, vector FROM embeddings WHERE revision > ? AND model = ? AND vector IS NOT NULL"
    rows = connection.execute(query, (revision, model)).fetchall()
    return Vectors(now, *_arrays(rows), _gone(connection, model, revision))


def _gone(connection: sqlite3.Connection, model: int | None, revision: int) -> NDArray[np.int64]:
    import numpy as np

    query = """
        SELECT memory FROM deletions WHERE revision > :revision
        UNION SELECT key FROM memories WHERE revision > :revision AND NOT EXISTS (
            SELECT 1 FROM embeddings WHERE memory = key AND model = :model AND vector IS NOT NULL)
        UNION SELECT memory FROM embeddings WHERE revision > :revision AND (model <> :model OR vector IS NULL)
    """
    rows = connection.execute(query, {"revision": revision, "model": -1 if model is None else model})
    return np.fromiter((row[0] for row in rows), dtype=np.int64)


def _arrays(rows: Sequence[tuple[int, bytes]]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    import numpy as np

    keys = np.fromiter((row[0] for row in rows), dtype=np.int64, count=len(rows))
    vectors = np.frombuffer(b"".join(row[1] for row in rows), dtype="<f4").astype(np.float32, copy=False)
    return keys, vectors.reshape(len(rows), -1) if rows else vectors.reshape(0, 0)

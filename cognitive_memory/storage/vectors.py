"""Embeddings in the database: who has none, and those there are as one array."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from cognitive_memory.core.arrays import FloatArray, IntArray
from cognitive_memory.core.memory import COMMENT_KINDS, Origin
from cognitive_memory.storage.filters import Conditions, one_of
from cognitive_memory.storage.rows import as_json
from heimdall.errors import HeimdallError

_USEFUL_FIRST = f"""
CASE origin WHEN 'stored' THEN 0 WHEN 'commit' THEN 2 ELSE
    CASE WHEN json_valid(metadata) AND json_extract(metadata, '$.kind') IN {COMMENT_KINDS} THEN 3 ELSE 1 END
END, created_at DESC, key DESC
"""

_STEP = 4096
"""How many vectors are read at a time."""

PENDING = "key, text, context, origin, content_hash"
"""The columns of memories that `waiting` reads."""


class Pending(NamedTuple):
    """A memory that needs a vector: its key, what is to be embedded, how it came here, and the hash that says whether it still fits."""

    key: int
    text: str
    context: str
    origin: Origin
    content_hash: bytes


class Embedded(NamedTuple):
    """The outcome of embedding one memory: a vector as float32 bytes, or the reason why there is none; and its tokens' codes."""

    key: int
    content_hash: bytes
    vector: bytes | None
    failure: str | None = None
    tokens: bytes | None = None


class UnfitVectorsError(HeimdallError):
    """Vectors are not what the model makes: of another size, or no finite numbers. They can be made again."""


class State(NamedTuple):
    """A database at one moment: its revision, and the stamp that tells this history from others with such a revision."""

    revision: int
    stamp: int


class Vectors(NamedTuple):
    """Vectors of one embedding space, and what to forget.

    Attributes:
        state: the state of the database that this leads to.
        keys: of memories with a vector that is new since then, shape (n,).
        matrix: theirs, shape (n, dimension); dimension is 0 when there are none.
        gone: keys of memories that have no vector (any more); None means: forget everything you had.
    """

    state: State
    keys: IntArray
    matrix: FloatArray
    gone: IntArray | None = None


class VectorReader:
    """Questions about the vectors of one embedding space. A part of `Reader`.

    Args:
        connection: in a transaction.
        space: the embedding space; None: none, so that there are no vectors.
    """

    def __init__(self, connection: sqlite3.Connection, space: str | None) -> None:
        self.connection = connection
        self.space = space

    @property
    def model(self) -> int:
        """The number of the space in this database; -1, which no row has, if nothing was embedded in it yet."""
        return number_of(self.connection, self.space)

    def pending_count(self) -> int:
        """How many memories have neither a vector nor a reason to have none."""
        query = "SELECT memories - ifnull((SELECT embeddings FROM models WHERE model = ?), 0) FROM project"
        return int(self.connection.execute(query, (self.model,)).fetchone()[0])

    def counts(self) -> tuple[int, int]:
        """How many memories have a vector, and how many can't have one."""
        query = """
            SELECT ifnull((SELECT embeddings FROM models WHERE model = :model), 0), count(*)
            FROM embeddings WHERE model = :model AND failure IS NOT NULL
        """
        tried, failed = self.connection.execute(query, {"model": self.model}).fetchone()
        return int(tried) - int(failed), int(failed)

    def pending_keys(self, *, replace: bool = True) -> list[int]:
        """The keys of the memories that have neither a vector nor a reason to have none, the most useful ones first.

        Those are what was stored by hand, then documents and conversations, the history, and comments; of each the new
        ones first.

        Args:
            replace: whether one that has a vector of another space is among them.
        """
        where = self._pending(replace=replace)
        query = f"SELECT key FROM memories WHERE {where} ORDER BY {_USEFUL_FIRST}"
        return [row[0] for row in self.connection.execute(query, where.values)]

    def pending(self, keys: Sequence[int], *, replace: bool = True) -> list[Pending]:
        """Those of some memories that have neither a vector nor a reason to have none; in the order of `pending_keys`.

        Args:
            keys: of the memories.
            replace: as for `pending_keys`.
        """
        where = self._pending(replace=replace)
        where.add(f"key IN {one_of('keys')}", keys=as_json(keys))
        query = f"SELECT {PENDING} FROM memories WHERE {where} ORDER BY {_USEFUL_FIRST}"
        return waiting(self.connection.execute(query, where.values))

    def _pending(self, *, replace: bool) -> Conditions:
        where = Conditions()
        has_one = "memory = key AND (model = :model OR NOT :replace)"
        where.add(
            f"NOT EXISTS (SELECT 1 FROM embeddings WHERE {has_one})",
            model=self.model,
            replace=replace,
        )
        return where

    def other_space_since(self, revision: int) -> str | None:
        """Another embedding space in which vectors were made after a revision."""
        query = """
            SELECT label FROM embeddings JOIN models USING (model)
            WHERE embeddings.revision > ? AND model <> ? LIMIT 1
        """
        row = self.connection.execute(query, (revision, self.model)).fetchone()
        return None if row is None else str(row[0])

    def of_keys(self, keys: Sequence[int]) -> tuple[IntArray, FloatArray]:
        """The vectors of those keys that have one: keys, shape (n,), ascending, and vectors, shape (n, dimension)."""
        condition = f"memory IN {one_of('keys')} ORDER BY memory"
        rows = self._rows(condition, keys=as_json(keys)).fetchall()
        return _arrays(iter(rows), len(rows))

    def since(self, known: State | None) -> Vectors:
        """What changed after a state; with None everything there is.

        Changes are remembered for a while only: when `known` is too old, or of another history, everything is given.
        """
        now = self.state()
        if known is None or (known != now and not self._remembered(known)):
            # By the indexes alone, without a look at the vectors.
            query = """
                SELECT count(*) - (SELECT count(*) FROM embeddings WHERE model = :model AND failure IS NOT NULL)
                FROM embeddings WHERE model = :model
            """
            (count,) = self.connection.execute(query, {"model": self.model}).fetchone()
            return Vectors(now, *_arrays(self._rows("TRUE ORDER BY memory"), count))
        changed = self._rows("revision > :revision", revision=known.revision).fetchall()
        return Vectors(now, *_arrays(iter(changed), len(changed)), self.gone(known.revision))

    def state(self) -> State:
        """The database's, now."""
        query = (
            "SELECT revision, ifnull(stamp, 0) FROM project LEFT JOIN revisions USING (revision)"
        )
        return State(*self.connection.execute(query).fetchone())

    def parts(self) -> Iterator[tuple[IntArray, FloatArray]]:
        """All there are, by key, some at a time: keys, shape (n,), and vectors, shape (n, dimension).

        Raises:
            UnfitVectorsError: they are of several sizes.
        """
        return _parts(self._rows("TRUE ORDER BY memory"))

    def _rows(self, condition: str, **values: object) -> sqlite3.Cursor:
        """Keys and vectors that meet a condition."""
        # The plus keeps SQLite from reading all rows of the model: the condition selects better.
        query = f"""
            SELECT memory, vector FROM embeddings
            WHERE +model = :model AND vector IS NOT NULL AND {condition}
        """
        return self.connection.execute(query, {"model": self.model, **values})

    def gone(self, revision: int) -> IntArray:
        """Keys of what was deleted, or changed and has no vector, after a revision."""
        import numpy as np

        query = """
            SELECT memory FROM deletions WHERE revision > :revision
            UNION SELECT key FROM memories WHERE revision > :revision AND NOT EXISTS (
                SELECT 1 FROM embeddings WHERE memory = key AND model = :model AND vector IS NOT NULL)
            UNION SELECT memory FROM embeddings
                WHERE revision > :revision AND (model <> :model OR vector IS NULL)
        """
        values = {"revision": revision, "model": self.model}
        rows = self.connection.execute(query, values).fetchall()
        return np.array([row[0] for row in rows], dtype=np.int64)

    def _remembered(self, known: State) -> bool:
        """Whether all that happened after a state can still be told."""
        query = """
            SELECT EXISTS (SELECT 1 FROM revisions, project
                WHERE revisions.revision = ? AND stamp = ? AND revisions.revision >= deletions_since)
        """
        return bool(self.connection.execute(query, known).fetchone()[0])


def waiting(rows: Iterable[tuple[int, str, str, str, bytes]]) -> list[Pending]:
    """The memories of rows that have the columns `PENDING`."""
    return [
        Pending(key, text, context, Origin(origin), content_hash)
        for key, text, context, origin, content_hash in rows
    ]


def number_of(connection: sqlite3.Connection, space: str | None) -> int:
    """The number of an embedding space in this database; -1 if nothing was embedded in it yet."""
    row = connection.execute("SELECT model FROM models WHERE label = ?", (space,)).fetchone()
    return -1 if row is None else int(row[0])


def _arrays(rows: Iterator[tuple[int, bytes]], count: int) -> tuple[IntArray, FloatArray]:
    """Rows as arrays, in steps, so that they are not in memory twice."""
    import numpy as np

    keys = np.empty(count, dtype=np.int64)
    matrix = np.empty((count, 0), dtype=np.float32)
    start = 0
    for some, block in _parts(rows):
        if not start:
            matrix = np.empty((count, block.shape[1]), dtype=np.float32)
        keys[start : start + len(some)] = some
        matrix[start : start + len(some)] = block
        start += len(some)
    return keys, matrix


def _parts(rows: Iterator[tuple[int, bytes]]) -> Iterator[tuple[IntArray, FloatArray]]:
    import numpy as np

    size: int | None = None
    while block := list(islice(rows, _STEP)):
        size = len(block[0][1]) if size is None else size
        if {len(row[1]) for row in block} != {size}:
            raise UnfitVectorsError("the database has vectors of several sizes")
        numbers = np.frombuffer(b"".join(row[1] for row in block), dtype="<f4")
        yield np.array([row[0] for row in block], dtype=np.int64), numbers.reshape(len(block), -1)

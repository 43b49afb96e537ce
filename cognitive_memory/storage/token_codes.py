"""The codes of memories' tokens in the database: who has none, and those of some memories together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from cognitive_memory.core.embedder import CODING
from cognitive_memory.storage.filters import one_of
from cognitive_memory.storage.rows import as_json
from cognitive_memory.storage.vectors import (
    PENDING,
    Embedded,
    Pending,
    VectorReader,
    number_of,
    waiting,
)

if TYPE_CHECKING:
    from cognitive_memory.storage.writing import Writer

_UPSERT = """
INSERT INTO tokens (memory, model, codes)
SELECT key, :tokens, :codes FROM memories JOIN embeddings ON memory = key
WHERE key = :key AND content_hash = :content_hash AND embeddings.model = :model AND vector IS NOT NULL
ON CONFLICT (memory) DO UPDATE SET model = excluded.model, codes = excluded.codes
"""


class TokenReader:
    """Questions about the tokens that belong to the vectors of one embedding space.

    Args:
        vectors: questions about these vectors.
    """

    def __init__(self, vectors: VectorReader) -> None:
        self._vectors = vectors
        self._connection = vectors.connection

    @property
    def model(self) -> int:
        """The number of the tokens' own space in this database; -1 if there are none yet."""
        return number_of(self._connection, token_space(self._vectors.space))

    def pending_count(self) -> int:
        """How many memories have a vector and no tokens."""
        embedded, _ = self._vectors.counts()
        query = "SELECT ifnull((SELECT embeddings FROM models WHERE model = ?), 0)"
        (coded,) = self._connection.execute(query, (self.model,)).fetchone()
        return embedded - int(coded)

    def pending(self, *, before: int | None, limit: int) -> list[Pending]:
        """Memories that have a vector and no tokens, newest first.

        Args:
            before: only those with lower keys; None: all.
            limit: how many at most.
        """
        query = f"""
            SELECT {PENDING} FROM embeddings JOIN memories ON key = memory
            WHERE embeddings.model = :model AND vector IS NOT NULL AND (:before IS NULL OR memory < :before)
            AND NOT EXISTS (SELECT 1 FROM tokens WHERE tokens.memory = key AND tokens.model = :tokens)
            ORDER BY memory DESC LIMIT :limit
        """
        values = {
            "model": self._vectors.model,
            "tokens": self.model,
            "before": before,
            "limit": limit,
        }
        return waiting(self._connection.execute(query, values))

    def of_keys(self, keys: Sequence[int]) -> dict[int, bytes]:
        """The codes of those memories that have tokens, by key."""
        query = (
            f"SELECT memory, codes FROM tokens WHERE +model = :model AND memory IN {one_of('keys')}"
        )
        values = {"model": self.model, "keys": as_json(keys)}
        return dict(self._connection.execute(query, values))


def token_space(space: str | None) -> str | None:
    """The name of what tokens depend on that belong to vectors of an embedding space."""
    return space and f"{space}/{CODING}"


def write_tokens(writer: Writer, outcomes: Iterable[Embedded]) -> int:
    """Store the tokens of what was embedded in the current space.

    Those whose memories are gone or say something else now, or have no vector, are left out.

    Returns:
        How many memories were given tokens.
    """
    coded = [outcome for outcome in outcomes if outcome.tokens is not None]
    if not coded:
        return 0
    model = writer.vectors.model
    tokens = writer.ensure_space(str(token_space(writer.vectors.space)), 1)
    rows = [
        {
            "key": outcome.key,
            "content_hash": outcome.content_hash,
            "codes": outcome.tokens,
            "model": model,
            "tokens": tokens,
        }
        for outcome in sorted(coded, key=lambda outcome: outcome.key)
    ]
    return writer.connection.executemany(_UPSERT, rows).rowcount

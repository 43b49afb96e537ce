"""Taking over memories that lines of JSON tell of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice

from cognitive_memory.core.memory import content_hash
from cognitive_memory.core.reports import ImportReport
from cognitive_memory.storage import times, vectors, writing
from cognitive_memory.storage.connections import Connections, Transaction
from cognitive_memory.storage.exchange import ExchangeError, Line, Reader
from cognitive_memory.storage.vectors import Embedded

BLOCK = 500
"""How many memories are taken over in one transaction."""

_OLDER = "older"
_VECTORS = "vectors"


def take_over(connections: Connections, lines: Iterable[str], label: str | None) -> ImportReport:
    """Import lines, in blocks; what is on disk already is not written again.

    A memory that is here already becomes what its line says, unless it was changed here later than there. Vectors are
    taken over where there is none of the current model; they are of use where they are of that model.

    Args:
        lines: as `exchange.export` gives them.
        label: the current model's.

    Raises:
        ExchangeError: a line can't be read; with its number.
        StorageError: the database can't be written.
    """
    reader = Reader()
    counts: Counter[str] = Counter()
    told = (line for line in map(reader.read, lines) if line is not None)
    for block in _blocks(told):
        with connections.writing() as transaction:
            of_block = _take_block(transaction, block, label)
        counts.update(of_block)
    reader.finish()
    return ImportReport(
        added=counts[writing.Change.ADDED],
        unchanged=counts[writing.Change.UNCHANGED],
        updated=counts[writing.Change.UPDATED],
        older=counts[_OLDER],
        vectors=counts[_VECTORS],
    )


def _blocks(lines: Iterator[Line]) -> Iterator[list[Line]]:
    while block := list(islice(lines, BLOCK)):
        yield block


def _take_block(transaction: Transaction, block: list[Line], label: str | None) -> Counter[str]:
    counts: Counter[str] = Counter()
    current = vectors.model_number(transaction.connection, label)
    now = times.now()
    for line in block:
        key = _newer(transaction, line)
        if key is None:
            stored = writing.put_one(transaction, line.memory, line.updated_at or now)
            key = stored.key
            counts[stored.change] += 1
        else:
            counts[_OLDER] += 1
        counts[_VECTORS] += _take_vector(transaction, line, key, current)
    return counts


def _newer(transaction: Transaction, line: Line) -> int | None:
    """The key of the memory if it was changed here after the line was written."""
    if line.memory.id is None or line.updated_at is None:
        return None
    query = "SELECT key FROM memories WHERE id = ? AND updated_at > ?"
    row = transaction.connection.execute(query, (line.memory.id, line.updated_at)).fetchone()
    return None if row is None else int(row[0])


def _take_vector(transaction: Transaction, line: Line, key: int, current: int | None) -> int:
    if line.label is None:
        return 0
    row = transaction.connection.execute(
        "SELECT model FROM embeddings WHERE memory = ?", (key,)
    ).fetchone()
    model = vectors.model_number(transaction.connection, line.label)
    if row is not None and (row[0] == current or row[0] == model):
        return 0
    if line.vector is not None:
        try:
            model = vectors.ensure_model(transaction, line.label, len(line.vector))
        except ValueError as error:
            raise ExchangeError(line.number, f"vector: {error}") from None
    if model is None:  # only a reason why there is no vector, of a model that is not known here
        return 0
    digest = content_hash(line.memory.text, line.memory.context)
    return vectors.write(transaction, model, [Embedded(key, digest, line.vector, line.failure)])

"""Importing memories from lines of JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from cognitive_memory.core.batches import batched
from cognitive_memory.core.history import How
from cognitive_memory.core.memory import NewMemory, Origin, content_hash
from cognitive_memory.core.reports import ImportReport
from cognitive_memory.storage import times
from cognitive_memory.storage.json_lines import JsonLineError, Line, LineReader
from cognitive_memory.storage.store import MemoryStore
from cognitive_memory.storage.vectors import Embedded, number_of
from cognitive_memory.storage.writing import Writer

BLOCK = 500
"""How many memories are imported in one transaction."""


def import_lines(store: MemoryStore, lines: Iterable[str], *, own: bool = False) -> ImportReport:
    """Import lines, in blocks; what is on disk already is not written again.

    A memory that is here already becomes what its line says, unless it was changed here later than there. Vectors are
    taken where there is none of the current embedding space; they are of use where they are of that space.

    Args:
        store: where to.
        lines: as `export_lines` gives them.
        own: whether the user's own export made them. Then each memory keeps the origin that its line names; otherwise
            whatever they add or change here is adopted, since any file can say that the user stored what is in it.

    Raises:
        JsonLineError: a line can't be read; with its number.
        StorageError: the database can't be written.
    """
    reader = LineReader()
    report = import_read(store, reader.read(lines), own=own)
    reader.finish()
    return report


def import_read(store: MemoryStore, lines: Iterable[Line], *, own: bool = False) -> ImportReport:
    """As `import_lines`, of lines that were read and checked."""
    counts: Counter[str] = Counter()
    for block in batched(lines, BLOCK):
        with store.writing() as writer:
            counts += _import_block(writer, block, own=own)
    return ImportReport(**counts)


def _import_block(writer: Writer, block: list[Line], *, own: bool) -> Counter[str]:
    counts: Counter[str] = Counter()
    current = writer.vectors.model
    now = times.now()
    for line in block:
        key = _newer(writer, line)
        if key is None:
            memory = line.memory if own else replace(line.memory, origin=Origin.ADOPTED)
            stored = writer.put_one(memory, line.updated_at or now, how=_how(memory))
            key = stored.key
            counts[str(stored.change)] += 1
        else:
            counts["older"] += 1
        counts["vectors"] += _import_vector(writer, line, key, current)
    return counts


def _how(memory: NewMemory) -> How | None:
    """What an import is in a history; what loaders made, they make again."""
    return None if memory.origin in {Origin.DOCUMENT, Origin.COMMIT} else How.IMPORTED


def _newer(writer: Writer, line: Line) -> int | None:
    """The key of the memory if it was changed here after the line was written."""
    if line.memory.id is None or line.updated_at is None:
        return None
    query = "SELECT key FROM memories WHERE id = ? AND updated_at > ?"
    row = writer.connection.execute(query, (line.memory.id, line.updated_at)).fetchone()
    return None if row is None else int(row[0])


def _import_vector(writer: Writer, line: Line, key: int, current: int) -> int:
    """Store a line's vector where that is of use; tells how many were: 1 or 0."""
    if line.space is None:
        return 0
    query = "SELECT model FROM embeddings WHERE memory = ?"
    row = writer.connection.execute(query, (key,)).fetchone()
    model = number_of(writer.connection, line.space)
    if row is not None and row[0] in {current, model}:
        return 0
    if line.vector is not None:
        try:
            model = writer.ensure_space(line.space, len(line.vector))
        except ValueError as error:
            raise JsonLineError(line.number, f"vector: {error}") from None
    if model < 0:  # only a reason why there is no vector, of a space that is not known here
        return 0
    digest = content_hash(line.memory.text, line.memory.context)
    return writer.write_vector(Embedded(key, digest, line.vector, line.failure), model)

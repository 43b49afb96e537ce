"""A project's database, open: whole operations, each in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from cognitive_memory.core.memory import Json, Memory, MemoryValueError, NewMemory, content_hash
from cognitive_memory.core.recall import RecallFilter
from cognitive_memory.core.reports import ImportReport, SourceReport
from cognitive_memory.core.status import MemoryStatus
from cognitive_memory.storage import exchange, importing, load_states, reading, vectors, writing
from cognitive_memory.storage.connections import Connections, Transaction
from cognitive_memory.storage.replication import ReplicaSource
from cognitive_memory.storage.schema import Prepared, prepare
from cognitive_memory.storage.vectors import Embedded, Pending, State, Vectors
from cognitive_memory.storage.writing import Change, Stored

PAGE = 500
"""How many memories are read at a time while somebody walks through many."""

CHANGEABLE = ("text", "type", "tags", "source", "context", "importance", "pinned", "metadata")
"""What `update` may change."""


class MemoryStore:
    """The memories of one project, on disk. Thread-safe, and safe beside other processes.

    Args:
        prepared: the database, as `prepare` left it.
        label: which model's vectors count, asked for when it matters; None when there is no model.
    """

    def __init__(self, prepared: Prepared, label: Callable[[], str | None]) -> None:
        self.database = prepared.database
        self.prepared = prepared
        self._label = label
        self._connections = Connections(prepared.database, read_only=prepared.read_only)

    @classmethod
    def open(
        cls, database: Path, *, project_id: str | None = None, label: Callable[[], str | None]
    ) -> Self:
        """Make, migrate or just open a database.

        Raises:
            StorageError: as `prepare` does.
        """
        return cls(prepare(database.absolute(), project_id=project_id), label)

    def close(self) -> None:
        """Close the files."""
        self._connections.close()

    # -- writing

    def put(self, memories: Iterable[NewMemory]) -> list[Stored]:
        """Store memories, as `writing.put` does, in one transaction."""
        with self._connections.writing() as transaction:
            return writing.put(transaction, memories)

    def update(self, memory_id: str, changes: dict[str, Any]) -> Memory:
        """Change fields of a memory; those of `CHANGEABLE`.

        Raises:
            UnknownMemoryError: there is no such memory.
            MemoryValueError: a field can't be changed, or not to that.
        """
        if unknown := sorted(set(changes) - set(CHANGEABLE)):
            raise MemoryValueError(
                unknown[0], f"can't be changed; what can: {', '.join(CHANGEABLE)}"
            )
        with self._connections.writing() as transaction:
            connection = transaction.connection
            model = vectors.model_number(connection, self._label())
            old = reading.by_id(connection, memory_id, model)
            before = NewMemory(
                **{name: getattr(old, name) for name in CHANGEABLE},
                id=old.id,
                created_at=old.created_at,
            )
            writing.put(transaction, [replace(before, **changes)])
            return reading.by_id(connection, memory_id, model)

    def delete(self, ids: Sequence[str]) -> list[Memory]:
        """Delete memories, all or none.

        Raises:
            UnknownMemoryError: naming every id that there is no memory for; nothing was deleted.
        """
        with self._connections.writing() as transaction:
            connection = transaction.connection
            keys = reading.keys_of(connection, ids)
            return self._remove(transaction, keys)

    def delete_by_tags(self, tags: Sequence[str]) -> list[Memory]:
        """Delete every memory that has any of the tags."""
        with self._connections.writing() as transaction:
            connection = transaction.connection
            keys = reading.tagged(connection, tags)
            return self._remove(transaction, keys)

    def _remove(self, transaction: Transaction, keys: Sequence[int]) -> list[Memory]:
        model = vectors.model_number(transaction.connection, self._label())
        memories = reading.by_keys(transaction.connection, keys, model)
        writing.remove(transaction, keys)
        return list(memories.values())

    def replace_source(self, source: str, memories: Sequence[NewMemory]) -> SourceReport:
        """Make `memories` all that comes from a source; those without an id get one that follows from their content."""
        occurrences: dict[bytes, int] = {}
        identified = []
        for memory in memories:
            digest = content_hash(memory.text, memory.context)
            number = occurrences[digest] = occurrences.get(digest, -1) + 1
            identified.append(
                replace(
                    memory, source=source, id=memory.id or writing.source_id(source, digest, number)
                )
            )
        with self._connections.writing() as transaction:
            stored, gone = writing.replace_source(transaction, source, identified)
        changes = [item.change for item in stored]
        return SourceReport(
            added=changes.count(Change.ADDED),
            unchanged=changes.count(Change.UNCHANGED),
            updated=changes.count(Change.UPDATED),
            removed=len(gone),
        )

    def take_over(self, lines: Iterable[str]) -> ImportReport:
        """Import lines of JSON; as `importing.take_over`."""
        return importing.take_over(self._connections, lines, self._label())

    # -- reading

    def export(self, *, vectors: bool) -> Iterator[str]:
        """All memories as lines of JSON, at one moment; as `exchange.export`."""
        with self._connections.reading() as connection:
            yield from exchange.export(connection, vectors=vectors)

    def get(self, memory_id: str) -> Memory:
        """The memory of an id.

        Raises:
            UnknownMemoryError: there is none.
        """
        with self._connections.reading() as connection:
            return reading.by_id(
                connection, memory_id, vectors.model_number(connection, self._label())
            )

    def rows(self, keys: Sequence[int]) -> dict[int, Memory]:
        """The memories of keys, in their order; those that are gone are left out."""
        with self._connections.reading() as connection:
            return reading.by_keys(
                connection, keys, vectors.model_number(connection, self._label())
            )

    def keys_of(self, ids: Sequence[str]) -> list[int]:
        """The keys of ids.

        Raises:
            UnknownMemoryError: naming all that there are none for.
        """
        with self._connections.reading() as connection:
            return reading.keys_of(connection, ids)

    def tagged(self, tags: Sequence[str]) -> list[Memory]:
        """Every memory that has any of the tags."""
        with self._connections.reading() as connection:
            model = vectors.model_number(connection, self._label())
            return list(
                reading.by_keys(connection, reading.tagged(connection, tags), model).values()
            )

    def memories(
        self,
        filter: RecallFilter,  # noqa: A002 (the facade's word)
        *,
        order: str,
        limit: int | None,
        after: str | None,
        pinned: bool | None,
    ) -> Iterator[Memory]:
        """Memories that pass a filter, page by page: no lock is held and no state kept while the caller works.

        Raises:
            MemoryValueError: there is no such order.
            UnknownMemoryError: `after` is not there.
        """
        if order not in reading.ORDERS:
            raise MemoryValueError(
                "order", f"expected one of {', '.join(reading.ORDERS)}, got {order!r}"
            )
        left = limit
        while left is None or left > 0:
            size = PAGE if left is None else min(PAGE, left)
            with self._connections.reading() as connection:
                model = vectors.model_number(connection, self._label())
                page = reading.page(
                    connection,
                    filter,
                    order=order,
                    size=size,
                    after=after,
                    pinned=pinned,
                    model=model,
                )
            yield from page
            if len(page) < size:
                return
            left = None if left is None else left - size
            after = page[-1].id

    def sources(self) -> dict[str, int]:
        """How many memories each source has."""
        with self._connections.reading() as connection:
            return reading.sources(connection)

    def status(self) -> MemoryStatus:
        """Everything counted, at one moment."""
        label = self._label()
        with self._connections.reading() as connection:
            model = vectors.model_number(connection, label)
            types = reading.types(connection)
            embedded, failed = vectors.counts(connection, model)
            return MemoryStatus(
                database=self.database,
                project_id=self.prepared.project_id,
                schema_version=self.prepared.version,
                revision=reading.revision(connection),
                size=self._size(),
                memories=sum(types.values()),
                pinned=reading.pinned_count(connection),
                types=types,
                tags=reading.tags(connection),
                sources=len(reading.sources(connection)),
                embedded=embedded,
                pending=vectors.pending_count(connection, model),
                not_embeddable=failed,
                model=label,
            )

    def _size(self) -> int:
        files = (self.database, self.database.with_name(f"{self.database.name}-wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    # -- for indexes

    def revision(self) -> int:
        """The project's change counter: as long as it stays, nothing has changed."""
        with self._connections.reading() as connection:
            return reading.revision(connection)

    def words(
        self,
        match: str,
        filter: RecallFilter,  # noqa: A002 (the facade's word)
        *,
        limit: int,
        weights: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0),
    ) -> list[tuple[int, float]]:
        """Keys and BM25 scores of memories that match an FTS5 expression; as `reading.words`."""
        with self._connections.reading() as connection:
            return reading.words(connection, match, filter, limit=limit, weights=weights)

    def passing(self, filter: RecallFilter) -> list[int]:  # noqa: A002 (the facade's word)
        """The keys of all memories that pass a filter."""
        with self._connections.reading() as connection:
            return list(reading.passing(connection, filter))

    def vectors_since(self, known: State | None) -> Vectors:
        """What changed among the current model's vectors after a state; with None all of them. As `vectors.since`."""
        with self._connections.reading() as connection:
            return vectors.since(connection, vectors.model_number(connection, self._label()), known)

    def replica_source(self, label: str) -> ReplicaSource:
        """The memories that have a vector of that model, to be copied elsewhere."""
        return ReplicaSource(self._connections, label)

    # -- for loaders

    def load_states(self) -> dict[str, Mapping[str, Json]]:
        """What the loaders remember, by source."""
        with self._connections.reading() as connection:
            return load_states.read(connection)

    def set_load_states(self, states: Mapping[str, Mapping[str, Json] | None]) -> None:
        """Remember these states; None forgets one."""
        with self._connections.writing() as transaction:
            load_states.write(transaction, states)

    # -- for those who embed

    def pending_count(self) -> int:
        """How many memories still need a vector of the current model."""
        with self._connections.reading() as connection:
            return vectors.pending_count(
                connection, vectors.model_number(connection, self._label())
            )

    def pending(
        self, *, label: str, before: int | None, limit: int, take_over: bool = True
    ) -> list[Pending]:
        """Memories without a vector of that model, newest first, from below the key `before`; as `vectors.pending`."""
        with self._connections.reading() as connection:
            model = vectors.model_number(connection, label)
            number = -1 if model is None else model
            return vectors.pending(
                connection, number, before=before, limit=limit, take_over=take_over
            )

    def other_model_since(self, label: str, revision: int) -> str | None:
        """The label of another model than that, if it made vectors after a revision."""
        with self._connections.reading() as connection:
            model = vectors.model_number(connection, label)
            return vectors.other_model_since(connection, -1 if model is None else model, revision)

    def pending_of(self, label: str, keys: Sequence[int]) -> list[Pending]:
        """Those of the keys whose memories have no vector of that model."""
        with self._connections.reading() as connection:
            return vectors.pending_of(connection, vectors.model_number(connection, label), keys)

    def write_vectors(self, label: str, size: int, outcomes: Sequence[Embedded]) -> int:
        """Store outcomes of embedding with that model, whose vectors have `size` bytes; as `vectors.write`."""
        with self._connections.writing(durable=False) as transaction:
            return vectors.write(
                transaction, vectors.ensure_model(transaction, label, size), outcomes
            )

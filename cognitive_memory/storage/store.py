"""A project's database, open: each use of it is one transaction."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cognitive_memory.core.memory import Scope
from cognitive_memory.storage import connections
from cognitive_memory.storage.connections import Connections
from cognitive_memory.storage.errors import read_only_error
from cognitive_memory.storage.files import size_on_disk
from cognitive_memory.storage.reading import Reader
from cognitive_memory.storage.schema import prepare

if TYPE_CHECKING:
    from cognitive_memory.core.reports import Deletion
    from cognitive_memory.core.status import MemoryStatus
    from cognitive_memory.storage.writing import Writer


class MemoryStore:
    """The memories of one project, on disk. Thread-safe, and safe beside other processes.

    Making one makes, migrates or just opens the database.

    Args:
        database: the file; its directory is made.
        project_id: for a new database; default: a new UUID. An existing database keeps its own.
        embedding_space: which vectors count, asked for when it matters; None when no model is pinned.
        scope: where the memories hold.

    Attributes:
        prepared: the database, as `prepare` left it.

    Raises:
        StorageError: as `prepare` does.
    """

    def __init__(
        self,
        database: Path,
        *,
        project_id: str | None = None,
        embedding_space: Callable[[], str | None],
        scope: Scope = Scope.PROJECT,
    ) -> None:
        self.scope = scope
        self.prepared = prepare(database.absolute(), project_id=project_id)
        self.database = self.prepared.database
        self.embedding_space = embedding_space
        self._connections = Connections(self.database, read_only=self.prepared.read_only)

    def close(self) -> None:
        """Close the files."""
        self._connections.close()

    @contextlib.contextmanager
    def reading(self) -> Iterator[Reader]:
        """Questions in a read transaction: everything within sees the same state of the database.

        Raises:
            StorageError: the database can't be read, or was closed.
        """
        space = self.embedding_space()
        with self._connections.transaction("BEGIN") as connection:
            yield Reader(connection, space, self.scope)

    @contextlib.contextmanager
    def writing(self, *, durable: bool = True) -> Iterator[Writer]:
        """Questions and changes in a write transaction, committed at the end, rolled back on any error.

        Args:
            durable: force it to disk, so that it survives a power cut too; without, it survives the end of any process,
                and is as complete and as consistent. For what can be made again.

        Raises:
            DatabaseBusyError: other processes kept the database locked for `connections.BUSY_SECONDS`.
            StorageError: as the file's state is.
        """
        from cognitive_memory.storage.writing import Writer

        if self.prepared.read_only:
            raise read_only_error(self.database)
        space = self.embedding_space()  # before the lock is taken: it may read the manifest
        synchronous = f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}"
        # The lock at once: a transaction that read first could not wait for it.
        with self._connections.transaction(synchronous, "BEGIN IMMEDIATE") as connection:
            if durable:
                self._connections.settle(connection)
            yield Writer(connection, space, self.scope)
            connection.execute("COMMIT")

    def delete_tagged(self, tags: Sequence[str]) -> Deletion:
        """Delete for good all memories that have any of the tags, however many they are, and give their space back.

        Raises:
            DatabaseBusyError, StorageError: as `writing` does.
        """
        from cognitive_memory.storage import mass_deletion
        from cognitive_memory.storage.writing import Writer

        if self.prepared.read_only:
            raise read_only_error(self.database)
        space = self.embedding_space()
        with connections.opened(self.database) as connection:
            for statement in (*mass_deletion.PREPARED, "BEGIN IMMEDIATE"):
                connection.execute(statement)
            self._connections.settle(connection)
            deleted = Writer(connection, space, self.scope).delete_tagged(tags)
            connection.execute("COMMIT")
            mass_deletion.give_back(connection)
        return deleted

    def status(self) -> MemoryStatus:
        """Everything counted, at one moment."""
        from cognitive_memory.core.status import MemoryStatus

        with self.reading() as reader:
            types = reader.types()
            pinned, sources = reader.pinned_and_sources()
            embedded, not_embeddable = reader.vectors.counts()
            return MemoryStatus(
                database=self.database,
                project_id=self.prepared.project_id,
                schema_version=self.prepared.version,
                revision=reader.revision(),
                size=size_on_disk(self.database),
                memories=sum(types.values()),
                pinned=pinned,
                types=types,
                tags=reader.tags(),
                sources=sources,
                embedded=embedded,
                pending=reader.vectors.pending_count(),
                not_embeddable=not_embeddable,
                model=reader.vectors.space,
            )

"""A project's memory: what the command line, the server and the loaders work with."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cognitive_memory.core.config import EmbeddingConfig
from cognitive_memory.core.memory import Json, Memory, NewMemory, as_id
from cognitive_memory.core.recall import Recall, RecallFilter
from cognitive_memory.core.reports import ImportReport, SourceReport, StoreReport
from cognitive_memory.core.status import MemoryStatus
from cognitive_memory.embedding import backfill, bulk
from cognitive_memory.embedding.embedder import Embedder, ModelEmbedder
from cognitive_memory.qdrant.nearest import QdrantNearest
from cognitive_memory.qdrant.settings import QdrantSettings
from cognitive_memory.retrieval.recaller import Recaller
from cognitive_memory.retrieval.scoring import Weights
from cognitive_memory.storage.backup import back_up, problems_in, restore
from cognitive_memory.storage.replication import ReplicaSource
from cognitive_memory.storage.store import MemoryStore
from heimdall.errors import HeimdallError

_EVERYTHING = RecallFilter()
_log = logging.getLogger(__name__)


class ProjectMemory:
    """The memories of one project. Thread-safe; several processes may work on one database at once.

    Made by `open`; a context manager that closes.

    Attributes:
        database: the database file.
        project_id: the id that is stored in it, so that a moved project keeps its memory.
        migration_backup: where the state before a schema migration was kept, if opening it migrated it.
    """

    def __init__(
        self,
        store: MemoryStore,
        embedder: Embedder,
        *,
        qdrant: QdrantSettings | None = None,
        weights: Weights | None = None,
    ) -> None:
        self._store = store
        self._embedder = embedder
        self._backfill = backfill.Backfill(store, embedder)
        self._nearest = QdrantNearest(qdrant, store.prepared.project_id) if qdrant else None
        file = store.database.with_suffix(".vectors")
        self._recaller = Recaller(
            store, embedder, weights=weights, file=file, elsewhere=self._nearest
        )
        self.database = store.database
        self.project_id = store.prepared.project_id
        self.migration_backup = store.prepared.backup

    @classmethod
    def open(
        cls,
        database: Path,
        *,
        project_id: str | None = None,
        config: EmbeddingConfig | None = None,
        qdrant: QdrantSettings | None = None,
        weights: Weights | None = None,
    ) -> Self:
        """Open a project's database; make it if there is none, migrate it if it is older. Loads no model.

        Args:
            database: the file; its directory is made.
            project_id: for a new database; default: a new UUID. An existing database keeps its own.
            config: which model makes vectors; default: `EmbeddingConfig` that reads long memories whole.
            qdrant: where the vectors are searched; default: on this machine.
            weights: how much each thing counts in recall; default: as measured.

        Raises:
            NewerSchemaError: a newer release made it; not a byte was changed.
            DatabaseUnreadableError: it is damaged or something else; not a byte was changed.
            StorageError: it can't be read or written.
        """
        embedder = ModelEmbedder(config)
        store = MemoryStore.open(database, project_id=project_id, label=embedder.label)
        return cls(store, embedder, qdrant=qdrant, weights=weights)

    def close(self) -> None:
        """Close the database's files, and the connection to Qdrant."""
        self._store.close()
        if self._nearest is not None:
            self._nearest.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    # -- writing

    def store(self, memory: NewMemory, *, embed: bool = True) -> Memory:
        """Store one memory; when this returns it is on disk and every process sees it.

        Without an id, the same text and context from the same source is stored once: what is there already comes back,
        with new tags and a pin added. With an id, what that id says is replaced.

        Args:
            embed: make its vector at once if the model is on this machine; otherwise it waits for `embed_pending`.

        Raises:
            StorageError: it could not be stored.
        """
        (stored,) = self._store.put([memory])
        if embed:
            self._embed_now([stored.key])
        return self._store.get(stored.id)

    def store_many(
        self,
        memories: Iterable[NewMemory],
        *,
        embed: bool = True,
        progress: backfill.Progress | None = None,
    ) -> StoreReport:
        """Store any number of memories, as `store` does, in blocks; each block is on disk before the next is read.

        Args:
            memories: read as they are needed.
            embed: make the vectors too if the model is on this machine; otherwise they wait for `embed_pending`.
            progress: called after each block with how many were stored so far, and for how many of those embedding is over.

        Returns:
            What happened, and the id of each.
        """
        return bulk.store_many(
            self._store, self._embedder, memories, embed=embed, progress=progress
        )

    def replace_source(self, source: str, memories: Sequence[NewMemory]) -> SourceReport:
        """Make `memories` all that comes from `source`, in one transaction; what it no longer gives is removed.

        Memories without an id get one that follows from source and content, so that a repeat changes nothing. Vectors
        are left to `embed_pending`, which makes them in large batches.
        """
        return self._store.replace_source(source, memories)

    def remove_source(self, source: str) -> int:
        """Remove all that comes from `source`; tells how many that were. If it was loaded, loading it again brings it back."""
        self._store.set_load_states({source: None})
        return self._store.replace_source(source, ()).removed

    def update(self, memory_id: str, **changes: Any) -> Memory:
        """Change fields of a memory: text, type, tags, source, context, importance, pinned, metadata.

        Raises:
            UnknownMemoryError: there is no such memory.
            MemoryValueError: a field can't be changed, or not to that.
        """
        memory = self._store.update(as_id(memory_id), changes)
        if not memory.embedded:
            self._embed_now(self._store.keys_of([memory.id]))
            memory = self._store.get(memory.id)
        return memory

    def delete(self, memory_ids: Iterable[str]) -> tuple[Memory, ...]:
        """Delete memories, all or none, and return what they were.

        Raises:
            UnknownMemoryError: naming every id that there is no memory for; nothing was deleted.
        """
        return tuple(self._store.delete([as_id(memory_id) for memory_id in memory_ids]))

    def delete_by_tags(self, tags: Iterable[str], *, dry_run: bool = False) -> tuple[Memory, ...]:
        """Delete every memory that has any of the tags, and return what they were; `dry_run` only returns them."""
        wanted = [tag.strip() for tag in tags]
        return tuple(self._store.tagged(wanted) if dry_run else self._store.delete_by_tags(wanted))

    # -- reading

    def get(self, memory_id: str) -> Memory:
        """The memory of an id.

        Raises:
            UnknownMemoryError: there is none.
            MemoryValueError: it is no UUID.
        """
        return self._store.get(as_id(memory_id))

    def memories(
        self,
        filter: RecallFilter = _EVERYTHING,  # noqa: A002 (the domain's word)
        *,
        order: str = "newest",
        limit: int | None = None,
        after: str | None = None,
        pinned: bool | None = None,
    ) -> Iterator[Memory]:
        """List memories.

        Args:
            filter: which; default: all.
            order: "newest" or "oldest" (by what they tell of), "changed" (last stored or changed first), "important".
            limit: how many at most.
            after: the id of the memory after which to begin, for pages.
            pinned: only those that are pinned, or only those that are not.

        Raises:
            MemoryValueError: there is no such order.
            UnknownMemoryError: `after` is not there (any more).
        """
        begin = None if after is None else as_id(after)
        return self._store.memories(filter, order=order, limit=limit, after=begin, pinned=pinned)

    def recall(
        self,
        query: str,
        *,
        limit: int = 10,
        filter: RecallFilter = _EVERYTHING,  # noqa: A002 (the domain's word)
        explain: bool = False,
        wait_for_model: bool = False,
    ) -> Recall:
        """Find the memories that answer a question.

        Args:
            query: the question, in words.
            limit: how many hits at most.
            filter: which memories may answer.
            explain: tell what each score is made of.
            wait_for_model: fetch the model if it is not here; otherwise keywords have to do then.

        Raises:
            QuestionError: the question is blank, or `limit` less than 1.
            heimdall.models.ModelError: the model was waited for and can't be had.
        """
        if wait_for_model:
            self._embedder.fetch()
        return self._recaller.recall(query, limit=limit, filter=filter, explain=explain)

    def sources(self) -> Mapping[str, int]:
        """How many memories come from each source."""
        return self._store.sources()

    def status(self) -> MemoryStatus:
        """Everything counted."""
        return self._store.status()

    # -- whole memories

    def export_lines(self, *, vectors: bool = True) -> Iterator[str]:
        """Everything, as lines of JSON without line ends; what they hold is the state at the first line.

        Args:
            vectors: with the vectors and the label of the model that made each; without them the lines are a tenth as
                long, and whoever imports them embeds again.
        """
        return self._store.export(vectors=vectors)

    def import_lines(self, lines: Iterable[str]) -> ImportReport:
        """Take over memories; a repeat changes nothing. As `importing.take_over`.

        Raises:
            ExchangeError: a line can't be read; with its number.
        """
        return self._store.take_over(lines)

    def backup(self, file: Path, *, force: bool = False) -> None:
        """Copy the database, as it is now, into one checked file; `force` replaces a file that is there.

        Raises:
            StorageError: there is a file already, it can't be written, or the database is damaged.
        """
        back_up(self.database, file, force=force)

    @staticmethod
    def restore(file: Path, database: Path, *, force: bool = False) -> Path | None:
        """Make a database what a backup says; as `storage.backup.restore`. Returns where the replaced one is kept."""
        return restore(file.absolute(), database.absolute(), force=force)

    def integrity(self) -> list[str]:
        """What is wrong with the database; empty when it is sound."""
        return problems_in(self.database)

    # -- for loaders

    def load_states(self) -> Mapping[str, Mapping[str, Json]]:
        """What was remembered of each source that was loaded, in its loader's own words."""
        return self._store.load_states()

    def set_load_states(self, states: Mapping[str, Mapping[str, Json] | None]) -> None:
        """Remember a state for each of these sources, so that a repeated load does only what is left; None forgets it."""
        self._store.set_load_states(states)

    # -- vectors

    def replica_source(self) -> ReplicaSource | None:
        """The memories that have a vector of the current model, to be copied elsewhere; None when no model is pinned."""
        label = self._embedder.label()
        return None if label is None else self._store.replica_source(label)

    def embed_pending(
        self, *, progress: backfill.Progress | None = None, stop: threading.Event | None = None
    ) -> int:
        """Make the vectors that are missing; as `Backfill.run`. Fetches the model if it is not here."""
        return self._backfill.run(progress=progress, stop=stop)

    def _embed_now(self, keys: Sequence[int]) -> None:
        """Embed what was just stored, if that is possible now. It is stored in any case, so a failure only waits."""
        label = self._embedder.label()
        if label is None or not self._embedder.ready():
            return
        try:
            block = self._store.pending_of(label, keys)
            self._store.write_vectors(
                label, self._embedder.dimension * 4, backfill.outcomes(self._embedder, block)
            )
        except HeimdallError as error:
            _log.warning("stored, but not embedded yet: %s", error)

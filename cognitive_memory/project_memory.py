"""A project's memory: what the command line, the server and the loaders work with.

What is no part of a recall is loaded by the method that needs it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from cognitive_memory.core.config import EmbeddingConfig
from cognitive_memory.core.embedder import Embedder
from cognitive_memory.core.memory import Memory, NewMemory, Origin, Scope
from cognitive_memory.core.recall import EVERYTHING, Recall, RecallFilter
from cognitive_memory.core.values import as_id
from cognitive_memory.embedding.embedder import ModelEmbedder
from cognitive_memory.retrieval.recaller import Recaller
from cognitive_memory.retrieval.scoring import Weights
from cognitive_memory.storage.store import MemoryStore

if TYPE_CHECKING:
    from threading import Event

    from cognitive_memory.core.reports import Deletion, ImportReport, OnProgress, StoreReport
    from cognitive_memory.embedding.backfill import Backfill
    from cognitive_memory.embedding.sharing import Databases
    from cognitive_memory.qdrant.nearest import QdrantNearest
    from cognitive_memory.qdrant.settings import QdrantSettings

PAGE = 500
"""How many memories are read at a time while somebody goes through many."""


class ProjectMemory:
    """The memories of one project. Thread-safe; several processes may work on one database at once.

    Made by `open`; a context manager that closes. Each method is one transaction, unless it says
    otherwise. What needs no embedder and no search is asked and changed through `storage`: its
    `status`, and its transactions `reading` and `writing`.

    Attributes:
        database: the database file.
        project_id: the id that is stored in it, so that a moved project keeps its memory.
        migration_backup: where the state before a schema migration was kept, if opening it migrated
            it.
        storage: the database itself.
        weights: how much each thing counts in recall.
    """

    def __init__(
        self,
        storage: MemoryStore,
        embedder: Embedder,
        *,
        qdrant: QdrantSettings | None = None,
        weights: Weights | None = None,
        others: Databases = lambda: (),
    ) -> None:
        self.storage = storage
        self.database = storage.database
        self.project_id = storage.prepared.project_id
        self.migration_backup = storage.prepared.backup
        self.weights = weights or Weights()
        self._embedder = embedder
        self._others = others
        self._nearest: QdrantNearest | None = None
        if qdrant:
            from cognitive_memory.qdrant.nearest import QdrantNearest

            self._nearest = QdrantNearest(qdrant, storage)
        self._recaller = Recaller(
            storage,
            embedder,
            weights=self.weights,
            file=storage.database.with_suffix(".vectors"),
            nearest=self._nearest.near if self._nearest else None,
        )

    @classmethod
    def open(
        cls,
        database: Path,
        *,
        project_id: str | None = None,
        config: EmbeddingConfig | None = None,
        qdrant: QdrantSettings | None = None,
        weights: Weights | None = None,
        scope: Scope = Scope.PROJECT,
        others: Databases = lambda: (),
    ) -> Self:
        """Open a project's database; make it if there is none, migrate it if it is older.

        Loads no model.

        Args:
            database: the file; its directory is made.
            project_id: for a new database; default: a new UUID. An existing database keeps its own.
            config: which model makes vectors; default: `EmbeddingConfig` that reads long memories
                whole.
            qdrant: where the vectors are searched; default: on this machine.
            weights: how much each thing counts in recall; default: as measured.
            scope: where the memories hold.
            others: tells the databases of other projects, the last used one first, whose vectors
                of the same texts are taken over.

        Raises:
            NewerSchemaError: a newer release made it; not a byte was changed.
            DatabaseUnreadableError: it is damaged or something else; not a byte was changed.
            StorageError: it can't be read or written.
        """
        embedder = ModelEmbedder(config)
        storage = MemoryStore(
            database, project_id=project_id, embedding_space=embedder.embedding_space, scope=scope
        )
        return cls(storage, embedder, qdrant=qdrant, weights=weights, others=others)

    @cached_property
    def _backfill(self) -> Backfill:
        from cognitive_memory.embedding.backfill import Backfill

        return Backfill(self.storage, self._embedder, self._others)

    def close(self) -> None:
        """Close the database's files, and the connection to Qdrant."""
        self.storage.close()
        if self._nearest is not None:
            self._nearest.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def store(self, memory: NewMemory, *, embed: bool = True) -> Memory:
        """Store one memory; when this returns it is on disk and every process sees it.

        Without an id, a text is stored once, whatever its case and blanks: what was stored already
        comes back, with details added. Tags are united, the higher importance counts, a pin stays.
        With an id, what that id says is replaced.

        Args:
            embed: make its vector at once if the model is on this machine; otherwise it waits for
                `embed_pending`.

        Raises:
            StorageError: it could not be stored.
        """
        (memory_id,) = self.store_many([memory], embed=embed, by_hand=True).ids
        return self.get(memory_id)

    def store_many(
        self,
        memories: Iterable[NewMemory],
        *,
        embed: bool = True,
        progress: OnProgress | None = None,
        by_hand: bool = False,
    ) -> StoreReport:
        """Store any number of memories in blocks; each block is on disk before the next is read.

        Without an id, the same text and context from the same source and of the same origin is
        stored once: what is there already gets new tags and a pin. With an id, what that id says is
        replaced.

        Args:
            memories: read as they are needed.
            embed: make the vectors too if the model is on this machine; otherwise they wait for
                `embed_pending`.
            progress: called after each block with how many were stored so far, and for how many of
                those embedding is over.
            by_hand: somebody says each of them now, so each text is stored once, as `store` does.
        """
        from cognitive_memory.embedding.pipeline import store_many

        report = store_many(
            self.storage, self._embedder, memories, embed=embed, progress=progress, by_hand=by_hand
        )
        self._recaller.comparer.keep((report.added + report.updated) * embed)
        return report

    def update(self, memory_id: str, **changes: Any) -> Memory:
        """Change fields of a memory: text, type, tags, source, context, importance, pinned, metadata.

        Raises:
            UnknownMemoryError: there is no such memory.
            MemoryValueError: a field can't be changed, or not to that.
        """
        with self.storage.writing() as writer:
            key = writer.update(as_id(memory_id), changes)
            pending = writer.vectors.pending(keys=[key])
        if pending:
            from cognitive_memory.embedding.pipeline import EmbeddingPipeline

            with EmbeddingPipeline(self.storage, self._embedder, optional=True) as embedding:
                embedding.add(pending)
        return self.get(memory_id)

    def delete(self, memory_ids: Iterable[str]) -> tuple[Memory, ...]:
        """Delete memories, all or none, and return what they were.

        Raises:
            UnknownMemoryError: naming every id that there is no memory for; nothing was deleted.
        """
        ids = [as_id(memory_id) for memory_id in memory_ids]
        with self.storage.writing() as writer:
            return writer.delete(writer.keys_of(ids))

    def delete_by_tags(self, tags: Iterable[str], *, dry_run: bool = False) -> Deletion:
        """Delete every memory that has any of the tags, however many they are.

        `dry_run` only tells which.
        """
        wanted = [tag.strip() for tag in tags]
        if dry_run:
            with self.storage.reading() as reader:
                return reader.tagged(wanted)
        deleted = self.storage.delete_tagged(wanted)
        self._recaller.comparer.keep(deleted.count)
        return deleted

    def get(self, memory_id: str) -> Memory:
        """The memory of an id.

        Raises:
            UnknownMemoryError: there is none.
            MemoryValueError: it is no UUID.
        """
        with self.storage.reading() as reader:
            return reader.get(as_id(memory_id))

    def alike(self, memory: Memory) -> list[Memory]:
        """What was stored by hand besides a memory, and says nearly the same or contradicts it; most alike first.

        By words, and where there are vectors by meaning, too.

        Raises:
            UnknownMemoryError: the memory is not there any more.
        """
        from cognitive_memory.retrieval.alike import stored_alike

        with self.storage.reading() as reader:
            return stored_alike(reader, memory)

    def memories(
        self,
        filter: RecallFilter = EVERYTHING,
        *,
        order: str = "newest",
        limit: int | None = None,
        after: str | None = None,
        pinned: bool | None = None,
        origin: Origin | None = None,
    ) -> Iterator[Memory]:
        """List memories, a transaction for each page: no lock is held and no state kept while the caller works.

        Args:
            filter: which; default: all.
            order: "newest" or "oldest" (by what they tell of), "changed" (last stored or changed
                first), "important".
            limit: how many at most.
            after: the id of the memory after which to begin, for pages.
            pinned: only those that are pinned, or only those that are not.
            origin: only those that came here in this way.

        Raises:
            MemoryValueError: there is no such order.
            UnknownMemoryError: `after` is not there (any more).
        """
        begin = None if after is None else as_id(after)
        while limit is None or limit > 0:
            size = PAGE if limit is None else min(PAGE, limit)
            with self.storage.reading() as reader:
                page = reader.page(
                    filter, order=order, size=size, after=begin, pinned=pinned, origin=origin
                )
            yield from page
            if len(page) < size:
                return
            limit = None if limit is None else limit - size
            begin = page[-1].id

    def recall(
        self,
        query: str,
        *,
        limit: int = 10,
        filter: RecallFilter = EVERYTHING,
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

    def export_lines(self, *, vectors: bool = True) -> Iterator[str]:
        """Everything, as lines of JSON without line ends.

        What they hold is the state at the first line.

        Args:
            vectors: with the vectors and the embedding space of each; without them the lines are a
                tenth as long, and whoever imports them embeds again.
        """
        from cognitive_memory.storage import json_lines

        with self.storage.reading() as reader:
            yield from json_lines.export_lines(reader, vectors=vectors)

    def import_lines(self, lines: Iterable[str], *, own: bool = False) -> ImportReport:
        """Import memories, in blocks; a repeat changes nothing.

        As `storage.importing.import_lines`.

        Raises:
            JsonLineError: a line can't be read; with its number.
        """
        from cognitive_memory.storage import importing

        report = importing.import_lines(self.storage, lines, own=own)
        self._recaller.comparer.keep(report.vectors)
        return report

    def embed_pending(
        self, *, progress: OnProgress | None = None, stop: Event | None = None
    ) -> int:
        """Make the vectors that are missing, as `Backfill.run`.

        Fetches the model if it is not here.
        """
        made = self._backfill.run(progress=progress, stop=stop)
        self._recaller.comparer.keep(made)
        return made

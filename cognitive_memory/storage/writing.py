"""Changes to a project's database."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any
from uuid import uuid4

from cognitive_memory.core.history import How
from cognitive_memory.core.memory import LoadState, Memory, MemoryContent, NewMemory, Origin
from cognitive_memory.core.reports import Deletion, SourceReport
from cognitive_memory.core.search_words import search_words
from cognitive_memory.core.values import MemoryValueError
from cognitive_memory.storage import history, mass_deletion, times
from cognitive_memory.storage.filters import TAGGED
from cognitive_memory.storage.one_text import already_said, together
from cognitive_memory.storage.reading import Reader
from cognitive_memory.storage.rows import as_columns, as_json
from cognitive_memory.storage.source_ids import identified
from cognitive_memory.storage.vectors import Embedded

CHANGEABLE = tuple(field.name for field in fields(MemoryContent))
"""What `update` may change."""

REMEMBERED_REVISIONS = 10_000
"""For how many revisions deletions are remembered; an index that is further behind is read anew."""

_SEARCHED = ("text", "context", "created_at")
"""What the column `words` follows from."""

_UPSERT_EMBEDDING = """
INSERT INTO embeddings (memory, model, vector, failure, revision)
SELECT key, :model, :vector, :failure, :revision FROM memories WHERE key = :key AND content_hash = :content_hash
ON CONFLICT (memory) DO UPDATE
SET model = excluded.model, vector = excluded.vector, failure = excluded.failure, revision = excluded.revision
"""


class Change(StrEnum):
    """What storing a memory did."""

    ADDED = "added"
    UNCHANGED = "unchanged"
    UPDATED = "updated"


@dataclass(frozen=True, slots=True)
class Stored:
    """A memory after it was given to the store: its key and id, and what happened."""

    key: int
    id: str
    change: Change


class Writer(Reader):
    """Changes to a project's database, and questions, all within one write transaction. Made by `MemoryStore.writing`."""

    _revision: int | None = None

    def new_revision(self) -> int:
        """The revision of this transaction's changes. Asking for it announces a change: the project's counter rises."""
        if self._revision is None:
            query = "UPDATE project SET revision = revision + 1 RETURNING revision"
            self._revision = int(self.connection.execute(query).fetchone()[0])
        return self._revision

    def put(self, memories: Iterable[NewMemory], *, by_hand: bool = False) -> list[Stored]:
        """Store memories, each of them once.

        One with an id replaces what that id says. One without is looked up by content, source and origin: if it is there,
        only its new tags and a pin are added.

        Args:
            memories: what to store.
            by_hand: whether somebody says each of them now: then those without an id are looked up among what was stored
                by the text alone, whatever its case and blanks, and all details are put together.
        """
        now = times.now()
        if not by_hand:
            return [self.put_one(memory, now) for memory in memories]
        return [self._put_said(memory, now) for memory in memories]

    def _put_said(self, memory: NewMemory, now: int) -> Stored:
        """Store what somebody says now."""
        if not memory.id and (said := already_said(self, memory)):
            return self.put_one(together(said, memory), now, how=How.MERGED)
        return self.put_one(memory, now, how=How.REPLACED if memory.id else How.MERGED)

    def put_one(self, memory: NewMemory, now: int, *, how: How | None = None) -> Stored:
        """Store one memory; `now` is when that happens, in microseconds.

        Args:
            how: what of, for the history of the one that it changes; None: nobody asks what a loader changed.
        """
        new = as_columns(memory, created_at=now)
        # By origin too: what the user says joins nothing that a stranger said, tagged and pinned.
        same = (
            "id = :id"
            if memory.id
            else "content_hash = :content_hash AND source IS :source AND origin = :origin"
        )
        query = f"SELECT key, id, {', '.join(new)} FROM memories WHERE {same} ORDER BY key LIMIT 1"
        row = self.connection.execute(query, {**new, "id": memory.id}).fetchone()
        if row is None:
            return self._insert(new, memory.id or str(uuid4()), now)
        key, memory_id, *values = row
        old = dict(zip(new, values, strict=True))
        wanted = new if memory.id else _united(old, memory)
        if memory.created_at is None:
            wanted.pop("created_at", None)
        changes = {name: value for name, value in wanted.items() if value != old[name]}
        if changes == {"origin": Origin.ADOPTED}:
            del changes["origin"]  # it has been here, word for word, and is no stranger's
        if not changes:
            return Stored(key, memory_id, Change.UNCHANGED)
        if how is not None:
            history.keep(self.connection, key, how, {name: old[name] for name in changes}, now)
        if not changes.keys().isdisjoint(_SEARCHED):
            changes["words"] = _words({**old, **changes})
        changes |= {"updated_at": now, "revision": self.new_revision()}
        assignments = ", ".join(f"{name} = :{name}" for name in changes)
        query = f"UPDATE memories SET {assignments} WHERE key = :key"
        self.connection.execute(query, {**changes, "key": key})
        return Stored(key, memory_id, Change.UPDATED)

    def _insert(self, columns: Mapping[str, Any], memory_id: str, now: int) -> Stored:
        row = {
            **columns,
            "words": _words(columns),
            "id": memory_id,
            "updated_at": now,
            "revision": self.new_revision(),
        }
        names = ", ".join(row)
        query = f"INSERT INTO memories ({names}) VALUES (:{', :'.join(row)}) RETURNING key"
        (key,) = self.connection.execute(query, row).fetchone()
        return Stored(key, memory_id, Change.ADDED)

    def update(self, memory_id: str, changes: Mapping[str, Any]) -> int:
        """Change fields of a memory; those of `CHANGEABLE`. Returns its key.

        Raises:
            UnknownMemoryError: there is no such memory.
            MemoryValueError: a field can't be changed, or not to that.
        """
        if unknown := sorted(set(changes) - set(CHANGEABLE)):
            known = ", ".join(CHANGEABLE)
            raise MemoryValueError(unknown[0], f"can't be changed; what can: {known}")
        old = self.get(memory_id)
        fields = {name: getattr(old, name) for name in CHANGEABLE} | dict(changes)
        new = NewMemory(**fields, id=old.id, created_at=old.created_at, origin=old.origin)
        return self.put_one(new, times.now(), how=How.UPDATED).key

    def forget_history(self, memory_id: str) -> int:
        """Drop what a memory said before; tells how many changes that were.

        Raises:
            UnknownMemoryError: there is no such memory.
        """
        return history.forget(self.connection, *self.keys_of([memory_id]))

    def delete(self, keys: Sequence[int]) -> tuple[Memory, ...]:
        """Delete memories for good, with their vectors and words, and return what they were."""
        deleted = tuple(self.memories(keys).values())
        self._delete(keys)
        return deleted

    def delete_tagged(self, tags: Sequence[str]) -> Deletion:
        """Delete for good all memories that have any of the tags, however many they are."""
        deleted = self.tagged(tags)
        if deleted.count:
            self.new_revision()
            chosen, values = f"SELECT memory {TAGGED}", {"tags": as_json(tags)}
            mass_deletion.delete(self.connection, chosen, values)
            self._forget_deletions()
        return deleted

    def _delete(self, keys: Sequence[int]) -> None:
        if not keys:
            return
        self.new_revision()
        self.connection.execute(
            "DELETE FROM memories WHERE key IN (SELECT value FROM json_each(?))", (as_json(keys),)
        )
        self._forget_deletions()

    def _forget_deletions(self) -> None:
        """Forget those that happened long ago."""
        oldest = self.new_revision() - REMEMBERED_REVISIONS
        if oldest > 0:
            self.connection.execute("DELETE FROM deletions WHERE revision <= ?", (oldest,))
            query = "UPDATE project SET deletions_since = max(deletions_since, ?)"
            self.connection.execute(query, (oldest,))

    def replace_source(self, source: str, memories: Iterable[NewMemory]) -> SourceReport:
        """Make `memories` all that comes from a source; those without an id get one that follows from their content.

        One that stays keeps the pin that the user gave it.
        """
        query = "SELECT key, id, pinned FROM memories WHERE source = ?"
        rows = self.connection.execute(query, (source,)).fetchall()
        pinned = {memory_id for _, memory_id, is_pinned in rows if is_pinned}
        stored = self.put(
            replace(memory, pinned=memory.pinned or memory.id in pinned)
            for memory in identified(source, memories)
        )
        gone = {key for key, _, _ in rows} - {item.key for item in stored}
        self._delete(sorted(gone))
        changes = Counter(str(item.change) for item in stored)
        return SourceReport(**changes, removed=len(gone))

    def set_load_states(self, states: Mapping[str, LoadState | None]) -> None:
        """Remember what loaders know of sources; None forgets. No memory changes, so the revision stays."""
        for source, state in states.items():
            if state is None:
                self.connection.execute("DELETE FROM load_states WHERE source = ?", (source,))
            else:
                query = "REPLACE INTO load_states VALUES (?, ?)"
                self.connection.execute(query, (source, as_json(state)))

    def write_vectors(self, outcomes: Iterable[Embedded], dimension: int) -> int:
        """Store outcomes of embedding in the current space, whose vectors have so many numbers.

        Those whose memories are gone or say something else now are left out; what other models made is replaced.

        Returns:
            How many were stored.
        """
        model = self.ensure_space(str(self.vectors.space), dimension * 4)
        # In the order of keys SQLite fills its pages; against it, it leaves a third of each empty.
        ordered = sorted(outcomes, key=lambda outcome: outcome.key)
        return sum(self.write_vector(outcome, model) for outcome in ordered)

    def write_vector(self, outcome: Embedded, model: int) -> int:
        """Store one outcome of embedding, in the space of that number; tells whether its memory still fits: 1 or 0."""
        values = {
            "key": outcome.key,
            "content_hash": outcome.content_hash,
            "vector": outcome.vector,
            "failure": outcome.failure,
            "model": model,
            "revision": self.new_revision(),
        }
        return self.connection.execute(_UPSERT_EMBEDDING, values).rowcount

    def drop_unfit_vectors(self, dimension: int) -> int:
        """Forget the vectors of the current space that have another size or numbers that are not finite.

        Their memories are pending from then on.

        Args:
            dimension: how many numbers a vector of the space has.

        Returns:
            How many were forgotten.
        """
        import numpy as np

        size, model = dimension * 4, self.vectors.model
        rows = self.connection.execute(
            "SELECT memory, vector FROM embeddings WHERE model = ? AND vector IS NOT NULL", (model,)
        )
        unfit = [
            (key,)
            for key, vector in rows
            if len(vector) != size or not np.isfinite(np.frombuffer(vector, dtype="<f4")).all()
        ]
        self.connection.executemany("DELETE FROM embeddings WHERE memory = ?", unfit)
        self.connection.execute("UPDATE models SET size = ? WHERE model = ?", (size, model))
        return len(unfit)

    def ensure_space(self, space: str, size: int) -> int:
        """The number of an embedding space whose vectors have `size` bytes, given now if it has none.

        Raises:
            ValueError: vectors in that space have another size.
        """
        query = "SELECT model, size FROM models WHERE label = ?"
        row = self.connection.execute(query, (space,)).fetchone()
        if row is None:
            query = "INSERT INTO models (label, size) VALUES (?, ?) RETURNING model, size"
            row = self.connection.execute(query, (space, size)).fetchone()
        model, known = row
        if known != size:
            raise ValueError(f"a vector of {space} has {known} bytes here, got one of {size}")
        return int(model)


def _united(old: Mapping[str, Any], memory: NewMemory) -> dict[str, Any]:
    """What a repetition may add to a memory."""
    tags = dict.fromkeys([*json.loads(old["tags"]), *memory.tags])
    return {"tags": as_json(list(tags)), "pinned": int(old["pinned"] or memory.pinned)}


def _words(columns: Mapping[str, Any]) -> str:
    return search_words(columns["text"], columns["context"], times.moment(columns["created_at"]))

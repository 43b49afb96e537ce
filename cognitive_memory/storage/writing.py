"""Changes to memories, each within a transaction that the caller holds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4, uuid5

from cognitive_memory.core.memory import NewMemory
from cognitive_memory.core.search_words import search_words
from cognitive_memory.storage import times
from cognitive_memory.storage.connections import Transaction
from cognitive_memory.storage.rows import Fields, as_fields, as_json

REMEMBERED_REVISIONS = 10_000
"""For how many revisions deletions are remembered; an index that is further behind is read anew."""

_SOURCE_IDS = UUID("6f1c1c1e-3b0a-5d8e-9a53-0c0d6f0a7c11")
"""The namespace of ids that follow from a source and a content; any constant would do."""

_CHANGE = "UPDATE memories SET {}, updated_at = :now, revision = :revision WHERE key = :key"
_INSERT = (
    f"INSERT INTO memories ({', '.join(Fields.NAMES)}, words, id, updated_at, revision) "
    f"VALUES ({', '.join('?' * (len(Fields.NAMES) + 4))}) RETURNING key"
)

_SEARCHED = ("text", "context", "created_at")
"""What the column `words` follows from."""


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


def put(transaction: Transaction, memories: Iterable[NewMemory]) -> list[Stored]:
    """Store memories, each of them once.

    One with an id replaces what that id says. One without is looked up by content and source: if it is there, only its
    new tags and a pin are added.
    """
    now = times.now()
    return [put_one(transaction, memory, now) for memory in memories]


def put_one(transaction: Transaction, memory: NewMemory, now: int) -> Stored:
    """Store one memory; `now` is when that happens, in microseconds."""
    fields = as_fields(memory, created_at=now)
    names = ", ".join(Fields.NAMES)
    where: str
    values: tuple[Any, ...]
    if memory.id is None:
        where, values = "content_hash = ? AND source IS ?", (fields.content_hash, fields.source)
    else:
        where, values = "id = ?", (memory.id,)
    row = transaction.connection.execute(
        f"SELECT key, id, {names} FROM memories WHERE {where} ORDER BY key LIMIT 1", values
    ).fetchone()
    if row is None:
        return _insert(transaction, fields, memory.id or str(uuid4()), now)
    old = dict(zip(Fields.NAMES, row[2:], strict=True))
    wanted = (
        _united(old, memory)
        if memory.id is None
        else dict(zip(Fields.NAMES, fields.values(), strict=True))
    )
    if memory.created_at is None:
        wanted.pop("created_at", None)
    changes = {name: value for name, value in wanted.items() if value != old[name]}
    if changes:
        if not changes.keys().isdisjoint(_SEARCHED):
            changes["words"] = _words(**{name: changes.get(name, old[name]) for name in _SEARCHED})
        change(transaction, row[0], changes, now)
    return Stored(row[0], row[1], Change.UPDATED if changes else Change.UNCHANGED)


def _united(old: Mapping[str, Any], memory: NewMemory) -> dict[str, Any]:
    """What a repetition may add to a memory."""
    tags = dict.fromkeys([*json.loads(old["tags"]), *memory.tags])
    return {"tags": as_json(list(tags)), "pinned": int(old["pinned"] or memory.pinned)}


def _insert(transaction: Transaction, fields: Fields, memory_id: str, now: int) -> Stored:
    words = _words(fields.text, fields.context, fields.created_at)
    row = (*fields.values(), words, memory_id, now, transaction.revision)
    (key,) = transaction.connection.execute(_INSERT, row).fetchone()
    return Stored(key, memory_id, Change.ADDED)


def _words(text: str, context: str, created_at: int) -> str:
    return search_words(text, context, times.moment(created_at))


def change(transaction: Transaction, key: int, changes: Mapping[str, Any], now: int) -> None:
    """Set columns of one memory."""
    assignments = ", ".join(f"{name} = :{name}" for name in changes)
    values = {**changes, "key": key, "now": now, "revision": transaction.revision}
    transaction.connection.execute(_CHANGE.format(assignments), values)


def replace_source(
    transaction: Transaction, source: str, memories: Sequence[NewMemory]
) -> tuple[list[Stored], list[int]]:
    """Make `memories` all that comes from `source`. One that stays keeps the pin that the user gave it.

    Args:
        memories: with `source` as their source; all with ids (`identified`).

    Returns:
        What happened to each, and the keys of those that were removed.
    """
    query = "SELECT key, id, pinned FROM memories WHERE source = ?"
    rows = transaction.connection.execute(query, (source,)).fetchall()
    before = {key for key, _, _ in rows}
    pinned = {memory_id for _, memory_id, is_pinned in rows if is_pinned}
    stored = put(
        transaction,
        [replace(memory, pinned=memory.pinned or memory.id in pinned) for memory in memories],
    )
    gone = sorted(before - {item.key for item in stored})
    remove(transaction, gone)
    return stored, gone


def source_id(source: str, content_hash: bytes, occurrence: int) -> str:
    """The id of the n-th memory of that content in a source; the same on every machine."""
    return str(uuid5(_SOURCE_IDS, f"{len(source)}:{source}:{content_hash.hex()}:{occurrence}"))


def remove(transaction: Transaction, keys: Sequence[int]) -> None:
    """Delete memories for good, with their vectors and words."""
    if not keys:
        return
    revision = transaction.revision
    connection = transaction.connection
    connection.execute(
        "DELETE FROM memories WHERE key IN (SELECT value FROM json_each(?))",
        (json.dumps(list(keys)),),
    )
    oldest = revision - REMEMBERED_REVISIONS
    if oldest > 0:
        connection.execute("DELETE FROM deletions WHERE revision <= ?", (oldest,))
        connection.execute(
            "UPDATE project SET deletions_since = max(deletions_since, ?)", (oldest,)
        )

"""What memories said before they were changed."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

from cognitive_memory.core.history import Event, How
from cognitive_memory.core.memory import DOCUMENT_KEYS, Memory, as_document
from cognitive_memory.core.values import Json
from cognitive_memory.storage import times
from cognitive_memory.storage.errors import BadRowError
from cognitive_memory.storage.rows import as_json

MOST = 20
"""How many changes of a memory are kept, the latest ones."""

_AS_SAID: Mapping[str, Callable[[Any], Json]] = {
    "tags": json.loads,
    "metadata": json.loads,
    "pinned": bool,
    "created_at": lambda value: times.moment(value).isoformat(timespec="microseconds"),
}
"""What columns say as `as_document` has it, where that is not the same."""


def keep(
    connection: sqlite3.Connection, key: int, how: How, columns: Mapping[str, Any], now: int
) -> None:
    """Keep what a memory says that is changed next.

    Args:
        connection: in a write transaction.
        key: of the memory.
        how: what changes it.
        columns: the columns that change, as they are.
        now: when, in microseconds.
    """
    before = {
        name: _AS_SAID[name](value) if name in _AS_SAID else value
        for name, value in columns.items()
        if name in DOCUMENT_KEYS
    }
    query = """
        INSERT INTO history (memory, since, until, how, before)
        SELECT key, updated_at, :now, :how, :before FROM memories WHERE key = :key
    """
    values = {"key": key, "now": now, "how": str(how), "before": as_json(before)}
    connection.execute(query, values)
    query = """
        DELETE FROM history WHERE memory = :key AND entry <=
            (SELECT entry FROM history WHERE memory = :key ORDER BY entry DESC LIMIT 1 OFFSET :most)
    """
    connection.execute(query, {"key": key, "most": MOST})


def events(connection: sqlite3.Connection, key: int, memory: Memory) -> list[Event]:
    """The history of a memory, whose key is given, latest first; the last one is the first that is known.

    Raises:
        BadRowError: what is kept of it can't have been kept here.
    """
    query = "SELECT until, how, before, since FROM history WHERE memory = ? ORDER BY entry DESC"
    said: dict[str, Json] = as_document(memory)
    found, began = list[Event](), memory.updated_at
    for until, how, before, since in connection.execute(query, (key,)):
        try:
            fields = dict(json.loads(before))
            after = {name: said[name] for name in fields}
            found.append(Event(at=times.moment(until), how=How(how), before=fields, after=after))
            began = times.moment(since)
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
            raise BadRowError(f"history of {memory.id}: {str(error)[:100]!r}") from error
        said |= fields
    first = Event(at=began, how=How.STORED, before={}, after={"text": said["text"]})
    return [*found, first]


def forget(connection: sqlite3.Connection, key: int) -> int:
    """Drop what is kept of a memory; tells how many changes that were."""
    return connection.execute("DELETE FROM history WHERE memory = ?", (key,)).rowcount

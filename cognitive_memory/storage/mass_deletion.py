"""Deleting memories by the thousand: within SQLite alone, however many they are."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

_TRIGGERS = ("memory_deleted", "embedding_deleted")
"""What follows each deletion, and is done at once where most goes."""


def delete(connection: sqlite3.Connection, chosen: str, values: Mapping[str, object]) -> int:
    """Delete the memories of chosen keys, in a transaction whose revision has risen.

    Where more goes than stays, nothing is taken out word by word: the index of words is made anew
    of what stays, and whoever follows the changes begins anew, too.

    Args:
        connection: in the transaction.
        chosen: the query that gives the keys.
        values: the query's.

    Returns:
        How many were deleted.
    """
    connection.execute("CREATE TEMP TABLE doomed (key INTEGER PRIMARY KEY)")
    insertion = f"INSERT OR IGNORE INTO doomed {chosen}"
    count = connection.execute(insertion, values).rowcount
    (total,) = connection.execute("SELECT memories FROM project").fetchone()
    if 2 * count > total:
        _delete_most(connection)
    else:
        _delete_doomed(connection)
    connection.execute("DROP TABLE doomed")
    return count


def _delete_doomed(connection: sqlite3.Connection) -> None:
    connection.execute("DELETE FROM memories WHERE key IN (SELECT key FROM doomed)")


def _delete_most(connection: sqlite3.Connection) -> None:
    query = "SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND name IN (?, ?)"
    triggers = [sql for (sql,) in connection.execute(query, _TRIGGERS).fetchall()]
    for name in _TRIGGERS:
        connection.execute(f"DROP TRIGGER {name}")
    connection.execute("INSERT INTO memory_words (memory_words) VALUES ('delete-all')")
    _delete_doomed(connection)
    connection.execute("""
        INSERT INTO memory_words (rowid, text, context, tags, words)
        SELECT key, text, context, tags, words FROM memories
    """)
    connection.execute("DELETE FROM deletions")
    connection.execute("""
        UPDATE project SET memories = (SELECT count(*) FROM memories), deletions_since = revision
    """)
    connection.execute("""
        UPDATE models SET embeddings =
            (SELECT count(*) FROM embeddings WHERE embeddings.model = models.model)
    """)
    for sql in triggers:
        connection.execute(sql)

"""Deleting memories by the thousand, and giving their space back: within SQLite alone, however many they are."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Mapping

from cognitive_memory.storage.hardening import pragmas

PREPARED = ("PRAGMA foreign_keys = OFF", "PRAGMA temp_store = FILE")
"""What a connection is told before its transaction.

SQLite empties a table at once only where it need not look after other tables; and what stays, and is
put aside meanwhile, may be much.
"""
_PATIENCE = "PRAGMA busy_timeout = 1000"
"""For how many milliseconds others are waited for before space is given back."""
_WORTH_GIVING_BACK = 1_000
"""Pages, of 8 kB each: for fewer nobody waits."""

_HANDLED = """
    SELECT name, sql FROM sqlite_schema
    WHERE type = 'trigger' AND (name LIKE '%^_deleted' ESCAPE '^' OR name LIKE '%^_repeated' ESCAPE '^')
"""
"""Triggers of which what they do is done here: what follows a deletion, and what copies from the like."""


def delete(connection: sqlite3.Connection, chosen: str, values: Mapping[str, object]) -> None:
    """Delete the memories of chosen keys, with all that belongs to them.

    Where more goes than stays, nothing is taken out one by one: what stays is put aside, everything
    is emptied, and it is put back. Whoever follows the changes begins anew then.

    Args:
        connection: `PREPARED`, or it takes longer; in a transaction whose revision has risen.
        chosen: the query that gives the keys, each once or several times.
        values: the query's.
    """
    query = """
        SELECT tables.name FROM pragma_table_list AS tables, pragma_foreign_key_list(tables.name) AS keys
        WHERE tables.schema = 'main' AND keys."from" = 'memory'
    """
    belonging = [name for (name,) in connection.execute(query).fetchall()]
    connection.execute("CREATE TEMP TABLE doomed (key INTEGER PRIMARY KEY)")
    filling = connection.execute(f"INSERT OR IGNORE INTO doomed {chosen}", values)
    (total,) = connection.execute("SELECT memories FROM project").fetchone()
    if 2 * filling.rowcount > total:
        _keep_the_rest(connection, belonging)
    else:
        for table in belonging:
            connection.execute(f"DELETE FROM {table} WHERE memory IN (SELECT key FROM doomed)")
        connection.execute("DELETE FROM memories WHERE key IN (SELECT key FROM doomed)")
    connection.execute("DROP TABLE doomed")


def _keep_the_rest(connection: sqlite3.Connection, belonging: list[str]) -> None:
    if pragmas(connection, "page_count")[0] > 2 * _WORTH_GIVING_BACK:
        # Debian's SQLite writes zeros over all that it frees: here nearly the whole file, which is given back.
        connection.execute("PRAGMA secure_delete = OFF")
    triggers = dict(connection.execute(_HANDLED).fetchall())
    for name in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    # Memories first: their trigger brings their words and tags, and counts them.
    tables = {"memories": "key", **dict.fromkeys(belonging, "memory")}
    for table, key in tables.items():
        connection.execute(f"""
            CREATE TEMP TABLE kept_{table} AS
            SELECT * FROM main.{table} WHERE {key} NOT IN (SELECT key FROM doomed)
        """)
    connection.execute("INSERT INTO memory_words (memory_words) VALUES ('delete-all')")
    for table in (*tables, "deletions"):
        connection.execute(f"DELETE FROM {table}")
    connection.execute("UPDATE project SET memories = 0, deletions_since = revision")
    connection.execute("UPDATE models SET embeddings = 0")
    for table in tables:
        connection.execute(f"INSERT OR IGNORE INTO {table} SELECT * FROM kept_{table}")
        connection.execute(f"DROP TABLE kept_{table}")
    for sql in triggers.values():
        connection.execute(sql)


def give_back(connection: sqlite3.Connection) -> None:
    """Return to the system what a database has kept of what is deleted, where that is most of it.

    Outside of a transaction. Readers are not disturbed; where others write, or the disk is full, it
    stays.
    """
    pages, free = pragmas(connection, "page_count", "freelist_count")
    if 2 * free > pages and free >= _WORTH_GIVING_BACK:
        with contextlib.suppress(sqlite3.OperationalError):
            for statement in (_PATIENCE, "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
                connection.execute(statement)

"""Whether a database, whose schema is known to be ours, holds what our own release stores."""

from __future__ import annotations

import sqlite3

from cognitive_memory.storage.errors import BadRowError
from cognitive_memory.storage.filters import Conditions
from cognitive_memory.storage.reading import Reader


def damage_in(connection: sqlite3.Connection) -> str:
    """What SQLite finds wrong first in the pages of a database; empty where that is nothing."""
    (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    return "" if found == "ok" else str(found)[:200]


def has_bad_rows(connection: sqlite3.Connection) -> bool:
    """Whether a database whose schema is sound has memories that are none."""
    connection.execute("BEGIN")
    try:
        for _ in Reader(connection, None).rows(Conditions()):
            pass
    except (BadRowError, sqlite3.OperationalError):  # of the second kind: text that is no text
        return True
    finally:
        connection.rollback()
    return False

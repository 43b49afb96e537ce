"""What can be made anew from the memories themselves."""

from __future__ import annotations

import contextlib
from pathlib import Path

from cognitive_memory.storage import connections
from cognitive_memory.storage.errors import explained


def rebuild_words(database: Path) -> None:
    """Make the keyword index anew from the memories.

    Raises:
        StorageError: the database can't be read or written.
    """
    with explained(database), contextlib.closing(connections.connect(database)) as connection:
        connection.execute("INSERT INTO memory_words (memory_words) VALUES ('rebuild')")

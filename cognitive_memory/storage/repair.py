"""What can be made anew from the memories themselves."""

from __future__ import annotations

from pathlib import Path

from cognitive_memory.storage.connections import opened


def rebuild_words(database: Path) -> None:
    """Make the keyword index anew from the memories.

    Raises:
        StorageError: the database can't be read or written.
    """
    with opened(database) as connection:
        connection.execute("INSERT INTO memory_words (memory_words) VALUES ('rebuild')")

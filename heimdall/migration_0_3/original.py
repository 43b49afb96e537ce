"""The database of heimdall-mcp 0.3, read as it is.

Its schema is that of the migrations 001 to 006 in `cognitive_memory/storage/migrations` of
heimdall-mcp 0.3.7.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from cognitive_memory.core.memory import NewMemory
from cognitive_memory.core.values import Json
from cognitive_memory.storage import files
from cognitive_memory.storage.errors import StorageError
from cognitive_memory.storage.hardening import ANSWER_SECONDS, bounded, distrusted, seconds_for
from heimdall.migration_0_3.rows import as_memory, as_uuid, plain

_TABLES = frozenset({"memories", "schema_migrations"})
_READ = ("memories", "memory_connections", "retrieval_stats")
_COLUMNS = frozenset({"content", "hierarchy_level", "memory_type", "timestamp"})


def is_original(database: Path) -> bool:
    """Whether a file is a database of heimdall 0.3; looked at without changing a byte.

    Raises:
        sqlite3.Error: it is no database, or damaged, or does not answer in time.
        StorageError: there is something beside it that SQLite must not be led to, or `check_tables`
            refuses it.
        OSError: it can't be read.
    """
    with open_to_read(database, ANSWER_SECONDS) as connection:
        names = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        tables = {str(row[0]) for row in names}
        if not tables >= _TABLES or not _columns(connection, "memories") >= _COLUMNS:
            return False
        check_tables(connection, database)
        return True


def is_legacy(path: Path) -> bool:
    """Whether a file is a database of heimdall 0.3; anything that can't be read is not."""
    with contextlib.suppress(sqlite3.Error, OSError, StorageError):
        return path.is_file() and is_original(path)
    return False


@contextlib.contextmanager
def open_to_read(database: Path, seconds: float | None = None) -> Iterator[sqlite3.Connection]:
    """A connection that leaves no file behind, where that is possible.

    Whatever the file holds, it ends in time.

    Args:
        database: the file; it may have come with a repository.
        seconds: how long the questions to it may take; default: what one of its size needs.
    """
    # Asked, not tried: to open and close the file ourselves would drop the locks of other
    # connections in this process.
    if not os.access(database, os.R_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(database))
    files.check(database)
    # Without a log beside it nobody writes, and `immutable` keeps SQLite from making one.
    how = "mode=ro" if files.log_of(database).exists() else "mode=ro&immutable=1"
    seconds = seconds or seconds_for(files.size_on_disk(database))
    with distrusted(database, how) as connection, bounded(connection, seconds):
        yield connection


def check_tables(connection: sqlite3.Connection, database: Path) -> None:
    """Raise unless everything that is read is stored: a computed value may take any time and memory.

    Raises:
        StorageError: a table is a view or a virtual one, or has a column that is generated or hidden.
    """
    asked = ", ".join("?" * len(_READ))
    relations = connection.execute(
        f"SELECT name, type, rootpage FROM sqlite_schema WHERE lower(name) IN ({asked})",  # noqa: S608
        _READ,
    )
    for name, kind, page in relations.fetchall():
        columns = connection.execute("SELECT name, hidden FROM pragma_table_xinfo(?)", (name,))
        computed = [column for column, hidden in columns if hidden]
        if kind != "table" or not page:
            problem = f"its {name} is no ordinary table"
        elif computed:
            problem = f"the column {computed[0]} of its {name} is computed, not stored"
        else:
            continue
        raise StorageError(
            str(database), f"{problem}, which heimdall 0.3 never made", "nothing was read from it"
        )


class Original:
    """The content of an original's database, at one moment.

    Args:
        connection: in a transaction, so that nothing changes meanwhile.
        root: the project's directory, absolute.
    """

    def __init__(self, connection: sqlite3.Connection, root: Path) -> None:
        connection.row_factory = sqlite3.Row
        connection.text_factory = lambda text: text.decode("utf-8", "replace")
        self._connection = connection
        self._root = root

    def memories(self) -> Iterator[NewMemory]:
        """Every row with a text, oldest first."""
        connections = self._connections()
        for row in self._rows():
            yield as_memory(row, connections.get(str(row["id"]), []), self._root)

    def digest(self) -> str:
        """What tells whether anything was stored, changed or deleted since: of ids and texts."""
        digest = hashlib.sha256()
        for row in self._connection.execute("SELECT id, content FROM memories ORDER BY id"):
            for value in row:
                digest.update(f"{len(str(value))}:{value}".encode("utf-8", "replace"))
        return digest.hexdigest()

    def summary(self) -> str:
        """How many memories and connections come over, and what does not, for the user."""
        memories = sum(1 for _ in self._rows())
        connections = sum(map(len, self._connections().values()))
        left_out = {
            "memories without a text": self._size("memories") - memories,
            "retrieval statistics": self._size("retrieval_stats"),
            "connections that lead nowhere": self._size("memory_connections") - connections,
            "vectors (made anew)": self._size("memories", "cognitive_embedding IS NOT NULL"),
        }
        taken = f", {connections} connections in their metadata" if connections else ""
        dropped = ", ".join(f"{number} {what}" for what, number in left_out.items() if number)
        return f"{memories} memories{taken}" + (f"; not taken: {dropped}" if dropped else "")

    def _rows(self) -> Iterator[sqlite3.Row]:
        for row in self._connection.execute("SELECT * FROM memories ORDER BY timestamp, id"):
            if str(row["content"] or "").strip():
                yield row

    def _connections(self) -> dict[str, list[dict[str, Json]]]:
        """By the id of the memory that they begin at; both ends have a text."""
        connections: dict[str, list[dict[str, Json]]] = {}
        if "source_id" not in _columns(self._connection, "memory_connections"):
            return connections
        ids = {str(row["id"]) for row in self._rows()}
        rows = self._connection.execute("SELECT * FROM memory_connections ORDER BY source_id, id")
        for row in rows:
            source, target = str(row["source_id"]), str(row["target_id"])
            if {source, target} <= ids:
                connection: dict[str, Json] = {
                    "to": as_uuid(target),
                    "type": str(row["connection_type"]),
                    "strength": plain(row["strength"]),
                }
                connections.setdefault(source, []).append(connection)
        return connections

    def _size(self, table: str, where: str = "1") -> int:
        try:
            (number,) = self._connection.execute(
                f"SELECT count(*) FROM {table} WHERE {where}"  # noqa: S608
            ).fetchone()
        except sqlite3.OperationalError as error:
            if "no such" not in str(error):  # it took too long, or was interrupted
                raise
            # a table or column of a later migration than the database's last one
            return 0
        return int(number)


def _columns(connection: sqlite3.Connection, table: str) -> set[str]:
    return {str(row[1]) for row in connection.execute(f"PRAGMA table_info({table})")}

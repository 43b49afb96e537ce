"""The database of heimdall-mcp 0.3, read as it is: each row becomes a memory of ours.

Its schema is that of the migrations 001 to 006 in `cognitive_memory/storage/migrations` of heimdall-mcp 0.3.7.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import math
import os
import sqlite3
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from uuid import NAMESPACE_URL, UUID, uuid5

from cognitive_memory.core.memory import Json, MemoryType, NewMemory

KEPT_AS = "heimdall_0_3"
"""The key in a memory's metadata below which everything is kept that has no other place."""
_TABLES = frozenset({"memories", "schema_migrations"})
_COLUMNS = frozenset({"content", "hierarchy_level", "memory_type", "timestamp"})
_JULIAN = 10_000_000.0
"""Times below this are Julian days, which SQL defaults and updates wrote; above it seconds since 1970, which Python did."""
_JULIAN_1970, _DAY = 2_440_587.5, 86_400.0
_UNSET = 0.5
"""Importance where nobody had set one; 0.0 is the column's default, and the original never wrote another value there."""
_OF_COMMITS = "git:history"
"""The source of a project's own commits, as 'heimdall git-load' names it: it takes them over when it is run next."""


def is_original(database: Path) -> bool:
    """Whether a file is a database of heimdall 0.3; looked at without changing a byte.

    Raises:
        sqlite3.Error: it is no database, or damaged.
        OSError: it can't be read.
    """
    with contextlib.closing(open_to_read(database)) as connection:
        names = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        tables = {str(row[0]) for row in names}
        return tables >= _TABLES and _columns(connection, "memories") >= _COLUMNS


def is_legacy(path: Path) -> bool:
    """Whether a file is a database of heimdall 0.3; anything that can't be read is not."""
    with contextlib.suppress(sqlite3.Error, OSError):
        return path.is_file() and is_original(path)
    return False


def open_to_read(database: Path) -> sqlite3.Connection:
    """A connection that leaves no file behind, where that is possible."""
    # opening it ourselves would drop the locks of other connections here
    if not os.access(database, os.R_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(database))
    wal = database.with_name(f"{database.name}-wal")
    how = "mode=ro" if wal.exists() else "mode=ro&immutable=1"
    return sqlite3.connect(f"{database.absolute().as_uri()}?{how}", uri=True, isolation_level=None)


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

    def count(self) -> int:
        """How many memories come over: rows with a text."""
        return sum(1 for _ in self._rows())

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

    def dropped(self) -> dict[str, int]:
        """What does not come over: how many of what."""
        counts = {
            "memories without a text": self._size("memories") - self.count(),
            "retrieval statistics": self._size("retrieval_stats"),
            "connections that lead nowhere": self._size("memory_connections") - self.connections(),
            "vectors (made anew)": self._size("memories", "cognitive_embedding IS NOT NULL"),
        }
        return {what: number for what, number in counts.items() if number}

    def connections(self) -> int:
        """How many connections come over, in the metadata of the memories that they begin at."""
        return sum(map(len, self._connections().values()))

    def summary(self) -> str:
        """What comes over and what does not, for the user."""
        parts = [f"{self.count()} memories"]
        if number := self.connections():
            parts.append(f"{number} connections in their metadata")
        dropped = ", ".join(f"{number} {what}" for what, number in self.dropped().items())
        return ", ".join(parts) + (f"; not taken: {dropped}" if dropped else "")

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
                    "strength": _plain(row["strength"]),
                }
                connections.setdefault(source, []).append(connection)
        return connections

    def _size(self, table: str, where: str = "1") -> int:
        try:
            (number,) = self._connection.execute(
                f"SELECT count(*) FROM {table} WHERE {where}"  # noqa: S608
            ).fetchone()
        except sqlite3.OperationalError:
            # a table or column of a later migration than the database's last one
            return 0
        return int(number)


def _columns(connection: sqlite3.Connection, table: str) -> set[str]:
    return {str(row[1]) for row in connection.execute(f"PRAGMA table_info({table})")}


def as_memory(
    row: Mapping[str, object] | sqlite3.Row, connections: list[dict[str, Json]], root: Path
) -> NewMemory:
    """What a row says, as a memory.

    Args:
        row: of the original's table `memories`.
        connections: those that begin at it.
        root: the project's directory: sources in it are named relative to it.
    """
    values = dict(row)
    metadata = _object(values.get("context_metadata"))
    importance = _importance(values.get("importance_score"), metadata.pop("importance_score", None))
    tags = _tags(values.get("tags")) or _tags(metadata.get("tags"))
    source, extra = _source(metadata, root)
    for name in ("tags", "hierarchy_level"):
        metadata.pop(name, None)
    return NewMemory(
        id=as_uuid(str(values["id"])),
        text=str(values["content"]),
        type=_type(values.get("hierarchy_level")),
        tags=tags,
        source=source,
        importance=importance,
        created_at=_happened(values, metadata),
        metadata={**metadata, **extra, KEPT_AS: _kept(values, connections)},
    )


def as_uuid(legacy_id: str) -> str:
    """The id itself if it is a UUID, as nearly all are; else one that follows from it."""
    try:
        return str(UUID(legacy_id))
    except ValueError:
        return str(uuid5(NAMESPACE_URL, f"heimdall-0.3:{legacy_id}"))


def _kept(values: Mapping[str, object], connections: list[dict[str, Json]]) -> dict[str, Json]:
    """What has no place of its own: how it was used, how it was to fade, what it was connected with."""
    kept: dict[str, Json] = {
        name: _plain(values[name])
        for name in (
            "memory_type",
            "strength",
            "access_count",
            "decay_rate",
            "consolidation_status",
        )
        if values.get(name) is not None
    }
    for name in ("last_accessed", "created_at", "updated_at"):
        if (when := _moment(values.get(name))) is not None:
            kept[name] = when.isoformat()
    dimensions = _object(values.get("dimensions"))
    if dimensions:
        kept["dimensions"] = dimensions
    if as_uuid(str(values["id"])) != str(values["id"]).lower():
        kept["id"] = str(values["id"])
    if connections:
        kept["connections"] = [*connections]
    return kept


def _source(metadata: Mapping[str, Json], root: Path) -> tuple[str | None, dict[str, Json]]:
    """The source as our loaders name it, so that loading it again replaces what came over; and what they look for."""
    path = metadata.get("source_path")
    if not isinstance(path, str) or not path.strip():
        return None, {}
    absolute = Path(path) if Path(path).is_absolute() else root / path
    with contextlib.suppress(OSError, ValueError, RuntimeError):
        absolute = absolute.resolve()
    below = absolute.is_relative_to(root.resolve())
    relative = absolute.relative_to(root.resolve()).as_posix() if below else absolute.as_posix()
    commit = metadata.get("commit_hash")
    if isinstance(commit, str) and commit:
        extra: dict[str, Json] = {"kind": "commit", "commit": commit}
        return (_OF_COMMITS if relative == "." else f"{_OF_COMMITS}/{relative.lstrip('/')}"), extra
    return relative, {}


def _happened(values: Mapping[str, object], metadata: Mapping[str, Json]) -> datetime | None:
    """When a commit was made; of everything else, when it was stored."""
    if metadata.get("commit_hash") and isinstance(text := metadata.get("timestamp"), str):
        with contextlib.suppress(ValueError, OverflowError, OSError):
            return datetime.fromisoformat(text).astimezone(UTC)
    return _moment(values.get("timestamp")) or _moment(values.get("created_at"))


def _moment(value: object) -> datetime | None:
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, float))
        or not math.isfinite(value)
        or value <= 0
    ):
        return None
    seconds = (value - _JULIAN_1970) * _DAY if value < _JULIAN else value
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _type(level: object) -> MemoryType:
    return (
        MemoryType.from_level(level)
        if isinstance(level, int) and level in {0, 1, 2}
        else MemoryType.EPISODE
    )


def _importance(column: object, said: Json) -> float:
    """The column, or what the assistant said, which the original kept in the metadata alone."""
    for value in (column, said):
        if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= 1:
            return float(value)
    return _UNSET


def _tags(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return ()
    tags = value if isinstance(value, list) else []
    return tuple(text for tag in tags if (text := _clean(str(tag)).strip()))


def _object(text: object) -> dict[str, Json]:
    if not isinstance(text, str) or not text:
        return {}
    try:
        value = _plain(json.loads(text))
    except (ValueError, RecursionError):
        return {"unreadable": _clean(text)}
    return value if isinstance(value, dict) else {"value": value}


def _plain(value: object) -> Json:
    """What JSON can carry of a value: Python also writes and reads NaN and lone surrogates."""
    if isinstance(value, dict):
        return {_clean(str(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, str):
        return _clean(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, (int, bool)) else None


def _clean(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")

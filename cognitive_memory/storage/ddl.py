"""The schema that a database of ours has, statement by statement: whatever differs was put there by somebody else.

A view, a trigger, a default or a check can do anything at all when a table of that name is only
asked, so nothing is asked before this.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path

from cognitive_memory.storage.errors import AlteredDatabaseError, NewerSchemaError, adopt_command

APPLICATION_ID = 0x484D444C
"""What marks a file as a heimdall memory in SQLite's header: "HMDL"."""

SECRET_TABLE = "CREATE TABLE secret (one INTEGER PRIMARY KEY CHECK (one = 1), secret BLOB NOT NULL CHECK (length(secret) = 32)) STRICT"  # noqa: S105
"""The table that says whose the database is; it is asked before the rest of the schema is known to be ours."""

DIGESTS = {
    1: "11613674df4d924c2b72e7c0bc3a8d8fed63eeb8adbd46da2b1da9b2b2102245",
    2: "583052528434c1281942fbe2fe7203950a6427dd9b802e8e9450a865635b6c58",
    3: "1c18c0d30f6efc02a0b2b4737a8fb6f06b891f02d256d9b111ebc8b21f482020",
    4: "dc6740c05d2acb91bae153e865651ec6b9cf97a21aaf46648ed138eaf05d438e",
    5: "d8351655e4d9c89f9cf03db30a1eebd65264001482c3721fb0db5d9bcfe3b804",
}
"""`digest` of each schema version, as the migrations make it. A released one never changes."""

Row = tuple[str, str, str, str | None]
_STATISTICS: set[Row] = {
    ("table", "sqlite_stat1", "sqlite_stat1", "CREATE TABLE sqlite_stat1(tbl,idx,stat)"),
    (
        "table",
        "sqlite_stat4",
        "sqlite_stat4",
        "CREATE TABLE sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample)",
    ),
}
"""What SQLite's ANALYZE makes, which anybody may run: it changes no answer."""

_SCHEMA = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name LIMIT 1000"


def newest() -> int:
    """The schema version of this release."""
    return max(DIGESTS)


def check(connection: sqlite3.Connection, database: Path) -> int:
    """The schema version of a database, whose schema is what our migrations made.

    Raises:
        NewerSchemaError: a newer release made it.
        AlteredDatabaseError: somebody changed it.
    """
    with _one_moment(connection):
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > newest():
            raise newer_schema(database, version)
        rows = connection.execute(_SCHEMA).fetchall()
    if digest(rows) != DIGESTS.get(version) and (differing := differences(rows, version)):
        raise AlteredDatabaseError(
            str(database),
            f"its schema is not the one that heimdall made (version {version}: {', '.join(differing[:5])})",
            f"nothing was done with it; {adopt_command(database)} takes the memories over into a sound one",
        )
    return int(version)


@contextmanager
def _one_moment(connection: sqlite3.Connection) -> Iterator[None]:
    """What is read is of one state: another process may migrate meanwhile."""
    if connection.in_transaction:
        yield
        return
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.rollback()


def newer_schema(database: Path, version: int) -> NewerSchemaError:
    """The error for a database of a newer release."""
    problem = f"it has schema version {version}, this release of heimdall knows up to {newest()}"
    return NewerSchemaError(str(database), problem, "nothing was changed; upgrade heimdall-mcp")


def digest(rows: Iterable[Row]) -> str:
    """What tells a schema from every other one."""
    return sha256(
        repr(sorted(set(rows) - _STATISTICS, key=repr)).encode("utf-8", "surrogatepass")
    ).hexdigest()


def differences(rows: Iterable[Row], version: int) -> list[str]:
    """What is not as our migrations make it here: kind and name of each."""
    # Where another release of SQLite writes the tables of its full-text index otherwise, the digest
    # fails, and this does not.
    ours = set(made(version))
    theirs = set(rows) - _STATISTICS
    changed = sorted({(_shown(kind), _shown(name)) for kind, name, *_ in ours ^ theirs})
    return [f"{kind} {name}" for kind, name in changed]


def _shown(name: object) -> str:
    """A name that somebody else may have chosen, for a message."""
    plain = isinstance(name, str) and name.isidentifier() and len(name) <= 60
    return str(name) if plain else ascii(name)[:60]


def made(version: int) -> list[Row]:
    """The schema of a version, as the migrations and this machine's SQLite make it; nothing for one that never was."""
    from cognitive_memory.storage.migrations import carried

    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        for step in carried():
            if step.version <= version:
                for statement in step.statements:
                    connection.execute(statement)
        return connection.execute(_SCHEMA).fetchall()

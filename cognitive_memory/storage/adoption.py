"""Taking over the memories of a database that somebody else made, or changed.

It is read as a private copy, so that nothing changes meanwhile, with SQLite told to trust nothing
in it. Only the rows of one ordinary table are asked for. Each is checked as a line of an import is,
and stored in a fresh database.
"""

from __future__ import annotations

import json
import sqlite3
import stat
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from cognitive_memory.core.memory import DOCUMENT_KEYS
from cognitive_memory.core.values import MemoryValueError
from cognitive_memory.storage import (
    connections,
    ddl,
    files,
    importing,
    known,
    making,
    schema,
    times,
)
from cognitive_memory.storage.copying import copy_of_a_moment
from cognitive_memory.storage.errors import (
    AlteredDatabaseError,
    DatabaseUnreadableError,
    ForeignLogError,
    UnknownDatabaseError,
    adopt_command,
    explained,
)
from cognitive_memory.storage.hardening import Deadline, bounded, distrusted, pragmas, seconds_for
from cognitive_memory.storage.json_lines import Line, line_of
from cognitive_memory.storage.soundness import damage_in, has_bad_rows
from cognitive_memory.storage.store import MemoryStore

_ADDED_LATER = {"origin"}
"""Columns that early databases lack."""

# In the order of the table itself: an index of others may say anything.
_ROWS = "SELECT {columns} FROM main.memories NOT INDEXED ORDER BY key"
_REASONS = 5


@dataclass
class Rescued:
    """What came over.

    Attributes:
        memories: how many.
        left_out: how many could not be memories of ours.
        reasons: the first few reasons why.
        foreign: what else was in the schema, or missing in it: kind and name of each.
    """

    memories: int = 0
    left_out: int = 0
    reasons: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def refuse(self, key: object, reason: object) -> None:
        """Count a row that can't come over."""
        self.left_out += 1
        if len(self.reasons) < _REASONS:
            self.reasons.append(f"row {key}: {str(reason)[:200]!r}")


@dataclass(frozen=True)
class Adopted:
    """What `adopt` did.

    Attributes:
        found: whether there is a database.
        rescued: what came over; None when nothing had to.
        kept: where the files are now that were there before.
        noted: whether it was sound, and became this user's as it is.
    """

    found: bool
    rescued: Rescued | None
    kept: list[Path]
    noted: bool = False


def adopt(database: Path, *, project_id: str | None = None, own: bool = False) -> Adopted:
    """Make the memories in a database this user's own.

    What lies beside it and is none of heimdall's is moved aside. If the database is sound and known
    then, that is all. With `own`, a sound one becomes known: another data directory that knows it,
    as one in a container, still does. Otherwise a fresh one with the memories takes its place. Nothing is deleted.

    Args:
        database: the file.
        project_id: of the fresh database; default: a new UUID.
        own: whether all of it is this user's own. Then each memory keeps its origin; otherwise each
            is adopted.

    Raises:
        NewerSchemaError: a newer release made it.
        StorageError: it is damaged, no database of heimdall's, or can't be read or replaced. It is
            as before then.
    """
    kept = files.set_foreign_aside(database)
    try:
        if schema.probe(database) is None:
            return Adopted(False, None, kept)
        with connections.opened(database, read_only=True) as connection:
            damage = damage_in(connection)
            if not damage and not has_bad_rows(connection):
                return Adopted(True, None, kept)
        if damage and not own:
            raise _damaged(database, damage)
        own = True  # only single rows of it are not as this user stored them
    except ForeignLogError:
        if own:
            schema.accept_log(database)
        else:
            kept += files.set_log_aside(database)
        again = adopt(database, project_id=project_id)
        return replace(again, kept=[*kept, *again.kept])
    except (UnknownDatabaseError, AlteredDatabaseError):
        _check_file(database)
        if own and _note_sound(database):
            return Adopted(True, None, kept, noted=True)
    with files.draft_folder(database.parent) as folder:
        fresh = folder / database.name
        rescued = rescue(database, fresh, project_id=project_id or str(uuid4()), own=own)
        return Adopted(True, rescued, [*kept, *files.replace(database, fresh, "adopted")])


def rescue(database: Path, fresh: Path, *, project_id: str, own: bool = False) -> Rescued:
    """Copy the memories of a database that is not trusted into a fresh one.

    Args:
        database: it is only read; what a log beside it has counts.
        fresh: a file that is to be made.
        project_id: of the fresh database.
        own: as for `adopt`.

    Raises:
        As `adopt` does.
    """
    rescued = Rescued()
    with files.draft_folder(fresh.parent) as folder:
        copy = folder / "copy.db"
        size = copy_of_a_moment(database, copy)
        making.make(fresh, project_id)
        with (
            explained(database),
            distrusted(copy, "mode=rw") as connection,
            closing(MemoryStore(fresh, embedding_space=lambda: None)) as store,
            bounded(connection, seconds_for(size)) as deadline,
        ):
            columns = _examine(connection, database, rescued)
            rows = connection.execute(_ROWS.format(columns=", ".join(("key", *columns))))
            lines = _lines(_rising(rows, database), columns, deadline, rescued)
            report = importing.import_read(store, lines, own=own)
    rescued.memories = report.added + report.updated + report.unchanged
    return rescued


def _damaged(database: Path, damage: str) -> DatabaseUnreadableError:
    advice = (
        "it was left as it is; 'heimdall restore' brings back a backup, "
        f"{adopt_command(database, own=True)} takes over what can be read"
    )
    return DatabaseUnreadableError(str(database), f"it is damaged ({damage})", advice)


def _note_sound(database: Path) -> bool:
    """Make a database known as it is, if there is nothing in it that is not as our own release makes it."""
    with files.draft_folder(database.parent) as folder:
        copy = folder / "copy.db"
        size = copy_of_a_moment(database, copy)
        try:
            with distrusted(copy, "mode=rw") as connection, bounded(connection, seconds_for(size)):
                (application,) = pragmas(connection, "application_id")
                version = ddl.check(connection, database)
                if (application, version) != (ddl.APPLICATION_ID, ddl.newest()):
                    return False
                secret = connections.secret_of(connection)
                if not secret or damage_in(connection) or has_bad_rows(connection):
                    return False
        except (AlteredDatabaseError, sqlite3.DatabaseError):
            return False
    try:
        known.note(secret)
    except OSError as error:
        advice = "nothing was changed; set HEIMDALL_DATA_DIR to a directory that you may write"
        raise known.not_noted(database, error, advice) from error
    known.note_log(secret, database, durable=True)
    return True


def _check_file(database: Path) -> None:
    """What only a person can put right."""
    status = database.lstat()
    if not stat.S_ISREG(status.st_mode):
        raise AlteredDatabaseError(
            str(database), "it is a link or no file", "nothing was changed; move it away"
        )


def _examine(connection: sqlite3.Connection, database: Path, rescued: Rescued) -> list[str]:
    """The columns to be read, if the table of memories is one that can be asked without anything else happening."""
    application, version = pragmas(connection, "application_id", "user_version")
    if application != ddl.APPLICATION_ID or version < 1:
        problem = "it is no memory of heimdall's"
        raise DatabaseUnreadableError(str(database), problem, "nothing was changed; move it away")
    if version > ddl.newest():
        raise ddl.newer_schema(database, version)
    kind = "SELECT type, strict FROM pragma_table_list WHERE schema = 'main' AND name = 'memories'"
    columns = {
        name: (declared, primary, hidden)
        for _, name, declared, _, _, primary, hidden in connection.execute(
            "PRAGMA main.table_xinfo(memories)"
        )
    }
    ordinary = (
        connection.execute(kind).fetchall() == [("table", 1)]
        and columns.get("key") == ("INTEGER", 1, 0)
        and all(columns[name][2] == 0 for name in DOCUMENT_KEYS if name in columns)
        and columns.keys() | _ADDED_LATER >= set(DOCUMENT_KEYS)
    )
    if not ordinary:
        problem = "its table of memories is not one that heimdall made"
        raise DatabaseUnreadableError(str(database), problem, "nothing was changed; move it away")
    rows = connection.execute(
        "SELECT type, name, tbl_name, sql FROM sqlite_schema LIMIT 1000"
    ).fetchall()
    connection.text_factory = bytes  # a row whose text is none is left out, not all of them
    rescued.foreign = ddl.differences(rows, version)
    return [name for name in DOCUMENT_KEYS if name in columns]


def _rising(rows: Iterable[tuple[Any, ...]], database: Path) -> Iterator[tuple[Any, ...]]:
    """The rows, whose keys rise: a tree whose branches grow together again would have rows without end."""
    last: int | None = None
    for row in rows:
        if last is not None and row[0] <= last:
            problem = "it is damaged: its rows are in disorder"
            raise DatabaseUnreadableError(str(database), problem, "it was left as it is")
        last = row[0]
        yield row


def _lines(
    rows: Iterable[tuple[Any, ...]], columns: list[str], deadline: Deadline, rescued: Rescued
) -> Iterator[Line]:
    """The memories, one by one, each checked as a line of an import is."""
    for number, (key, *values) in enumerate(rows, 1):
        try:
            yield line_of(number, _document(dict(zip(columns, values, strict=True))))
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            rescued.refuse(key, error)
        deadline.extend()  # what was done with the last one has its own time


def _document(row: dict[str, Any]) -> dict[str, Any]:
    """A row as `line_of` takes it."""
    document: dict[str, Any] = {
        name: str(value, "utf-8") if isinstance(value, bytes) else value
        for name, value in row.items()
    }
    for name in ("tags", "metadata"):
        document[name] = json.loads(document[name])
    for name in ("created_at", "updated_at"):
        document[name] = times.moment(document[name]).isoformat()
    if document["pinned"] not in {0, 1}:
        raise MemoryValueError("pinned", f"expected 0 or 1, got {document['pinned']!r}")
    document["pinned"] = bool(document["pinned"])
    return document

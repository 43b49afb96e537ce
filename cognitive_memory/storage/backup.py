"""Copies of a whole database, checked; bringing one back; making anew what follows from the rest."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from cognitive_memory.storage import files, schema
from cognitive_memory.storage.connections import connect, opened
from cognitive_memory.storage.errors import (
    DatabaseUnreadableError,
    StorageError,
    UnknownDatabaseError,
    explained,
    explanation,
)
from cognitive_memory.storage.hardening import bounded, seconds_for
from heimdall.models.files import forced


def back_up(database: Path, file: Path, *, force: bool = False) -> None:
    """Copy a database, as it is at one moment, into one file; others may write meanwhile.

    The copy is checked before it gets its name.

    Args:
        database: the project's.
        file: where to.
        force: replace a file that is there.

    Raises:
        StorageError: there is a file already, the copy can't be written, or the database is
            damaged.
    """
    if file.exists() and not force:
        raise StorageError(
            str(file), "there is a file already", "nothing was changed; --force replaces it"
        )
    with _beside(file) as draft:
        if problems := _copy(database, draft):
            raise DatabaseUnreadableError(
                str(database),
                f"its copy is not sound ({problems[0]})",
                "no backup was made; see 'heimdall doctor'",
            )
        with draft.open("rb+") as stream:
            forced(stream.fileno())
        draft.replace(file)


def restore(file: Path, database: Path, *, force: bool = False, own: bool = False) -> Path | None:
    """Make a database what a backup says. Processes that have the database open see the restored state at once.

    A backup that was not made here is taken in as `adoption.adopt` does: its memories come over,
    nothing else.

    Args:
        file: a backup; it is only read. One of an older schema is brought to the current one.
        database: the project's.
        force: replace a database that is there; it is kept beside the new one.
        own: of a backup that was not made here, whether it is this user's own all the same.

    Returns:
        Where the replaced database is kept; None if there was none.

    Raises:
        NewerSchemaError: a newer release made the backup.
        StorageError: the backup is missing, damaged or something else, there is a database already,
            or it can't be written. The database is as before then.
    """
    if not file.is_file():
        raise StorageError(str(file), "there is no such file", "nothing was changed")
    file = file.resolve()  # what the user named may be a link
    there = os.path.lexists(database) and database.lstat().st_size > 0
    if there and not force:
        raise StorageError(
            str(database),
            "there is a database already",
            "nothing was changed; --force replaces it and keeps it aside",
        )
    database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _beside(database) as draft:
        try:
            _take(file, draft, own=own)
        except DatabaseUnreadableError as error:
            # Its advice is to restore a backup; those of kinds of it are others.
            if type(error) is DatabaseUnreadableError:
                error.advice = "nothing was changed; if there is another backup, restore that one"
            raise
        kept = _put_aside(database) if there else None
        # makes it when it is new, or when the old one was damaged
        prepared = schema.prepare(database)
        with opened(prepared.database) as target:
            (revision,) = target.execute("SELECT revision FROM project").fetchone()
            with contextlib.closing(connect(draft)) as source:
                _announce(source, revision)
                source.backup(target)
    return kept


def _take(file: Path, draft: Path, *, own: bool) -> None:
    """Put what a backup says into a draft of the current schema."""
    try:
        version = schema.probe(file)
    except UnknownDatabaseError:
        from cognitive_memory.storage import adoption

        adoption.rescue(file, draft, project_id=str(uuid4()), own=own)
        return
    if version is None:
        raise DatabaseUnreadableError(str(file), "it is empty", "nothing was changed")
    if problems := _copy(file, draft, read_only=True):
        problem = f"it is damaged ({problems[0]})"
        raise DatabaseUnreadableError(str(file), problem, "nothing was changed")
    schema.prepare(draft, keep_old=False)


def problems_in(database: Path) -> list[str]:
    """What SQLite finds wrong in a database, and counters that don't fit; empty when it is sound.

    Raises:
        StorageError: it is not ours, or takes longer than a database of its size can.
    """
    try:
        with (
            contextlib.closing(connect(database)) as connection,
            bounded(connection, seconds_for(files.size_on_disk(database))),
        ):
            rows = connection.execute("PRAGMA integrity_check(20)").fetchall()
            problems = [str(row[0]) for row in rows if row[0] != "ok"]
            for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check"):
                problems.append(
                    f"table {table}, row {row}: what it belongs to in {parent} is missing"
                )
            return problems or list(_miscounted(connection))
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
            raise explanation(error, database) from error
        return [str(error)]


def rebuild_words(database: Path) -> None:
    """Make the keyword index anew from the memories.

    Raises:
        StorageError: the database can't be read or written.
    """
    with opened(database) as connection:
        connection.execute("INSERT INTO memory_words (memory_words) VALUES ('rebuild')")


_COUNTS = {
    "number of memories": "SELECT memories - (SELECT count(*) FROM memories) FROM project",
    "number of vectors": (
        "SELECT sum(abs(embeddings - (SELECT count(*) FROM embeddings AS e WHERE e.model = models.model) "
        "- (SELECT count(*) FROM tokens AS t WHERE t.model = models.model))) FROM models"
    ),
    "tags": (
        "SELECT (SELECT count(*) FROM memory_tags) - "
        "(SELECT total((SELECT count(DISTINCT value) FROM json_each(tags))) FROM memories)"
    ),
}


def _miscounted(connection: sqlite3.Connection) -> Iterator[str]:
    for what, query in _COUNTS.items():
        if connection.execute(query).fetchone()[0]:
            yield f"the {what} does not fit the memories"
    try:
        connection.execute(
            "INSERT INTO memory_words (memory_words, rank) VALUES ('integrity-check', 1)"
        )
    except sqlite3.DatabaseError as error:
        yield f"the keyword index does not fit the memories ({error})"


@contextlib.contextmanager
def _beside(file: Path) -> Iterator[Path]:
    """The path of a draft in the same directory, for its owner alone; removed with what SQLite leaves beside it."""
    draft = file.with_name(f".{file.name}.{uuid4().hex[:8]}.part")
    try:
        yield draft
    finally:
        for suffix in ("", "-wal", "-shm", "-journal"):
            draft.with_name(f"{draft.name}{suffix}").unlink(missing_ok=True)


def _copy(file: Path, draft: Path, *, read_only: bool = False) -> list[str]:
    """Copy a database as it is at one moment; returns what is wrong with the copy."""
    files.make_private(draft)
    with (
        opened(file, read_only=read_only) as source,
        explained(draft),
        contextlib.closing(sqlite3.connect(draft, isolation_level=None)) as target,
    ):
        source.backup(target)
        # One file without a write-ahead log can be read from anywhere.
        target.execute("PRAGMA journal_mode = DELETE")
    return problems_in(draft)


def _announce(connection: sqlite3.Connection, revision: int) -> None:
    """Make a draft's state a new revision of the database that it goes to, before which nothing is known."""
    connection.execute(
        "UPDATE project SET revision = max(revision, :revision) + 1, deletions_since = max(revision, :revision) + 1",
        {"revision": revision},
    )


def _put_aside(database: Path) -> Path | None:
    """Keep what is there: a copy if it is sound, else the very files, moved away."""
    kept = files.kept_name(database, "replaced")
    try:
        schema.probe(database)
        back_up(database, kept)
    except DatabaseUnreadableError:
        return files.set_aside(database, "replaced")[0]
    return kept

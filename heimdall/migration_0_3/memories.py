"""From a database of heimdall 0.3 to one of ours.

The original kept its database where ours is to be. There, ours is put together aside, read back,
and takes the name in one rename; the original's file keeps all that it holds, under a name of its
own. Nothing is lost by a kill at any moment, and the next migration goes on. What was taken over is
noted, so that it is not brought back after somebody deleted it here.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from cognitive_memory.core.memory import Memory, NewMemory
from cognitive_memory.project.find import Project
from cognitive_memory.project_memory import ProjectMemory
from cognitive_memory.storage import connections, files, schema
from cognitive_memory.storage.errors import StorageError, explanation
from cognitive_memory.storage.hardening import bounded, distrust_schema, harden, limit, seconds_for
from heimdall.errors import HeimdallError
from heimdall.migration_0_3 import copying
from heimdall.migration_0_3.original import Original, check_tables, open_to_read
from heimdall.migration_0_3.report import MigrationError, Options, Outcome, Step, failure
from heimdall.migration_0_3.texts import read_json_object
from heimdall.models.advice import WINDOWS
from heimdall.models.files import write_atomically

KEPT_NAME = "cognitive_memory.heimdall-0.3.db"
"""The original's file, after ours has taken its place."""
_NOTES = "migrated.json"
_BUSY_SECONDS = 5.0


def migrate(database: Path, project: Project, options: Options) -> Step:
    """Make the memories of an original's database ours.

    Args:
        database: a file that `is_original`.
        project: whose memory they are.
        options: how to migrate.
    """
    try:
        return _migrate(database, project, options)
    except sqlite3.DatabaseError as error:
        return failure("memories", database, explanation(error, database), project.database)
    except (HeimdallError, OSError) as error:
        return failure("memories", database, error, project.database)


def _migrate(database: Path, project: Project, options: Options) -> Step:
    with (_reading if options.dry_run else _alone_with)(database) as connection:
        original = Original(connection, project.root)
        digest, detail = original.digest(), original.summary()
        if _was_taken(digest, project):
            outcome = Outcome.PRESENT
        elif options.dry_run:
            for _ in original.memories():
                pass  # what can't be read would be said now
            outcome = Outcome.PLANNED
        else:
            project.folder.mkdir(parents=True, exist_ok=True)
            if database == project.database:
                database, outcome = _take_place(original, project, connection), Outcome.MIGRATED
            else:
                added = _add(original, project.database, project)
                outcome = Outcome.MIGRATED if added else Outcome.PRESENT
            _note(project, digest, database)
    step = Step("memories", str(database), outcome, str(project.database), detail)
    if options.remove:
        _remove(database)
        step = replace(step, removed=True)
    return step


@contextlib.contextmanager
def _reading(database: Path) -> Iterator[sqlite3.Connection]:
    """The database at one moment, without changing a byte."""
    with open_to_read(database) as connection:
        connection.execute("BEGIN")
        _check(connection, database)
        yield connection


@contextlib.contextmanager
def _alone_with(database: Path) -> Iterator[sqlite3.Connection]:
    """The database to oneself, without a write-ahead log beside it.

    Raises:
        MigrationError: some other process has it open.
        StorageError: there is something beside it that SQLite must not be led to, or as `_check`.
        sqlite3.DatabaseError: it is damaged, or does not answer in time.
    """
    files.check(database)
    uri = f"{database.absolute().as_uri()}?mode=rw"
    with contextlib.ExitStack() as stack:
        connection = sqlite3.connect(uri, uri=True, timeout=_BUSY_SECONDS, isolation_level=None)
        stack.callback(connection.close)
        harden(connection)
        limit(connection)
        distrust_schema(connection)
        stack.enter_context(bounded(connection, seconds_for(files.size_on_disk(database))))
        try:
            # Leaving WAL takes all of it into the file and is refused while anybody else is
            # connected.
            # In memory, for a kill must not leave a journal beside the file: it would be refused.
            connection.execute("PRAGMA journal_mode = MEMORY")
            connection.execute("BEGIN EXCLUSIVE")
            # Apple's SQLite leaves them there, used up.
            for suffix in (files.LOG, files.INDEX):
                files.beside(database, suffix).unlink(missing_ok=True)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
                raise
            problem = "another process uses it; stop the assistants and the old heimdall monitor, then migrate again"
            raise MigrationError(str(database), problem) from error
        try:
            _check(connection, database)
            yield connection
        finally:
            with contextlib.suppress(sqlite3.ProgrammingError):  # it was closed
                connection.rollback()


def _check(connection: sqlite3.Connection, database: Path) -> None:
    """Raise unless all of it can be read, and needs no more than its bytes.

    Raises:
        StorageError: as `check_tables` does.
        MigrationError: it is damaged; pages that are used twice make a small file endless.
    """
    check_tables(connection, database)
    # A check is an expression of the file's, too.
    connection.execute("PRAGMA ignore_check_constraints = ON")
    (sound,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if sound != "ok":
        raise MigrationError(
            str(database), f"is damaged ({sound}); the sqlite3 tool's .recover may save the rest"
        )


def _take_place(original: Original, project: Project, connection: sqlite3.Connection) -> Path:
    """Put our database in the original's place, and tell the original's new name."""
    database = project.database
    with copying.temporary(project.folder) as folder:
        folder.mkdir()
        fresh = folder / database.name
        _add(original, fresh, project)
        files.must_be_whole(fresh)
        if WINDOWS:  # where nothing can be renamed that is open
            connection.close()
        kept = _keep(database)
        fresh.replace(database)
    return kept


def _keep(database: Path) -> Path:
    """A second name for the original's file."""
    for number in range(1, 1000):
        kept = database.with_name(
            KEPT_NAME if number == 1 else KEPT_NAME.replace(".db", f".{number}.db")
        )
        try:
            os.link(database, kept)
        except FileExistsError:
            if kept.samefile(database):  # killed after this, last time
                return kept
        except OSError:
            # a filesystem without links: for a moment there is no database, and the next migration
            # goes on
            if not kept.exists():
                return database.rename(kept)
        else:
            return kept
    raise MigrationError(
        str(database), f"there are too many files like {KEPT_NAME}; move some of them away"
    )


def _add(original: Original, database: Path, project: Project) -> int:
    """Store in a database of ours what is not there, and read it back; tells how many that were.

    What is there may have been changed here, and stays. Vectors are left for later.
    """
    with ProjectMemory.open(database, project_id=project.config.project_id) as memory:
        known = {stored.id for stored in memory.memories()}
        new = (old for old in original.memories() if old.id not in known)
        added = len(memory.store_many(new, embed=False).ids)
        # Ours may be changed by others at any moment, one that is put together aside by nobody.
        _read_back(original, memory, exactly=database != project.database)
    return added


def _read_back(original: Original, memory: ProjectMemory, *, exactly: bool) -> None:
    """Make sure that every memory is there, and if ours is new, that it says the same.

    Raises:
        MigrationError: one is missing or different.
    """
    stored = {copy.id: _fingerprint(copy) for copy in memory.memories()}
    for old in original.memories():
        fingerprint = stored.get(str(old.id))
        if fingerprint is None or (exactly and fingerprint != _fingerprint(old)):
            problem = f"the memory {old.id} was not stored as it was read"
            raise MigrationError(str(memory.database), problem)


def _fingerprint(memory: Memory | NewMemory) -> bytes:
    """All that came from the original, in a few bytes: there may be many memories."""
    fields = [
        memory.text,
        memory.type,
        memory.tags,
        memory.source,
        memory.importance,
        memory.metadata,
    ]
    when = memory.created_at.isoformat() if memory.created_at else None
    return hashlib.sha256(json.dumps([*fields, when], sort_keys=True).encode()).digest()


def _remove(database: Path) -> None:
    """Delete the original's file. It was alone a moment ago, and has no log beside it."""
    for suffix in ("-wal", "-shm", "-journal"):
        if database.with_name(database.name + suffix).exists():
            raise MigrationError(
                str(database), "another process has opened it; it came over, but is not removed"
            )
    database.unlink()


def _note(project: Project, digest: str, database: Path) -> None:
    """Note that what this digest is of came into the database that is there now."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    notes = {
        **read_json_object(project.folder / _NOTES),
        digest: {"from": database.name, "into": _identity(project.database), "at": now},
    }
    write_atomically(project.folder / _NOTES, json.dumps(notes, indent=2, sort_keys=True) + "\n")


def _was_taken(digest: str, project: Project) -> bool:
    """Whether that came over before, into the database that is there now and not into one that was deleted since."""
    note = read_json_object(project.folder / _NOTES).get(digest)
    identity = _identity(project.database)
    return isinstance(note, dict) and identity is not None and note.get("into") == identity


def _identity(database: Path) -> str | None:
    """What tells a database of ours from another one: its project, and when it was made.

    None if it is none of ours.
    """
    try:
        if schema.probe(database) is None:
            return None
        with connections.opened(database, read_only=True) as connection:
            project_id, created_at = connection.execute(
                "SELECT project_id, created_at FROM project"
            ).fetchone()
    except (StorageError, TypeError):
        return None
    return f"{project_id} {created_at}"


def kept_originals(project: Project) -> list[Path]:
    """Originals' files whose place ours has taken."""
    paths = project.folder.glob(KEPT_NAME.replace(".db", "*.db"))
    return [path for path in sorted(paths) if path.is_file()]

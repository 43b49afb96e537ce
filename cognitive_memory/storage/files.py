"""The files of a database: their names, what may stand there, and how a new database gets its name.

They are looked at by name alone. Closing a descriptor of the database would drop the locks that
this process' connections hold (the way POSIX locks are), so only SQLite itself opens it.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from cognitive_memory.storage.errors import AlteredDatabaseError, StorageError, adopt_command
from heimdall.models.regular_file import open_regular

LOG, INDEX, JOURNAL = "-wal", "-shm", "-journal"
"""What SQLite appends to a database's name for its write-ahead log, the log's index, and a rollback journal."""

_MAGIC = bytes.fromhex("d9d505f920a163d7")
"""Ends a journal that names another one, of several databases that are changed together."""
_DRAFT = "making"
_LOCK_SECONDS = 30.0


def log_of(database: Path) -> Path:
    """Where SQLite keeps a database's write-ahead log."""
    return beside(database, LOG)


def beside(database: Path, suffix: str) -> Path:
    """The file whose name is the database's and a suffix."""
    return database.with_name(f"{database.name}{suffix}")


def size_on_disk(database: Path) -> int:
    """Bytes of a database and its write-ahead log."""
    files = (database, log_of(database))
    return sum(file.stat().st_size for file in files if file.exists())


def kept_name(database: Path, why: str) -> Path:
    """A name beside a database for the state that it has now; it says why that is kept, and since when."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    return database.with_name(f"{database.stem}.{why}.{stamp}{database.suffix}")


def check(database: Path) -> bool:
    """Whether there is a database, with nothing under its names that SQLite should not be led to.

    Raises:
        AlteredDatabaseError: something else than SQLite's own files is there. A rollback journal is
            such a thing: our databases have a write-ahead log from the first moment, where a
            filesystem allows one, and a journal can make SQLite delete any file.
        StorageError: it can't be looked at.
    """
    for foreign, what in foreign_files(database):
        raise AlteredDatabaseError(
            str(database),
            f"{foreign.name} beside it is {what}, which heimdall never makes",
            f"nothing was opened; {adopt_command(database)} puts it aside",
        )
    left_alone = size(log_of(database))
    status = _status(database)
    if status is None:
        if left_alone:
            raise AlteredDatabaseError(
                str(database),
                f"{log_of(database).name} is there without it, and would be played into a new one",
                "nothing was made; move that file away",
            )
        return False
    if not stat.S_ISREG(status.st_mode):
        what = "a symbolic link" if stat.S_ISLNK(status.st_mode) else "no file"
        raise AlteredDatabaseError(
            str(database), f"it is {what}", "nothing was opened; move it away"
        )
    return status.st_size > 0 or left_alone > 0


def foreign_files(database: Path) -> Iterator[tuple[Path, str]]:
    """What is beside a database under SQLite's names and can't be of ours, and what it is."""
    for suffix in (LOG, INDEX, JOURNAL):
        status = _status(beside(database, suffix))
        if status is None:
            continue
        if stat.S_ISLNK(status.st_mode):
            yield beside(database, suffix), "a symbolic link"
        elif not stat.S_ISREG(status.st_mode):
            yield beside(database, suffix), "no file"
        elif suffix == JOURNAL and not _is_ordinary_journal(database):
            yield beside(database, suffix), "a rollback journal"


def _is_ordinary_journal(database: Path) -> bool:
    """Whether it is what SQLite keeps there in place of a log, and names no file, which SQLite would delete."""
    from cognitive_memory.storage.known import has_journal

    if not has_journal(database):
        return False
    try:
        with os.fdopen(open_regular(beside(database, JOURNAL)), "rb") as journal:
            journal.seek(max(0, os.fstat(journal.fileno()).st_size - len(_MAGIC)))
            return journal.read() != _MAGIC
    except FileNotFoundError:  # its transaction has ended
        return True
    except OSError:
        return False


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except FileNotFoundError:
        return None
    except OSError as error:
        from cognitive_memory.project.special_folders import privacy_advice

        raise StorageError(
            str(path),
            f"it can't be looked at: {error.strerror}",
            f"check the path{privacy_advice()}",
        ) from error


def size(path: Path) -> int:
    """Bytes of a file; 0 where there is none."""
    status = _status(path)
    return 0 if status is None else status.st_size


def inode(path: Path) -> int:
    """What tells a file from others of its filesystem; 0 where there is none."""
    status = _status(path)
    return 0 if status is None else status.st_ino


def times(path: Path) -> str:
    """What changes when anybody writes to a file, or sets its times; empty where there is none."""
    status = _status(path)
    return "" if status is None else f"{status.st_mtime_ns}:{status.st_ctime_ns}"


@contextlib.contextmanager
def draft_folder(directory: Path) -> Iterator[Path]:
    """A folder of our own in a directory, removed at the end; what killed processes left of theirs goes, too."""
    import shutil

    from heimdall.models.processes import new_owner
    from heimdall.models.transfer.partials import is_abandoned

    for left in directory.glob(f"{_DRAFT}.*.tmp"):
        if is_abandoned(left):
            shutil.rmtree(left, ignore_errors=True)
    folder = directory / f"{_DRAFT}.{new_owner()}.tmp"
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def make_private(file: Path) -> None:
    """Make an empty file that only its owner may read, for SQLite to fill: what SQLite puts beside it has its mode.

    Raises:
        StorageError: it can't be made.
    """
    try:
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        # What is made is a draft mostly, whose name tells nobody anything.
        problem = f"no file can be made there: {error.strerror}"
        advice = "check that it exists, its owner and its mode"
        raise StorageError(str(file.parent), problem, advice) from error


def take_name(fresh: Path, database: Path) -> bool:
    """Give a database that nobody has open its name, unless another one has it. Tells whether it did.

    An empty file there is none. The fresh file may stay under its old name, too.

    Raises:
        StorageError: the database is not all in its one file.
        OSError: the directory can't be written.
    """
    must_be_whole(fresh)
    with contextlib.suppress(OSError):  # somebody has the name, or a filesystem without links
        os.link(fresh, database)
        return True
    from heimdall.models.locking import advisory_lock

    with advisory_lock(beside(database, "-making.lock"), _LOCK_SECONDS):
        if check(database):
            return False
        fresh.replace(database)
    return True


def must_be_whole(fresh: Path) -> None:
    """Raise unless closing a database has put its log into it, which fails on a full disk.

    Apple's SQLite leaves the log there, empty.

    Raises:
        StorageError: the file alone is not all of it.
    """
    if size(log_of(fresh)):
        problem = f"what was written is still in {log_of(fresh).name}, and could not be put into it"
        raise StorageError(str(fresh), problem, "nothing was changed; check the free space")


def set_aside(database: Path, why: str) -> list[Path]:
    """Move a database and what is beside it away, to names that say why; tells the new names.

    A log stays beside its database. A journal gets a name under which nothing will play it back.

    Raises:
        OSError: the directory can't be written.
    """
    return _moved(database, kept_name(database, why), ("", LOG, INDEX, JOURNAL))


def replace(database: Path, fresh: Path, why: str) -> list[Path]:
    """Give a fresh database, that nobody has open, the name of another one, which is set aside; tells the new names.

    Raises:
        StorageError: the fresh database is not all in its one file.
        OSError: the directory can't be written.
    """
    must_be_whole(fresh)
    kept = kept_name(database, why)
    try:
        os.link(database, kept)
    except OSError:  # a filesystem without links: for a moment there is no database
        moved = _moved(database, kept, ("", LOG, INDEX, JOURNAL))
    else:
        # A log that stayed would be played into the fresh one.
        moved = [kept, *_moved(database, kept, (LOG, INDEX, JOURNAL))]
    fresh.replace(database)
    return moved


def set_log_aside(database: Path) -> list[Path]:
    """Move a log away that does not belong to its database, and the log's index; tells the new names.

    Raises:
        OSError: the directory can't be written.
    """
    kept = kept_name(database, "aside")
    return _moved(database, kept.with_name(f"{kept.name}.unused"), (LOG, INDEX))


def set_foreign_aside(database: Path) -> list[Path]:
    """Move away what `foreign_files` names; tells the new names.

    Raises:
        OSError: the directory can't be written.
    """
    suffixes = [file.name.removeprefix(database.name) for file, _ in foreign_files(database)]
    kept = kept_name(database, "aside")
    return _moved(database, kept.with_name(f"{kept.name}.unused"), suffixes)


def _moved(database: Path, kept: Path, suffixes: Iterable[str]) -> list[Path]:
    moved = []
    for suffix in suffixes:
        name = f"{kept.name}.unused{suffix}" if suffix == JOURNAL else f"{kept.name}{suffix}"
        with contextlib.suppress(FileNotFoundError):
            moved.append(beside(database, suffix).rename(kept.with_name(name)))
    return moved

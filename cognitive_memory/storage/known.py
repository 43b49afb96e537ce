"""Which databases this user's installation made or adopted.

A random secret in each database says so, whose digest is the name of a small file in the data
directory. A database may be moved, renamed and copied; one that came with a folder has no such
secret, or one that nobody here knows. A second small file tells which write-ahead log belongs to
it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from hashlib import sha256
from pathlib import Path

from cognitive_memory.project.trust import named_in_environment
from cognitive_memory.storage import files
from cognitive_memory.storage.errors import ForeignLogError, StorageError, adopt_command
from heimdall.models import locations
from heimdall.models.files import forced, write_atomically
from heimdall.models.ownership import is_own
from heimdall.models.regular_file import read_regular

FOLDER = "databases"
SECRET_BYTES = 32
_LOG = ".log"
_MOST_BYTES = 200


def is_known(secret: bytes) -> bool:
    """Whether a database with that secret was made or adopted here.

    Raises:
        SettingsError: there is neither a home directory nor `$HEIMDALL_DATA_DIR`.
    """
    digest = _digest(secret)
    return _read(digest) == [digest]


def note(secret: bytes) -> None:
    """Make a secret known, for good.

    Raises:
        SettingsError: there is neither a home directory nor `$HEIMDALL_DATA_DIR`.
        OSError: the data directory can't be written.
    """
    _make_directory()
    digest = _digest(secret)
    _write(digest, digest, durable=True)


def not_noted(database: Path, error: OSError, advice: str) -> StorageError:
    """The error for a database whose secret could not be made known."""
    place = error.filename or "the data directory"
    problem = f"it can't be noted that it is yours ({place}: {error.strerror or error})"
    return StorageError(str(database), problem, advice)


def forget(secret: bytes) -> None:
    """Take notes back, for a database that never got its name, or that nobody needs any more."""
    for name in (_digest(secret), f"{_digest(secret)}{_LOG}"):
        with contextlib.suppress(OSError):
            (_directory() / name).unlink()


def note_log(secret: bytes, database: Path, *, durable: bool = False) -> None:
    """Note which write-ahead log a database has at this moment, or that it has none.

    A log is played into the database without a question, so one that came with the folder could say
    anything. Where it can't be noted, a log that a killed process leaves will have to be adopted.
    """
    digest = _digest(secret)
    log = files.inode(files.log_of(database))
    # While there is a log, our own processes change the database, so its times tell nothing.
    times = "-" if log else files.times(database)
    words = [digest, str(files.inode(database)), str(log), times]
    if durable or _read(f"{digest}{_LOG}") != words:
        with contextlib.suppress(OSError):
            _write(f"{digest}{_LOG}", " ".join(words), durable=durable)


def check_log(secret: bytes, database: Path) -> None:
    """Make sure that the log beside a database is the one that was noted, or is empty, or was copied together with it.

    Raises:
        ForeignLogError: it is another one, and `$HEIMDALL_TRUST` does not name its folder.
    """
    log = files.log_of(database)
    if files.size(log) and not _is_noted(secret, database) and not is_trusted_folder(database):
        raise ForeignLogError(
            str(database),
            f"{log.name} beside it is not the write-ahead log that heimdall left there",
            "nothing was opened; end the program that works on it without heimdall, if there is one. Then, if you put "
            f"that file there, {adopt_command(database, own=True)} keeps it, and what is stored in it; if it came "
            f"from somebody else, {adopt_command(database)} puts it aside",
        )


def _is_noted(secret: bytes, database: Path) -> bool:
    digest = _digest(secret)
    noted = _read(f"{digest}{_LOG}")
    if len(noted) != 4 or noted[0] != digest:
        return False
    _, file, log, times = noted
    if file != str(files.inode(database)):
        return True  # a copy
    if log == "0":  # since then both were put there, as when a backup of the folder comes back
        return times != files.times(database)
    return log == str(files.inode(files.log_of(database)))


def note_journal(database: Path, *, in_use: bool) -> None:
    """Note whether a database has a rollback journal while it is written, since its filesystem allows no log.

    Others refuse a journal, so this is known before anything is written.
    """
    name = _journal_note(database)
    if in_use != (_directory() / name).exists():
        with contextlib.suppress(OSError):
            if in_use:
                _make_directory()
                _write(name, name, durable=False)
            else:
                (_directory() / name).unlink()


def has_journal(database: Path) -> bool:
    """Whether that was noted."""
    name = _journal_note(database)
    return _read(name) == [name]


def _journal_note(database: Path) -> str:
    return f"{_digest(os.fsencode(database.absolute()))}.journal"


def is_trusted_folder(database: Path) -> bool:
    """Whether `$HEIMDALL_TRUST` names the project, or else the directory, that a database is in.

    Raises:
        SettingsError: the variable has a value that can't be used.
    """
    folder = database.parent
    return named_in_environment(folder.parent if folder.name == ".heimdall" else folder)


def _directory() -> Path:
    # A data directory may be shared by a group: nobody else removes notes of ours.
    directory = Path(locations.data_dir()) / FOLDER
    try:
        shared = os.name != "nt" and directory.lstat().st_uid != os.geteuid()
    except OSError:
        shared = False
    return directory.with_name(f"{FOLDER}-{os.geteuid()}") if shared else directory


def _make_directory() -> None:
    directory = _directory()
    directory.parent.mkdir(parents=True, exist_ok=True)
    directory.mkdir(mode=0o700, exist_ok=True)
    status = directory.lstat()
    if not stat.S_ISDIR(status.st_mode) or not is_own(status):
        problem = "it belongs to somebody else, or others may write to it; remove it"
        raise PermissionError(errno.EPERM, problem, str(directory))


def _digest(secret: bytes) -> str:
    return sha256(secret).hexdigest()


def _read(name: str) -> list[str]:
    """The words of a note of ours, or else of root's; none if there is no such note."""
    for directory in (_directory(), Path(locations.data_dir()) / FOLDER):
        try:
            content, status = read_regular(directory / name, _MOST_BYTES)
            # Others may write to a shared data directory. A note of ours says its own name: moving
            # one there does not help.
            if is_own(status):
                return content.decode().split()
        except (OSError, ValueError):
            continue
    return []


def _write(name: str, content: str, *, durable: bool) -> None:
    """Write a note that is there as a whole or not at all, and if `durable`, after a power cut, too."""
    write_atomically(_directory() / name, f"{content}\n", mode=0o600, durable=durable)
    if durable:
        _sync(_directory())


def _sync(directory: Path) -> None:
    """Force a directory's entries to disk, where the system can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            forced(descriptor)
        finally:
            os.close(descriptor)

"""Which databases this user's installation made or adopted.

A random secret in each database says so, whose digest is the name of a small file in the data directory. A database may
be moved, renamed and copied; one that came with a folder has no such secret, or one that nobody here knows.
"""

from __future__ import annotations

import contextlib
import os
import stat
from hashlib import sha256
from pathlib import Path

from cognitive_memory.project.trust import named_in_environment
from heimdall.models import locations

FOLDER = "databases"
SECRET_BYTES = 32
_CAREFULLY = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
"""Open no link, and wait for no pipe; Windows has neither flag."""


def is_known(secret: bytes) -> bool:
    """Whether a database with that secret was made or adopted here.

    Raises:
        SettingsError: there is neither a home directory nor `$HEIMDALL_DATA_DIR`.
    """
    digest = _digest(secret)
    try:
        descriptor = os.open(_directory() / digest, os.O_RDONLY | _CAREFULLY)
    except OSError:
        return False
    try:
        # Others may write to a shared data directory. A file of ours there says its own name: moving one does not help.
        return _is_ours(os.fstat(descriptor)) and os.read(descriptor, 100) == _content(digest)
    finally:
        os.close(descriptor)


def note(secret: bytes) -> None:
    """Make a secret known, for good.

    Raises:
        SettingsError: there is neither a home directory nor `$HEIMDALL_DATA_DIR`.
        OSError: the data directory can't be written.
    """
    from heimdall.models.files import write_atomically

    directory = _directory()
    directory.mkdir(parents=True, exist_ok=True)
    write_atomically(directory / _digest(secret), _content(_digest(secret)), mode=0o600)
    _sync(directory)


def forget(secret: bytes) -> None:
    """Take a note back, for a database that never got its name."""
    with contextlib.suppress(OSError):
        (_directory() / _digest(secret)).unlink()


def is_trusted_folder(database: Path) -> bool:
    """Whether `$HEIMDALL_TRUST` names the project, or else the directory, that a database is in.

    Raises:
        SettingsError: the variable has a value that can't be used.
    """
    folder = database.parent
    return named_in_environment(folder.parent if folder.name == ".heimdall" else folder)


def _directory() -> Path:
    return Path(locations.data_dir()) / FOLDER


def _digest(secret: bytes) -> str:
    return sha256(secret).hexdigest()


def _content(digest: str) -> bytes:
    return f"{digest}\n".encode()


def _is_ours(status: os.stat_result) -> bool:
    if not stat.S_ISREG(status.st_mode):
        return False
    return os.name == "nt" or (
        status.st_uid in {os.geteuid(), 0} and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    )


def _sync(directory: Path) -> None:
    """Force a directory's entries to disk, where the system can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

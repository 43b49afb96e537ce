"""A copy of a database that somebody else may be writing, made without SQLite."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from cognitive_memory.storage import files
from cognitive_memory.storage.errors import DatabaseFullError, StorageError
from heimdall.models.regular_file import open_regular
from heimdall.models.text import megabytes

_MARGIN = 1 << 24
_ATTEMPTS = 3


def copy_of_a_moment(database: Path, copy: Path) -> int:
    """Copy a database and its log as they are at one moment; tells how many bytes that were."""
    for _ in range(_ATTEMPTS):
        before = _sizes_and_times(database)
        size = sum(each[0] for each in before)
        free = shutil.disk_usage(copy.parent).free
        if free < 2 * size + _MARGIN:
            problem = (
                f"{megabytes(2 * size + _MARGIN)} are needed in {copy.parent.parent} to take it over, "
                f"{megabytes(free)} are free"
            )
            raise DatabaseFullError(str(database), problem, "nothing was changed; make room")
        for suffix in ("", files.LOG):
            _copy_file(files.beside(database, suffix), files.beside(copy, suffix))
        if _sizes_and_times(database) == before:
            return size
    problem = "it changes all the time: some program works on it"
    raise StorageError(str(database), problem, "nothing was changed; end that program first")


def _sizes_and_times(database: Path) -> list[tuple[int, int]]:
    found = []
    for suffix in ("", files.LOG):
        try:
            status = files.beside(database, suffix).lstat()
        except FileNotFoundError:
            continue
        found.append((status.st_size, status.st_mtime_ns))
    return found


def _copy_file(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    try:
        descriptor = open_regular(source)
    except FileNotFoundError:
        return
    with os.fdopen(descriptor, "rb") as reading, target.open("xb") as writing:
        left = os.fstat(descriptor).st_size
        while left > 0 and (block := reading.read(min(left, 1 << 20))):
            writing.write(block)
            left -= len(block)

"""Is there room? Asked before the first byte, so that nobody waits for a download that can't end well."""

from __future__ import annotations

import errno
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from .errors import ModelError, StoreError
from .ownership import owner
from .text import megabytes

_MARGIN = 1 << 20
_FULL = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})
_DENIED = frozenset({errno.EACCES, errno.EPERM})


@dataclass(eq=False, repr=False)
class NoSpaceError(ModelError):
    """The filesystem has too little free space.

    Attributes:
        directory: where the bytes were to go.
        needed: bytes needed.
        free: bytes free.
    """

    directory: str
    needed: int
    free: int

    def __str__(self) -> str:
        missing = megabytes(self.needed - self.free)
        return (
            f"too little space in {self.directory}: {megabytes(self.needed)} needed, {megabytes(self.free)} free; "
            f"make room for {missing} more, or set HEIMDALL_DATA_DIR to a larger disk"
        )


def is_full(error: BaseException) -> bool:
    """Whether it says that the filesystem, or one's share of it, is full."""
    return isinstance(error, NoSpaceError) or getattr(error, "errno", None) in _FULL


def explained(error: OSError, models_dir: Path) -> StoreError:
    """What the system said about the models directory, with what to do about it."""
    reason = f"{error.strerror or error}" + (f" ({error.filename})" if error.filename else "")
    return StoreError(
        str(models_dir), reason, f"{_remedy(error)} or set HEIMDALL_DATA_DIR to another directory"
    )


def _remedy(error: OSError) -> str:
    if is_full(error):
        return "make room there,"
    if error.errno in _DENIED and error.filename:
        existing = Path(os.fsdecode(error.filename))
        while not os.path.lexists(existing) and existing != existing.parent:
            existing = existing.parent
        return f"{existing} belongs to {owner(existing)}: make it writable for you (chown),"
    return "see what is wrong there,"


def require_space(directory: Path, needed: int) -> None:
    """Make sure that `needed` more bytes fit.

    Raises:
        NoSpaceError: if they don't.
    """
    try:
        free = shutil.disk_usage(directory).free
    except OSError:
        return  # a filesystem that can't say; the write itself will
    if free < needed + _MARGIN:
        raise NoSpaceError(str(directory), needed + _MARGIN, free)

"""Is there room? Asked before the first byte, so that nobody waits for a download that can't end well."""

from __future__ import annotations

import shutil
from pathlib import Path

from heimdall.models.errors import ModelError
from heimdall.models.progress import megabytes

_MARGIN = 1 << 20


class NoSpaceError(ModelError):
    """The filesystem has too little free space.

    Attributes:
        directory: where the bytes were to go.
        needed: bytes needed.
        free: bytes free.
    """

    def __init__(self, directory: str, needed: int, free: int) -> None:
        super().__init__(directory, needed, free)
        self.directory = directory
        self.needed = needed
        self.free = free

    def __str__(self) -> str:
        missing = megabytes(self.needed - self.free)
        return (
            f"too little space in {self.directory}: {megabytes(self.needed)} needed, {megabytes(self.free)} free; "
            f"make room for {missing} more, or set HEIMDALL_DATA_DIR to a larger disk"
        )


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

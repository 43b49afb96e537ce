"""Opening a file that somebody else may have put there: no link is followed, no pipe or device waited for."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

_FLAGS = (
    getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


def open_plain(path: Path, flags: int = os.O_RDONLY, mode: int = 0o600) -> int:
    """Open a regular file; the descriptor.

    Args:
        flags: as of `os.open`.
        mode: of a file that is made, less the umask.

    Raises:
        FileNotFoundError: it is not there.
        OSError: it is a link or no regular file, or it can't be opened.
    """
    # Windows has no O_NOFOLLOW; elsewhere each system says its own of a link.
    if path.is_symlink():
        raise OSError(errno.ELOOP, "is a link; a file was expected", str(path))
    descriptor = os.open(path, flags | _FLAGS, mode)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "is no regular file", str(path))
    return descriptor


def read_plain(path: Path, most: int) -> bytes:
    """What a regular file begins with, up to `most` bytes.

    Raises:
        As `open_plain` does.
    """
    with os.fdopen(open_plain(path), "rb") as file:
        return file.read(most)

"""Files that somebody else may have put there: no link is followed, no pipe waited for, and no end is believed in."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from .ownership import NO_FOLLOW

_FLAGS = (
    NO_FOLLOW
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_BINARY", 0)
)


class NotRegularError(OSError):
    """A path leads to no regular file: to a folder, link, pipe, socket or device."""


def open_regular(path: Path, flags: int = os.O_RDONLY, mode: int = 0o600) -> int:
    """Open a regular file; the descriptor.

    Args:
        path: without links, but for those in its folders.
        flags: as of `os.open`.
        mode: of a file that is made, less the umask.

    Raises:
        NotRegularError: there is no regular file.
        OSError: the file can't be opened.
    """
    # Windows has no O_NOFOLLOW; there somebody could be quicker, who needs a right of administrators to make links.
    if os.name == "nt" and path.is_symlink():
        raise _not_regular(path)
    try:
        descriptor = os.open(path, flags | _FLAGS, mode)
    except OSError as error:
        # What Linux and macOS (ELOOP), FreeBSD (EMLINK) say of a link, and Linux of a socket.
        # Windows opens no folder.
        no_file = error.errno in {errno.ELOOP, errno.EMLINK, errno.ENXIO}
        if no_file or (os.name == "nt" and path.is_dir()):
            raise _not_regular(path) from error
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _not_regular(path)
    return descriptor


def read_regular(path: Path, most: int) -> tuple[bytes, os.stat_result]:
    """Read a regular file; one that grows, or whose size the system does not know, no further than asked.

    Args:
        path: without links, but for those in its folders.
        most: how many bytes are wanted.

    Returns:
        The file's bytes, one more than `most` if it has more, and what its system says of the file that was read.

    Raises:
        NotRegularError: there is no regular file.
        OSError: the file can't be read.
    """
    with os.fdopen(open_regular(path), "rb", buffering=0) as stream:
        status = os.fstat(stream.fileno())
        chunks, left = [], most + 1
        while left and (chunk := stream.read(min(left, 1 << 20))):
            chunks.append(chunk)
            left -= len(chunk)
    return b"".join(chunks), status


def _not_regular(path: Path) -> NotRegularError:
    return NotRegularError(errno.EINVAL, "it is no regular file", str(path))

"""Reading files that are not trusted to be files, nor to have an end."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path


class NotRegularError(OSError):
    """A path leads to no regular file: to a folder, link, pipe, socket or device."""


def read_regular(path: Path, most: int) -> tuple[bytes, os.stat_result]:
    """Read a regular file.

    A pipe is not waited for, a link is not followed, and a file that grows, or whose size the system does not know, is read
    no further than asked.

    Args:
        path: without links, but for those in its folders.
        most: how many bytes are wanted.

    Returns:
        The file's bytes, one more than `most` if it has more, and what its system says of the file that was read.

    Raises:
        NotRegularError: there is no regular file.
        OSError: the file can't be read.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
    flags |= getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        # What Linux and macOS (ELOOP), FreeBSD (EMLINK) say of a link, and Linux of a socket.
        if error.errno in {errno.ELOOP, errno.EMLINK, errno.ENXIO}:
            raise _not_regular(path) from error
        raise
    with os.fdopen(descriptor, "rb", buffering=0) as stream:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise _not_regular(path)
        chunks, left = [], most + 1
        while left and (chunk := stream.read(min(left, 1 << 20))):
            chunks.append(chunk)
            left -= len(chunk)
    return b"".join(chunks), status


def _not_regular(path: Path) -> NotRegularError:
    return NotRegularError(errno.EINVAL, "it is no regular file", str(path))

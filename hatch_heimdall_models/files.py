"""Writing files so that a reader sees the old content or the new one, never a part."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

CHUNK = 1024 * 1024
"""Bytes per read: the fastest size that was measured for hashing while copying."""
PART_SUFFIX = ".part"
"""Ends the name of a file that is still being written."""


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a new file beside `path` that takes its place when the block ends well, and vanishes when it does not.

    Folders above it are made. The file's mode follows the umask.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}{PART_SUFFIX}")
    try:
        with part.open("xb+") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
    except BaseException:  # also Ctrl-C: no half file stays
        part.unlink(missing_ok=True)
        raise


def write_if_different(path: Path, content: bytes) -> bool:
    """Make the file hold `content`; whether it had to be written."""
    if path.is_file() and path.read_bytes() == content:
        return False
    with replacing(path) as stream:
        stream.write(content)
    return True

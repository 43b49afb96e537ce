"""Reading and hashing files, and writing them so that a reader sees the old content or the new one, never a part."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO

from hatch_heimdall_models.errors import ModelBuildError, reason

CHUNK = 1024 * 1024
"""Bytes per read: the fastest size that was measured for hashing while copying."""
PART_SUFFIX = ".part"
"""Ends the name of a file that is still being written."""


def read_text(path: Path) -> str:
    """A file of UTF-8 text.

    Raises:
        ModelBuildError: if it can't be read, or is no such text.
    """
    try:
        return path.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise ModelBuildError(str(path), [f"can't be read: {reason(error)}"]) from error


def sha256_of(path: Path) -> str:
    """The file's sha256 as 64 lower-case hexadecimal digits."""
    with path.open("rb", buffering=0) as stream:
        return sha256_of_stream(stream)


def sha256_of_stream(stream: IO[bytes]) -> str:
    """The sha256 of what is left in the stream."""
    digest = hashlib.sha256()
    while chunk := stream.read(CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


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
            # Before the rename, which may otherwise reach the disk first and leave an empty file
            # after a power cut.
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


def megabytes(count: int) -> str:
    """A number of bytes for people."""
    return f"{count / 1e6:.1f} MB"

"""Writing files so that a reader sees the old content or the new one, never a part."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from hatch_heimdall_models.errors import ModelBuildError

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
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def copy_verified(
    source: BinaryIO,
    target: BinaryIO,
    *,
    sha256: str,
    size: int,
    subject: str,
    advance: Callable[[int], None] | None = None,
) -> None:
    """Copy a stream, hashing it on the way; no more than one chunk beyond `size` bytes is read.

    `advance`, where it is given, hears of the bytes of each chunk.

    Raises:
        ModelBuildError: if the bytes do not have the size and the sha256.
    """
    digest = hashlib.sha256()
    copied = 0
    while chunk := source.read(CHUNK):
        copied += len(chunk)
        if copied > size:
            raise ModelBuildError(subject, [f"has more than the {size} bytes that are pinned"])
        digest.update(chunk)
        target.write(chunk)
        if advance is not None:
            advance(len(chunk))
    if (digest.hexdigest(), copied) != (sha256, size):
        problem = f"expected sha256 {sha256} ({size} bytes), found {digest.hexdigest()} ({copied} bytes)"
        raise ModelBuildError(subject, [problem])


def write_if_different(path: Path, content: bytes) -> bool:
    """Make the file hold `content`; whether it had to be written."""
    if path.is_file() and path.read_bytes() == content:
        return False
    with replacing(path) as stream:
        stream.write(content)
    return True

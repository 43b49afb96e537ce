"""How a file is read, hashed and written, here and in the rest of the project."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

CHUNK = 1 << 20
"""Bytes per read: the measured optimum of reading, hashing and writing."""


def sha256_of(path: Path) -> str:
    """The file's sha256 as 64 lower-case hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def chunks_of(stream: IO[bytes]) -> Iterator[bytes]:
    """The rest of `stream` in chunks."""
    while chunk := stream.read(CHUNK):
        yield chunk


def write_atomically(path: Path, text: str) -> None:
    """Write a small text file so that a reader sees the old or the new one, never a part."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}-{os.urandom(4).hex()}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8", newline="\n")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)

"""Members of a zip archive that nobody vouches for: whatever is wrong with it is one kind of error."""

from __future__ import annotations

import contextlib
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from heimdall.models.errors import SourceError
from heimdall.models.store import chunks_of

_PLAIN = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_UNSOUND = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error,
    EOFError, NotImplementedError, RuntimeError, ValueError, OverflowError, IndexError, OSError,
)  # fmt: skip


@contextlib.contextmanager
def opened_zip(path: Path, label: str) -> Iterator[zipfile.ZipFile]:
    """The archive, opened for reading.

    Raises:
        SourceError: if it is no sound zip archive or can't be read.
    """
    with _translated(label):
        archive = zipfile.ZipFile(path)
    with archive:
        yield archive


def member_chunks(archive: zipfile.ZipFile, member: str, label: str) -> Iterator[bytes]:
    """A member's bytes.

    Raises:
        SourceError: if it is missing, damaged, encrypted, or compressed in another way than by deflate: the others
            are inflated without a bound on memory.
    """
    with _translated(label):
        try:
            info = archive.getinfo(member)
        except KeyError as error:
            raise SourceError(f"{label}: lacks the member {member}") from error
        if info.compress_type not in _PLAIN:
            raise SourceError(f"{label}: member {member} is compressed by method {info.compress_type}; refused")
        stream = archive.open(info)
    with stream:
        chunks = chunks_of(stream)
        while True:
            with _translated(label):
                chunk = next(chunks, b"")
            if not chunk:
                return
            yield chunk


@contextlib.contextmanager
def _translated(label: str) -> Iterator[None]:
    try:
        yield
    except _UNSOUND as error:
        raise SourceError(f"{label}: is not a sound zip archive: {error}") from error

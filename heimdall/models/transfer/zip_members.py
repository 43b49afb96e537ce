"""Members of a zip archive that nobody vouches for: whatever is wrong with it is one kind of error."""

from __future__ import annotations

import contextlib
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO

from ..errors import IntegrityError, SourceError
from ..files import chunks_of
from ..manifest import PinnedFile
from ..store import Store

_PLAIN = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_UNSOUND = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error,
    EOFError, NotImplementedError, RuntimeError, ValueError, OverflowError, IndexError, OSError,
)  # fmt: skip


@contextlib.contextmanager
def opened_zip(file: Path | IO[bytes], label: str) -> Iterator[zipfile.ZipFile]:
    """The archive, opened for reading.

    Raises:
        SourceError: if it is no sound zip archive or can't be read.
    """
    with _translated(label):
        archive = zipfile.ZipFile(file)
    with archive:
        yield archive


def receive_members(
    archive: zipfile.ZipFile,
    members: Mapping[str, PinnedFile],
    store: Store,
    label: str,
    watch: Callable[[PinnedFile, Iterator[bytes]], Iterator[bytes]] = lambda _, chunks: chunks,
) -> None:
    """Take pinned files into the store, each verified while it is read.

    Args:
        members: the files by their member's name.
        label: the archive's name, for messages.
        watch: sees a file's chunks on their way, for progress.

    Raises:
        SourceError: if a member is missing, unsound or not what is pinned; what was verified stays.
    """
    for member, file in members.items():
        try:
            store.receive(file, watch(file, member_chunks(archive, member, label)))
        except IntegrityError as error:
            raise SourceError(f"{label}: {error}") from error


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
            raise SourceError(
                f"{label}: member {member} is compressed by method {info.compress_type}; refused"
            )
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

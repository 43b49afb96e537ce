"""Zip archives with a model's files, opened with distrust: whatever is wrong with one is a `SourceError`."""

from __future__ import annotations

import contextlib
import lzma
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

from ..errors import IntegrityError, SourceError
from ..files import CHUNK, chunks_of
from ..manifest import PinnedFile, PinnedModel
from ..pinned_set import PinnedSet

ROOT = "models/"
DOCUMENTS = f"{ROOT}about/"
"""Licence, model card and provenance: in the asset, never unpacked."""
_ENCRYPTED = 0x1
_LENGTHS = 26
"""Where in a member's header the lengths of its name and of what comes before its bytes are."""
_PLAIN = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_UNSOUND = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error,
    EOFError, NotImplementedError, RuntimeError, ValueError, OverflowError, IndexError, OSError,
)  # fmt: skip


def unpack(archive: Path, wanted: Sequence[PinnedFile], pinned: PinnedSet) -> None:
    """Take the wanted members into the set's store, each verified while it is read.

    Raises:
        SourceError: if the archive is damaged, lacks a member, or has one that it must not have;
            what was verified stays.
    """
    label = archive.name
    with _translated(label):
        opened = zipfile.ZipFile(archive)
    with opened:
        _check_members(opened, pinned.model, label)
        for file in wanted:
            chunks = member_chunks(opened, f"{ROOT}{file.path}", label)
            try:
                # Closed, or it would keep the archive open, and its room taken, for as long as an error is kept.
                with contextlib.closing(chunks):
                    pinned.store.receive(file, chunks)
            except IntegrityError as error:
                raise SourceError(f"{label}: {error}") from error


def take_members(archive: Path, wanted: Sequence[PinnedFile], pinned: PinnedSet) -> None:
    """Take the wanted files out of an archive of any layout into the set's store: what has their bytes, whatever its name.

    Raises:
        SourceError: if the archive is damaged; what was verified stays.
    """
    label = archive.name
    with _translated(label):
        opened = zipfile.ZipFile(archive)
    with opened:
        for file in wanted:
            for info in opened.infolist():
                if info.file_size != file.size or info.flag_bits & _ENCRYPTED:
                    continue
                with contextlib.suppress(IntegrityError):  # another file of that size
                    pinned.store.receive(file, member_chunks(opened, info.filename, label))
                    break


def member_chunks(
    archive: zipfile.ZipFile, member: str, label: str
) -> Generator[bytes, None, None]:
    """A member's bytes.

    Raises:
        SourceError: if it is missing, damaged, encrypted, or compressed in another way than by
            deflate: the others are inflated without a bound on memory.
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
        is_stored = info.compress_type == zipfile.ZIP_STORED
        chunks = _as_it_lies(archive, info) if is_stored else chunks_of(stream)
        while True:
            # Around the reading alone: an error of whoever takes the chunk is not the archive's.
            with _translated(label):
                chunk = next(chunks, b"")
            if not chunk:
                return
            yield chunk


def _as_it_lies(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """A stored member's bytes, whose sha256 tells all that its CRC would: that takes as long again as reading."""
    file = archive.fp
    if file is None:
        raise ValueError("it is closed")
    file.seek(info.header_offset + _LENGTHS)
    name, extra = struct.unpack("<HH", file.read(4))
    file.seek(name + extra, os.SEEK_CUR)
    left = info.file_size
    while chunk := file.read(min(left, CHUNK)):
        left -= len(chunk)
        yield chunk


@contextlib.contextmanager
def _translated(label: str) -> Iterator[None]:
    try:
        yield
    except _UNSOUND as error:
        raise SourceError(f"{label}: is not a sound zip archive: {error}") from error


def _check_members(opened: zipfile.ZipFile, model: PinnedModel, label: str) -> None:
    pinned = {f"{ROOT}{file.path}": file.size for file in model.files}
    seen: set[str] = set()
    for info in opened.infolist():
        if problem := _member_problem(info, pinned, seen):
            raise SourceError(f"{label}: member {info.filename!r} {problem}; refused")
        seen.add(info.filename.casefold())


def _member_problem(info: zipfile.ZipInfo, pinned: dict[str, int], seen: set[str]) -> str | None:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if info.filename.casefold() in seen:
        return "is there twice"
    if info.flag_bits & _ENCRYPTED:
        return "is encrypted"
    if kind and not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
        return "is a link or special file"
    if info.filename in pinned:
        size = pinned[info.filename]
        return None if info.file_size == size else f"has {info.file_size} bytes, expected {size}"
    # Not is_dir(): before Python 3.12 it fails on a member without a name.
    if info.filename.endswith("/") and any(
        name.startswith(info.filename) for name in (*pinned, DOCUMENTS)
    ):
        return None
    if info.filename.startswith(DOCUMENTS) and ".." not in info.filename:
        return None
    return "is none of the pinned files"

"""How a file is read, hashed and written, here and in the rest of the project."""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO

CHUNK = 1 << 20
"""Bytes per read: the measured optimum of reading, hashing and writing."""
_WRITTEN_OUT_AT_ONCE = 8 << 20
_FEW = 4
_SYNCS_AT_A_TIME = 16
_PATIENCE_SECONDS = (0.02, 0.05, 0.1, 0.2, 0.4, 0.4, 0.8) if os.name == "nt" else ()


def sha256_of(path: Path) -> str:
    """The file's sha256 as 64 lower-case hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        for chunk in chunks_of(stream):
            digest.update(chunk)
    return digest.hexdigest()


def chunks_of(stream: IO[bytes]) -> Iterator[bytes]:
    """The rest of `stream` in chunks."""
    while chunk := stream.read(CHUNK):
        yield chunk


def size_below(folder: Path) -> int:
    """Bytes of all files below a folder, which may change meanwhile; 0 for what is no folder."""
    size = 0
    # Not rglob(), which fails when a folder is removed meanwhile.
    for directory, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                size += os.lstat(os.path.join(directory, name)).st_size  # noqa: PTH118
    return size


def forced(descriptor: int) -> None:
    """Force what was written to a file, or a folder's entries, to the disk, so that a power cut loses none of it.

    On macOS `fsync` leaves it in the drive's own memory; some volumes there know nothing else.

    Raises:
        OSError: it can't be done.
    """
    try:
        import fcntl

        fcntl.fcntl(descriptor, getattr(fcntl, "F_FULLFSYNC"))  # noqa: B009 (mypy knows the system that it runs on)
    except (ImportError, AttributeError, OSError):
        os.fsync(descriptor)


def written_out(chunks: Iterable[bytes], stream: IO[bytes]) -> Iterator[bytes]:
    """The chunks, each to be written to `stream` before the next one is taken.

    Where the system can be told to, it begins to bring what was written to the disk meanwhile, so that forcing the
    file to the disk at its end takes less.
    """
    size = begun = 0
    for chunk in chunks:
        yield chunk
        size += len(chunk)
        if size - begun >= _WRITTEN_OUT_AT_ONCE and hasattr(os, "posix_fadvise"):
            stream.flush()
            # Linux writes out what it may forget; what is on its way to the disk it does not forget.
            with contextlib.suppress(OSError):  # a filesystem that takes no advice
                os.posix_fadvise(stream.fileno(), begun, size - begun, os.POSIX_FADV_DONTNEED)
            begun = size


def settle(path: Path) -> None:
    """Force a file to the disk, readable for all and writable for its owner alone, with a time stamp of now.

    The time stamp is one that a receipt can tell for good.
    """
    path.chmod(0o644)
    with path.open("r+b") as stream:
        forced(stream.fileno())
    # Whole seconds survive tar and container layers, so that receipts still fit in there.
    now = int(time.time())
    os.utime(path, (now, now))


def settle_all(paths: Sequence[Path]) -> None:
    """As `settle`, for many files together.

    A journaling filesystem writes what several threads wait for in one commit: 5,000 files take as long as a hundred
    one after the other. Not by `syncfs`, which also waits for what every other program wrote, and reports failed writes
    only since Linux 5.8.
    """
    if len(paths) <= _FEW:
        for path in paths:
            settle(path)
        return
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(_SYNCS_AT_A_TIME, "heimdall-settle") as threads:
        for _ in threads.map(settle, paths):
            pass


def rename(source: Path, target: Path) -> None:
    """Give a file or folder another name in the same filesystem, in place of a file that has it.

    On Windows nobody may rename what somebody has open, and virus scanners open each new file for a moment: it is tried
    again for two seconds.

    Raises:
        OSError: if it can't be done.
    """
    for seconds in _PATIENCE_SECONDS:
        try:
            source.replace(target)
        except PermissionError:
            time.sleep(seconds)
        else:
            return
    source.replace(target)


def rename_over(source: Path, target: Path, aside: Path) -> None:
    """As `rename`, also in place of a file that a running program has mapped, which Windows lets nobody replace.

    That one gets the name `aside` in the same filesystem, and is removed, now or by whoever finds it there later.

    Raises:
        OSError: if it can't be done, as when a program has the file itself open; then `target` is what it was.
    """
    try:
        rename(source, target)
    except PermissionError:
        if not target.is_file():
            raise
        target.rename(aside)
        try:
            source.rename(target)
        except BaseException:  # also Ctrl-C: the old file keeps its name
            aside.rename(target)
            raise
        with contextlib.suppress(OSError):
            aside.unlink()


@contextlib.contextmanager
def draft(
    path: Path, *, mode: int = 0o666, replace: bool = True, durable: bool = True
) -> Iterator[Path]:
    """An empty file beside `path`, to be filled, that gets its name when the block ends well.

    A reader sees the old file or the new one, never a part, and what is in the new one is on the disk. When the block
    ends in an exception, nothing is left and the old file stays.

    Args:
        path: the file to be made; its folder is there.
        mode: the new file's permissions, less the umask.
        replace: take the place of a file that is there; otherwise the one that is there stays.
        durable: force it to the disk before it gets its name. Without, a power cut may leave another content, or none.

    Raises:
        OSError: the file can't be written.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}-{os.urandom(4).hex()}.tmp")
    try:
        os.close(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode))
    except OSError as error:
        error.filename = os.fspath(path)  # the name of a draft tells nobody anything
        raise
    try:
        yield beside
        if durable:
            # Windows syncs only what is open for writing; elsewhere the new mode may forbid that.
            with beside.open("r+b" if os.name == "nt" else "rb") as stream:
                forced(stream.fileno())
        if replace:
            rename(beside, path)
        else:
            link_unless_there(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def write_atomically(
    path: Path,
    content: str | bytes,
    *,
    mode: int = 0o666,
    replace: bool = True,
    durable: bool = True,
) -> None:
    """Write a small file as `draft` does; text as UTF-8 with the line ends that it has."""
    with draft(path, mode=mode, replace=replace, durable=durable) as beside:
        beside.write_bytes(content.encode() if isinstance(content, str) else content)


def link_unless_there(source: Path, target: Path) -> None:
    """Give a file another name in the same filesystem; what has that name already stays.

    Raises:
        OSError: it can't be done.
    """
    try:
        os.link(source, target)
    except FileExistsError:
        pass
    except OSError:  # a filesystem without links
        if not os.path.lexists(target):
            rename(source, target)

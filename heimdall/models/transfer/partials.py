"""Unfinished downloads: kept when interrupted, and continued by whoever claims them first.

A partial file becomes a published one by a rename, so nobody else may ever hold it open for writing. A part that its
owner let go of was closed before; one whose owner only *seems* to be dead (another process namespace, a suspended
machine, a clock that jumped) is copied, never shared.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import IO

from ..files import CHUNK, chunks_of, rename
from ..ownership import is_own
from ..processes import is_gone, is_of_another_machine, is_own_name, new_owner
from ..regular_file import open_regular
from .digest import Sha256

_ABANDONED_SECONDS = 3600.0
_SUFFIX = ".part"
TEMPORARY = ".tmp"
"""Ends the names of files that are of no use to anybody but their process."""
FREE = "free"
"""Stands for the owner of what was let go, to be continued."""


class PartialFile:
    """A download under way, and the sha256 of what is there of it so far.

    Attributes:
        path: the file; its name tells the download and its owner.
        size: bytes so far.
    """

    def __init__(self, path: Path, stream: IO[bytes]) -> None:
        self.path = path
        self._stream = stream
        self._digest = Sha256()
        self.size = 0
        for chunk in chunks_of(stream):
            self._digest.update(chunk)
            self.size += len(chunk)

    @property
    def sha256(self) -> str:
        """The digest of the bytes so far."""
        return self._digest.hexdigest()

    def append(self, chunk: bytes) -> None:
        """Add bytes at the end."""
        view = memoryview(chunk)
        while view:
            view = view[self._stream.write(view) :]
        self._digest.update(chunk)
        self.size += len(chunk)

    def restart(self) -> None:
        """Throw the bytes away."""
        self._stream.seek(0)
        self._stream.truncate()
        self._digest.close()
        self._digest = Sha256()
        self.size = 0

    def close(self) -> None:
        """Finish writing, so that the file can be read or renamed on every platform."""
        self._digest.close()
        self._stream.close()


@contextlib.contextmanager
def claim(directory: Path, key: str, *, alone: bool = False) -> Iterator[PartialFile]:
    """A partial file for the download `key`, which goes on where the longest part that was left behind ends.

    It stays when the block fails, to be continued later, and is removed when the block ends well. Of what other
    processes left, one part at most stays meanwhile: that of one which may still be at work.

    Args:
        alone: whether nobody else works on this download, as a lock says that is held; then parts are continued of
            which it can't be told whether their process still runs. Where locks lie, that one is not disturbed.
    """
    own = _new_name(directory, key, new_owner())
    usable = [(_size(path), is_abandoned(path), path) for path in _usable(directory, key)]
    left = [
        (is_left, path)
        for _, is_left, path in sorted(usable, reverse=True)
        if is_left or (alone and not is_own_name(owner_of(path)))
    ]
    # First, so that there are never more than two, of which each may be as large as the download.
    for is_left, path in left[1:]:
        if is_left or is_of_another_machine(owner_of(path)):
            _discard(path)
    for is_left, path in left[:1]:
        if not _take(path, own, keep=not is_left) and is_left:
            _discard(path)
    # Unbuffered: a forked child must not write what is left in a buffer when it ends.
    with own.open("r+b" if own.exists() else "x+b", buffering=0) as stream:
        partial = PartialFile(own, stream)
        try:
            yield partial
        except BaseException:  # also Ctrl-C: what arrived is kept
            _let_go(partial)
            raise
    own.unlink(missing_ok=True)
    for is_left, path in left[:1]:
        if is_left or is_of_another_machine(owner_of(path)):
            _discard(path)


def left_behind(directory: Path, keys: Collection[str], *, alone: bool = False) -> Iterator[Path]:
    """What processes left that worked on one of the `keys` and are gone: files and folders.

    Args:
        alone: as for `claim`; then what another machine made is left behind, too.
    """
    for path in directory.iterdir():
        if path.name.partition(".")[0] not in keys:
            continue
        if is_abandoned(path) or (alone and is_of_another_machine(owner_of(path))):
            yield path


def _discard(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()


def _let_go(partial: PartialFile) -> None:
    """Keep the bytes under a name without an owner, so that the next one need not wait; an empty file is no use."""
    with contextlib.suppress(OSError):
        partial.close()
        if partial.size == 0:
            partial.path.unlink()
            return
        key = partial.path.name.split(".", 1)[0]
        free = f"{FREE}-{os.urandom(4).hex()}"
        rename(partial.path, _new_name(partial.path.parent, key, free))


def _usable(directory: Path, key: str) -> Iterator[Path]:
    """The download's parts that are files which we may change, without a second name."""
    as_we_are = os.access in os.supports_effective_ids
    for path in directory.glob(f"{key}.*{_SUFFIX}"):
        try:
            status = path.lstat()
        except OSError:
            continue
        writable = os.access(path, os.R_OK | os.W_OK, effective_ids=as_we_are)
        if stat.S_ISREG(status.st_mode) and status.st_nlink == 1 and writable:
            yield path


def _take(candidate: Path, own: Path, *, keep: bool) -> bool:
    """Make the candidate's bytes our own; of several claimants one succeeds, unless the candidate is to stay."""
    try:
        # Another user may still have it open, whatever its name says.
        if owner_of(candidate).startswith(f"{FREE}-") and is_own(candidate.lstat()):
            rename(candidate, own)
        elif keep:
            _copy(candidate, own)
        else:
            _take_copy(candidate, own)
    except OSError:  # it has gone, or there is no room for two
        own.unlink(missing_ok=True)
        return False
    return True


def _take_copy(candidate: Path, own: Path) -> None:
    # if we die now, the next one finds it
    taken = _new_name(own.parent, own.name.split(".", 1)[0], new_owner())
    try:
        rename(candidate, taken)
        _copy(taken, own)
    finally:
        taken.unlink(missing_ok=True)


def _copy(source: Path, target: Path) -> None:
    # In a folder that others may write to, it may have become a link or a pipe by now.
    with os.fdopen(open_regular(source), "rb") as original, target.open("xb") as copy:
        shutil.copyfileobj(original, copy, CHUNK)


def _new_name(directory: Path, key: str, owner: str) -> Path:
    return directory / f"{key}.{owner}{_SUFFIX}"


def owner_of(path: Path) -> str:
    """Who made it, as its name says: `KEY.OWNER`, and an ending."""
    return path.name.partition(".")[2].removesuffix(_SUFFIX).removesuffix(TEMPORARY)


def is_abandoned(path: Path) -> bool:
    """Whether nobody works on it: it was let go, its process on this host is gone, or it has not grown for an hour."""
    owner = owner_of(path)
    if owner.startswith(f"{FREE}-") or is_gone(owner):
        return True
    try:
        return abs(time.time() - path.stat().st_mtime) > _ABANDONED_SECONDS
    except OSError:
        return False


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1

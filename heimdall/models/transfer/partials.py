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
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from ..files import chunks_of
from ..ownership import is_own
from ..processes import is_running, this_process
from .digest import Sha256

_ABANDONED_SECONDS = 3600.0
_SUFFIX = ".part"
_FREE = "free"


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
def claim(directory: Path, key: str) -> Iterator[PartialFile]:
    """A partial file for the download `key`: one that a dead process left behind, else a new one.

    It stays when the block fails, to be continued later, and is removed when the block ends well.
    """
    own = _new_name(directory, key, this_process())
    for candidate in sorted(directory.glob(f"{key}.*{_SUFFIX}"), key=_size, reverse=True):
        if _is_claimable(candidate) and _take(candidate, own):
            break
    # Unbuffered: a forked child must not write what is left in a buffer when it ends.
    with own.open("r+b" if own.exists() else "x+b", buffering=0) as stream:
        partial = PartialFile(own, stream)
        try:
            yield partial
        except BaseException:  # also Ctrl-C: what arrived is kept
            _let_go(partial)
            raise
    own.unlink(missing_ok=True)


def _let_go(partial: PartialFile) -> None:
    """Keep the bytes under a name without an owner, so that the next one need not wait; an empty file is no use."""
    with contextlib.suppress(OSError):
        partial.close()
        if partial.size == 0:
            partial.path.unlink()
            return
        key = partial.path.name.split(".", 1)[0]
        partial.path.rename(_new_name(partial.path.parent, key, _FREE))


def _is_claimable(path: Path) -> bool:
    """Whether it is a file that we may change, without a second name, and nobody works on it."""
    try:
        status = path.lstat()
    except OSError:
        return False
    as_we_are = os.access in os.supports_effective_ids
    writable = os.access(path, os.R_OK | os.W_OK, effective_ids=as_we_are)
    ours = stat.S_ISREG(status.st_mode) and status.st_nlink == 1 and writable
    return ours and is_abandoned(path)


def _take(candidate: Path, own: Path) -> bool:
    """Make the candidate's bytes our own; of several claimants one succeeds."""
    # Another user may still have it open, whatever its name says.
    if _owner_of(candidate) == _FREE and is_own(candidate.lstat()):
        with contextlib.suppress(OSError):
            candidate.rename(own)
            return True
        return False
    # if we die now, the next one finds it
    taken = _new_name(own.parent, own.name.split(".", 1)[0], this_process())
    try:
        candidate.rename(taken)
        shutil.copyfile(taken, own)
    except OSError:
        own.unlink(missing_ok=True)
        return False
    finally:
        taken.unlink(missing_ok=True)
    return True


def _new_name(directory: Path, key: str, owner: str) -> Path:
    return directory / f"{key}.{owner}-{os.urandom(4).hex()}{_SUFFIX}"


def _owner_of(path: Path) -> str:
    return path.name.partition(".")[2].rpartition("-")[0]


def is_abandoned(path: Path) -> bool:
    """Whether nobody works on it: it was let go, its process on this host is gone, or it has not grown for an hour."""
    owner = _owner_of(path)
    if owner == _FREE:
        return True
    host, _, pid = owner.rpartition(".")
    if (
        f"{host}.{os.getpid()}" == this_process()
        and pid.isdecimal()
        and is_running(int(pid)) is False
    ):
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

"""One download at a time per set: an advisory lock, bounded in time, whose failure costs a second download at most.

It is our own: the lock of a library waits or fails, but what waits here ends as soon as another
process has done the work, says whom it waits for, and goes on where a filesystem has no locks.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .files import write_atomically
from .ownership import NO_FOLLOW
from .patience import Patience
from .transfer.progress import Progress

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_POLL_SECONDS = 0.1
_ANNOUNCE_SECONDS = 2.0


@contextlib.contextmanager
def advisory_lock(
    path: Path,
    seconds: float,
    done: Callable[[], bool] = lambda: False,
    progress: Progress | None = None,
    *,
    patience: Patience | None = None,
    work: Callable[[], int] = lambda: 0,
) -> Iterator[bool]:
    """Hold the lock while the block runs, or run it without: after `seconds`, where locks are refused, or when `done`.

    The block is told whether it is held.

    The system frees the lock of a process that ends, however it ends. The file stays: others may wait for it.

    Args:
        path: the lock file; its owner is named beside it.
        seconds: how long to wait at most.
        done: whether the lock's holder has done the work already; asked while waiting.
        progress: told when there is somebody to wait for; default: nobody is told.
        patience: how long to wait while the holder brings nothing; default: `seconds` alone.
        work: bytes that the holder has brought so far; asked while waiting.
    """
    progress = progress or Progress()
    waiting = _Waiting(path, seconds, done, progress, patience or Patience(), work)
    with contextlib.ExitStack() as stack:
        try:
            descriptor = stack.enter_context(_lock_file(path))
            held = _try_lock(descriptor) or waiting.get(descriptor)
        except OSError as error:
            progress.note(f"can't lock {path} ({error}); going on without")
            held = False
        if held:
            with contextlib.suppress(OSError):
                # also over another user's
                write_atomically(_owner(path), f"process {os.getpid()} on {socket.gethostname()}")
        yield held


@contextlib.contextmanager
def lock_if_free(path: Path) -> Iterator[bool]:
    """Hold the lock while the block runs, if nobody has it; the block is told whether. Where locks are refused, nobody has it.

    Raises:
        OSError: the lock file can't be made.
    """
    with _lock_file(path) as descriptor:
        try:
            free = _try_lock(descriptor)
        except OSError:
            free = True
        yield free


def any_held(directory: Path) -> bool:
    """Whether somebody holds one of the locks in `directory` at this moment; a lock that can't be tried counts."""
    return any(_is_held(path) for path in sorted(directory.glob("*.lock")))


def _is_held(path: Path) -> bool:
    try:
        with _lock_file(path, make=False) as descriptor:
            return not _try_lock(descriptor)
    except OSError:
        return True


@contextlib.contextmanager
def _lock_file(path: Path, *, make: bool = True) -> Iterator[int]:
    """Open the file, and free its lock at the end.

    Raises:
        OSError: it can't be made or opened.
    """
    # Open for writing: NFS locks nothing else. Not truncated, and with a mode that follows the umask.
    # A link is refused: the folder may be one that others write to.
    flags = os.O_RDWR | NO_FOLLOW | (os.O_CREAT if make else 0)
    descriptor = os.open(path, flags, 0o666)
    try:
        yield descriptor
    finally:
        with contextlib.suppress(OSError):
            _unlock(descriptor)  # closing is not enough while a forked child has it too
        os.close(descriptor)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """For a lock that somebody has, as `advisory_lock` was asked to."""

    path: Path
    seconds: float
    done: Callable[[], bool]
    progress: Progress
    patience: Patience
    work: Callable[[], int]

    def get(self, descriptor: int) -> bool:
        """Wait; whether the lock is held then."""
        began, before, announced = time.monotonic(), self.work(), False
        self.patience.note(0)
        while not self.done():
            waited = time.monotonic() - began
            if (now := self.work()) != before:
                self.patience.note(abs(now - before))
                before = now
            if waited > self.seconds or self.patience.is_over:
                limit = (
                    f"after {self.seconds:g} s" if waited > self.seconds else "and nothing arrives"
                )
                held = f"still locked {limit}: {self.path}, held by {_who(self.path)}"
                self.progress.note(f"{held}; going on without")
                break
            if waited > _ANNOUNCE_SECONDS and not announced:
                announced = True
                who = f"{_who(self.path)}, which holds {self.path}"
                self.progress.note(f"waiting up to {self.seconds:g} s for {who}")
            time.sleep(_POLL_SECONDS)
            if _try_lock(descriptor):
                return True
        return False


def _try_lock(descriptor: int) -> bool:
    """Lock the open file, unless somebody else has.

    Raises:
        OSError: where locks are refused.
    """
    try:
        if sys.platform == "win32":
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):  # either is how a system says that it is taken
        return False
    return True


def _unlock(descriptor: int) -> None:
    if sys.platform == "win32":
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
    else:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


def _owner(lock: Path) -> Path:
    """Where it is noted who holds a lock."""
    return lock.with_suffix(".owner")


def _who(lock: Path) -> str:
    try:
        return _owner(lock).read_text(encoding="utf-8", errors="replace")[:200] or "another process"
    except OSError:
        return "another process"

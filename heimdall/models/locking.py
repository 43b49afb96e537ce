"""One download at a time per set: an advisory lock, bounded in time, whose failure costs a second download at most."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import filelock

from heimdall.models.progress import Progress
from heimdall.models.store import write_atomically

_POLL_SECONDS = 0.1
_ANNOUNCE_SECONDS = 2.0


@contextlib.contextmanager
def advisory_lock(path: Path, seconds: float, done: Callable[[], bool], progress: Progress) -> Iterator[None]:
    """Hold the lock while the block runs, or run it without: after `seconds`, where locks are refused, or when `done`.

    Args:
        path: the lock file; its owner is named beside it.
        seconds: how long to wait at most.
        done: whether the lock's holder has done the work already; asked while waiting.
        progress: told when there is somebody to wait for.
    """
    lock = filelock.FileLock(path)
    owner = path.with_suffix(".owner")
    try:
        held = _acquire(lock, owner, seconds, done, progress)
        if held:
            with contextlib.suppress(OSError):
                write_atomically(owner, f"process {os.getpid()} on {socket.gethostname()}")  # also over another user's
        yield
    finally:
        lock.release()


def _acquire(
    lock: filelock.BaseFileLock, owner: Path, seconds: float, done: Callable[[], bool], progress: Progress
) -> bool:
    began = time.monotonic()
    announced = False
    while True:
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            waited = time.monotonic() - began
        except (OSError, NotImplementedError) as error:
            progress.note(f"can't lock {lock.lock_file} ({error}); going on without")
            return False
        else:
            return True
        if done():
            return False
        if waited > seconds:
            progress.note(
                f"still locked after {seconds:.0f} s: {lock.lock_file}, held by {_who(owner)}; going on without"
            )
            return False
        if waited > _ANNOUNCE_SECONDS and not announced:
            announced = True
            progress.note(f"waiting up to {seconds:.0f} s for {_who(owner)}, which holds {lock.lock_file}")
        time.sleep(_POLL_SECONDS)


def _who(owner: Path) -> str:
    try:
        return owner.read_text(encoding="utf-8", errors="replace")[:200] or "another process"
    except OSError:
        return "another process"

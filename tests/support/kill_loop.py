"""Run as a script: `kill` resolves in children that are killed at random moments, `read` watches what is visible.

    python kill_loop.py kill COUNT    kills so many resolving processes; after each, another one must succeed
    python kill_loop.py read          checks every visible byte, again and again, until its stdin is closed

The loop forks from a process that has everything imported, so that a kill costs milliseconds; the children are real
processes with their own sockets, locks and files. What `$MIRRORS` names, a slow server and a quick one, is used in turn.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import select
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from heimdall.models import locations
from heimdall.models.receipts import StoredSet
from heimdall.models.resolver import resolve_in_detail

MODELS = Path(locations.models_dir())
STORE = MODELS / ".store"
ENTRY = json.loads(Path(locations.manifest_path()).read_text())["models"][0]


def visible() -> Iterator[tuple[Path, str]]:
    """Every published file with the digest that it must have."""
    trees = [MODELS]
    with contextlib.suppress(FileNotFoundError):  # everything may be removed while we look
        yield from [(path, path.name) for path in (STORE / "blobs").iterdir()]
        trees += [directory / "models" for directory in (STORE / "sets").iterdir()]
    for tree in trees:
        for file in ENTRY["files"]:
            yield tree / file["path"], file["sha256"]


def wrong() -> str | None:
    """The first visible file with wrong bytes."""
    for path, expected in visible():
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            content = path.read_bytes()
            if hashlib.sha256(content).hexdigest() != expected:
                return f"{path} has {len(content)} wrong bytes"
    return None


def read() -> int:
    rounds = 0
    while not select.select([sys.stdin], [], [], 0)[0]:
        if problem := wrong():
            print(problem)
            return 1
        rounds += 1
        time.sleep(0.001)
    print(rounds)
    return 0


def child(mirror: str) -> int:
    """A process that resolves; its pid."""
    pid = os.fork()
    if pid == 0:
        os.environ["HEIMDALL_MODELS_MIRROR"] = mirror
        with contextlib.suppress(BaseException):
            resolve_in_detail()
            os._exit(0)
        os._exit(1)
    return pid


def forget_something(*, everything: bool) -> None:
    """Make work for the next process: what is forgotten has to be fetched, unpacked or published again."""
    parts = (
        ["blobs", "sets"] if everything else random.sample(["blobs", "sets", "view", "receipt"], 2)
    )
    for part in parts:
        if part in {"blobs", "sets"}:
            shutil.rmtree(STORE / part, ignore_errors=True)
    if everything or "view" in parts:  # else its files are adopted
        for file in ENTRY["files"]:
            (MODELS / file["path"]).unlink(missing_ok=True)
    for receipt in STORE.glob("sets/*/receipt.json"):
        receipt.unlink()


def kill(count: int) -> int:
    slow, quick = os.environ["MIRRORS"].split()
    killed = {slow: 0, quick: 0}
    longest = {slow: 0.2, quick: 0.03}
    while sum(killed.values()) < count:
        mirror = min(killed, key=killed.__getitem__)
        forget_something(everything=mirror == slow)
        pid = child(mirror)
        time.sleep(random.uniform(0, longest[mirror]))
        os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        killed[mirror] += os.WIFSIGNALED(status)
        began = time.monotonic()
        _, status = os.waitpid(child(quick if random.random() < 0.8 else slow), 0)
        if status or not StoredSet(str(MODELS), ENTRY).is_verified() or wrong():
            print(f"after {killed}: the next process ended with {status}, {wrong()}")
            return 1
        longest[mirror] = min(longest[mirror], 0.02 + 1.5 * (time.monotonic() - began))
    print(json.dumps(list(killed.values())))
    return 0


if __name__ == "__main__":
    sys.exit(kill(int(sys.argv[2])) if sys.argv[1] == "kill" else read())

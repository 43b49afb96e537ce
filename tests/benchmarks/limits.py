"""Machines with less than all their cores, for a process: pinned to one, with a quota, beside others that work."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

GROUP = "heimdall-benchmark"
_JOIN = 'echo $$ > "$1" && shift && exec "$@"'


def _core() -> str:
    """A core that this process may use."""
    if not hasattr(os, "sched_getaffinity"):
        raise OSError("it needs Linux")
    return str(min(os.sched_getaffinity(0)))


@contextlib.contextmanager
def pinned() -> Iterator[Sequence[str]]:
    """One core by affinity. Yields what to put before a command."""
    yield ["taskset", "-c", _core()]


@contextlib.contextmanager
def quota(top: Path = Path("/sys/fs/cgroup")) -> Iterator[Sequence[str]]:
    """The time of one core on all of them, by a control group of version 2 or 1. Needs root."""
    second = (top / "cgroup.controllers").exists()
    group = (top if second else top / "cpu") / GROUP
    group.mkdir(exist_ok=True)
    try:
        (group / ("cpu.max" if second else "cpu.cfs_quota_us")).write_text(
            "100000 100000" if second else "100000"
        )
        members = group / ("cgroup.procs" if second else "tasks")
        yield ["sh", "-c", _JOIN, "sh", str(members)]
    finally:
        group.rmdir()


@contextlib.contextmanager
def beside_others() -> Iterator[Sequence[str]]:
    """Somebody else keeps one core busy."""
    command = ["taskset", "-c", _core(), sys.executable, "-c", "while True: pass"]
    with subprocess.Popen(command) as busy:
        try:
            yield []
        finally:
            busy.kill()


LIMITS = {
    "pinned to one core": pinned,
    "with a quota of one core": quota,
    "one core kept busy": beside_others,
}
"""What can't be had here raises an OSError."""

"""How many cores this process may keep busy, and what they can do.

More threads than that don't make anything faster: in a container with a quota they are all halted
together for the rest of each period, and an operator that waits for the slowest of its threads
waits for that long.
"""

from __future__ import annotations

import math
import os
from collections.abc import Collection
from pathlib import Path, PurePosixPath

_CPUINFO = Path("/proc/cpuinfo")
_PROC = Path("/proc/self")
_TOPS = Path("/sys/fs/cgroup")


def usable_cores() -> int:
    """The least of what the scheduler, a container's quota and `$OMP_NUM_THREADS` allow.

    At least 1.
    """
    limits = [_scheduled(), container_quota(), _asked_for()]
    return max(1, math.ceil(min(limit for limit in limits if limit is not None)))


def processor_has(features: Collection[str], told: Path = _CPUINFO) -> bool:
    """Whether the processor has one of the features, as Linux names them.

    False elsewhere.

    Args:
        features: for example `avx2`.
        told: where Linux tells of processors.
    """
    try:
        with told.open(encoding="utf-8", errors="replace") as lines:
            # The first processor's line suffices: the file has one for each of maybe hundreds.
            flags = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    except OSError:
        return False
    return not set(features).isdisjoint(flags.partition(":")[2].split())


def _scheduled() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _asked_for() -> int | None:
    """`$OMP_NUM_THREADS`, which may be a list with a number for each level of nesting.

    The first one counts.
    """
    first = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return int(first) if first.isdecimal() and int(first) > 0 else None


def container_quota(proc: Path = _PROC, tops: Path = _TOPS) -> float | None:
    """Cores' worth of time that the control groups of this process get, the tightest of them.

    None without a limit.

    Args:
        proc: the process' directory in Linux' procfs.
        tops: where control groups are mounted: those of version 2 there, those of version 1 for
            each controller in a folder.
    """
    try:
        groups = (proc / "cgroup").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):  # not Linux
        return None
    directories: list[Path] = []
    for group in groups:
        # A line is `id:controllers:path`; version 2 has no controllers there.
        _, controllers, path = group.split(":", 2)
        if not controllers or "cpu" in controllers.split(","):
            top = tops / "cpu" if controllers else tops
            inside = PurePosixPath(path.lstrip("/"))
            # A container may see its own group alone, mounted as the top, and its path as the host
            # sees it: then what is not there has no quota, and the top has the container's. Groups
            # around this one limit it, too.
            directories += [top / part for part in (inside, *inside.parents)]
    quotas = [_quota(directory) for directory in directories]
    return min((quota for quota in quotas if quota is not None), default=None)


def _quota(directory: Path) -> float | None:
    """The quota over the period of one group, in version 2's form or version 1's.

    None if it has none.
    """
    try:
        if (both := directory / "cpu.max").exists():
            quota, period = both.read_text(encoding="utf-8").split()
        else:
            quota = (directory / "cpu.cfs_quota_us").read_text(encoding="utf-8")
            period = (directory / "cpu.cfs_period_us").read_text(encoding="utf-8")
        cores = int(quota) / int(period)
    except (OSError, ValueError, ZeroDivisionError):  # no such controller here, or "max"
        return None
    return cores if cores > 0 else None

"""How many cores this process may keep busy.

More threads than that don't make anything faster: in a container with a quota they are all halted together for the rest
of each period, and an operator that waits for the slowest of its threads waits for that long.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

_PROC = Path("/proc/self")


def usable_cores() -> int:
    """The least of what the scheduler, a container's quota and `$OMP_NUM_THREADS` allow; at least 1."""
    limits = [_scheduled(), container_quota(), _asked_for()]
    return max(1, math.ceil(min(limit for limit in limits if limit is not None)))


def _scheduled() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _asked_for() -> int | None:
    """`$OMP_NUM_THREADS`, which may be a list with a number for each level of nesting; the first one counts."""
    first = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return int(first) if first.isdecimal() and int(first) > 0 else None


def container_quota(proc: Path = _PROC) -> float | None:
    """Cores' worth of time that the control groups of this process get, the tightest of them; None without a limit.

    Args:
        proc: the process' directory in Linux' procfs.
    """
    try:
        groups = (proc / "cgroup").read_text(encoding="utf-8").splitlines()
        mounts = (proc / "mountinfo").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):  # not Linux
        return None
    quotas = [_quota(directory) for directory in _group_directories(groups, mounts)]
    return min((quota for quota in quotas if quota is not None), default=None)


def _group_directories(groups: list[str], mounts: list[str]) -> Iterator[Path]:
    """The directories of the groups that may limit this process' time: its own and those around them."""
    # A line of `cgroup` is `id:controllers:path`; version 2 has no controllers there.
    paths = {
        controller: path
        for _, names, path in (line.split(":", 2) for line in groups)
        for controller in names.split(",")
    }
    for mount in mounts:
        # Fields of `mountinfo`: id, parent, device, root, mount point, options … - type, source, the filesystem's options.
        before, _, after = mount.partition(" - ")
        root, point = before.split(" ")[3:5]
        kind, _, options = after.split(" ", 2)
        if kind == "cgroup2":
            path = paths.get("", "/")
        elif kind == "cgroup" and "cpu" in options.split(","):
            path = paths.get("cpu", "/")
        else:
            continue
        # A container may see its own group alone mounted, and its path as the host sees it.
        inside = (
            PurePosixPath(path).relative_to(root)
            if PurePosixPath(path).is_relative_to(root)
            else PurePosixPath()
        )
        yield from (Path(point) / part for part in (inside, *inside.parents))


def _quota(directory: Path) -> float | None:
    """The quota over the period of one group, in version 2's form or version 1's; None if it has none."""
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

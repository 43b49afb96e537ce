"""Small filesystems of their own, mounted for a test: needs root and the right to mount. Elsewhere the test is skipped."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest


@contextlib.contextmanager
def tmpfs(mountpoint: Path, *options: str) -> Iterator[Path]:
    """An empty filesystem in memory, for example with `size=600k` or `nr_inodes=20`."""
    if sys.platform != "linux":
        pytest.skip("mounting a tmpfs is done on Linux only")
    mountpoint.mkdir(parents=True)
    command = [
        "mount",
        "-t",
        "tmpfs",
        "-o",
        ",".join(["mode=777", *options]),
        "tmpfs",
        str(mountpoint),
    ]
    try:
        mounted = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount program")
    if mounted.returncode:
        pytest.skip(f"mounting is not permitted: {mounted.stderr.decode().strip()}")
    try:
        yield mountpoint
    finally:
        subprocess.run(["umount", "--lazy", str(mountpoint)], check=True)


def remount(mountpoint: Path, *options: str) -> None:
    """Change the options of a mounted filesystem, for example to `ro`."""
    subprocess.run(["mount", "-o", ",".join(["remount", *options]), str(mountpoint)], check=True)

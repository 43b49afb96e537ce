"""Waiting until the machine is idle: what the last one measured still does, as threads that spin, is not the next one's time."""

from __future__ import annotations

import time
from pathlib import Path

QUIET = 0.05
"""So much of all cores' time may be taken by others."""
LOOK_SECONDS = 0.05
MOST_SECONDS = 0.3
"""On a machine that is never idle everybody suffers alike, and threads stop to spin sooner."""


def busy_seconds(told: str) -> float:
    """The seconds that all cores have worked, from the text of /proc/stat."""
    user, nice, system, _, _, interrupts, soft = map(int, told.split(maxsplit=8)[1:8])
    return (user + nice + system + interrupts + soft) / 100


def wait(cores: int, most: float = MOST_SECONDS, stat: Path = Path("/proc/stat")) -> bool:
    """Wait until next to nothing works; whether that came. False where the system does not tell."""
    if not stat.exists():
        return False
    end = time.monotonic() + most
    while time.monotonic() < end:
        before, began = busy_seconds(stat.read_text()), time.monotonic()
        time.sleep(LOOK_SECONDS)
        worked = busy_seconds(stat.read_text()) - before
        if worked <= QUIET * cores * (time.monotonic() - began):
            return True
    return False

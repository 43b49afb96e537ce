"""Waiting for what another process or thread does."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from typing import Any

PATIENCE = 180.0
"""Seconds that end what hangs. No test is right or wrong by them, however busy the machine is."""


def wait_until(condition: Callable[[], object], by: subprocess.Popen[Any] | None = None) -> None:
    """Come back when the condition holds.

    Raises:
        AssertionError: it never does, or the process that should bring it about has ended.
    """
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if by is not None and by.poll() is not None and not condition():
            raise AssertionError(f"ended before, with {by.returncode}: {by.communicate()}")
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.01)

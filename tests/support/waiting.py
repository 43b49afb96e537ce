"""Waiting for what another process or thread does."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PATIENCE = 900.0
"""Seconds that end what hangs. No test is right or wrong by them, however busy the machine is."""


def let_imports_wait(package: Path) -> None:
    """In this copy of heimdall, an import waits for a busy machine as it would not for a dead network."""
    module = package / "models" / "quiet_fetch.py"
    before = module.read_text("utf-8")
    after = before.replace("STILL_SECONDS = 2.5\n", f"STILL_SECONDS = {PATIENCE}\n")
    assert after != before
    module.write_text(after, "utf-8", newline="\n")


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

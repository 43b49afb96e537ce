"""`python -m tests.benchmarks report`: every comparison in one run, written into docs/performance.md with the machine named."""

from __future__ import annotations

import contextlib
import io
import os
import platform
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from cognitive_memory.encoding.cores import usable_cores
from tests.support.real_model import ROOT

PAGE = ROOT / "docs" / "performance.md"
HEADING = "## One run of all comparisons"


def machine() -> str:
    """The processor, what of it may be used, and how busy it is."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text(encoding="utf-8").splitlines() if told.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    name = (names or [platform.processor() or platform.machine()])[0]
    return f"{name}, {usable_cores()} cores, Python {platform.python_version()}{load}"


def one_run(comparisons: Mapping[str, Callable[[], object]]) -> str:
    """What the comparisons print, one after the other, each with the machine's load when it began."""
    parts = []
    for name, compare in comparisons.items():
        before, began, printed = machine(), time.monotonic(), io.StringIO()
        with contextlib.redirect_stdout(printed):
            compare()
        took = f"{time.monotonic() - began:.0f} s"
        parts.append(f"### {name}\n\n{before}; {took}\n\n```\n{printed.getvalue().strip()}\n```\n")
    return "\n".join(parts)


def with_run(page: str, run: str) -> str:
    """A page whose last section is the run, in place of an earlier one."""
    return f"{page.partition(HEADING)[0].rstrip()}\n\n{HEADING}\n\n{run}"


def run(comparisons: Mapping[str, Callable[[], object]], page: Path = PAGE) -> None:
    """Run the comparisons, and write them into the page."""
    page.write_text(with_run(page.read_text("utf-8"), one_run(comparisons)), encoding="utf-8")

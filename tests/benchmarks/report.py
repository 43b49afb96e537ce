"""`python -m tests.benchmarks report`: every comparison in one run, written into docs/performance.md with the machine named."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from cognitive_memory.encoding.cores import usable_cores
from tests.benchmarks import plot, tables
from tests.support.real_model import ROOT

PAGE = ROOT / "docs" / "performance.md"
BEGIN = "<!-- `python -m tests.benchmarks report` writes from here -->\n"
END = "<!-- to here -->\n"


def machine() -> str:
    """The processor, and what of it may be used."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text(encoding="utf-8").splitlines() if told.exists() else []
    said = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    name = said.get("model name") or platform.processor() or platform.machine()
    telling = [flag for flag in said.get("flags", "").split() if flag in {"avx2", "avx512_vnni"}]
    return ", ".join(
        [name, *telling, f"{usable_cores()} cores, Python {platform.python_version()}"]
    )


def load() -> str:
    """How many processes want a core, on average of the last minute."""
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"


def run(comparisons: Mapping[str, Callable[[], object]], page: Path = PAGE) -> None:
    """Run the comparisons, write their tables between the page's marks, and draw the first one beside it.

    The page is written after each, so that what interrupts a run leaves what was measured.
    """
    before, begin, rest = page.read_text("utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise SystemExit(f"{page} has no line {BEGIN.strip()} with a line {END.strip()} behind it")
    tables.shown.clear()
    parts = [f"{machine()}.\n"]
    for name, compare in comparisons.items():
        load_before, began, seen = load(), time.monotonic(), len(tables.shown)
        compare()
        took = f"{time.monotonic() - began:.0f} s, load {load_before} before, {load()} after"
        found = [table.markdown() for table in tables.shown[seen:]]
        parts += [f"### {name}\n", f"{took}.\n", *found]
        figures = "\n".join(parts)
        page.write_text(f"{before}{begin}\n{figures}\n{end}{after}", encoding="utf-8")
        page.with_suffix(".svg").write_text(plot.bars(tables.shown[0]), encoding="utf-8")

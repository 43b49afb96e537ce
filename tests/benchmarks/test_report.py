from __future__ import annotations

from pathlib import Path

import click

from cognitive_memory.encoding.cores import usable_cores
from tests.benchmarks import report


def test_a_page_ends_with_the_latest_run(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Figures\n\nText.\n", encoding="utf-8")
    for figure in ("1.00", "2.00"):
        report.run({"startup": lambda: print("by print"), "b": lambda: click.echo(figure)}, page)  # noqa: B023
    written = page.read_text("utf-8")
    assert written.startswith(f"# Figures\n\nText.\n\n{report.HEADING}\n\n### startup\n\n")
    assert written.count(report.HEADING) == 1
    assert written.endswith("\n\n```\n2.00\n```\n")
    assert "by print" in written
    assert f"{usable_cores()} cores" in written

"""The end of a run says what was skipped and why: a line for each reason, most tests first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import pytest


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reasons = list(skip_reasons(terminalreporter.stats.get("skipped", [])))
    if reasons:
        terminalreporter.section("skipped")
        for line in table(reasons):
            terminalreporter.line(line)


def skip_reasons(reports: Iterable[Any]) -> Iterator[str]:
    """Why each test, or each module that was not collected, was skipped."""
    for report in reports:
        # A path, a line and a text.
        text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        yield text.removeprefix("Skipped: ")


def table(reasons: Iterable[str]) -> list[str]:
    """A line for each reason: how many tests, why.

    Example:
        >>> table(["no gh", "no fish", "no gh"])
        ['   2  no gh', '   1  no fish']
    """
    rows = sorted(Counter(reasons).items(), key=lambda row: (-row[1], row[0]))
    return [f"{count:4}  {reason}" for reason, count in rows]

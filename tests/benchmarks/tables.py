"""What comparisons found, as tables; the one place that prints them, and the one that writes them as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import floor, log10
from statistics import median, quantiles

Times = Mapping[str, Sequence[float]]
"""By name, what was measured in each round, in seconds or bytes."""
UNITS = {"s": 1.0, "ms": 1e3, "MB": 1e-6}


@dataclass(frozen=True)
class Table:
    """Rows under columns; the first cell of a row is its name, and a number has three digits."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str | float]]

    def text(self) -> str:
        """Aligned, for a terminal."""
        cells = [list(self.columns), *(list(map(_digits, row)) for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = (
            "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip()
            for row in cells
        )
        return "\n  ".join([self.title, *lines])

    def markdown(self) -> str:
        """For a page."""
        rule = ["---", *["---:"] * (len(self.columns) - 1)]
        rows = [list(self.columns), rule, *(list(map(_digits, row)) for row in self.rows)]
        return "\n".join([f"**{self.title}**", "", *(f"| {' | '.join(row)} |" for row in rows), ""])


shown: list[Table] = []
"""All that this process has shown, for the report."""


def show(table: Table) -> None:
    """Print a table, and keep it."""
    print(f"\n{table.text()}", flush=True)
    shown.append(table)


def ratios(times: Times) -> dict[str, float]:
    """How many times as much as the first one each takes: the median of the rounds' ratios."""
    first = next(iter(times.values()))
    return {
        name: median(this / reference for this, reference in zip(values, first, strict=True))
        for name, values in times.items()
    }


def compared(title: str, times: Times, unit: str = "ms") -> Table:
    """Medians, and how many times as much as the first one each takes."""
    rows = [
        (name, median(times[name]) * UNITS[unit], ratio) for name, ratio in ratios(times).items()
    ]
    return Table(title, ("", unit, "times as much"), rows)


def side_by_side(title: str, measured: Mapping[str, tuple[Times, str]]) -> Table:
    """A row for each thing measured, with the unit of its figures; a column for each that was measured.

    The first one's median is shown, with the 95th percentile of many rounds; of the others how many times as much they take.
    """
    names = list(dict.fromkeys(name for times, _ in measured.values() for name in times))
    rows: list[list[str | float]] = []
    for what, (times, unit) in measured.items():
        values, found = times[names[0]], ratios(times)
        tail = quantiles(values, n=20)[-1] * UNITS[unit] if len(values) >= 10 else ""
        others = [found.get(name, "") for name in names[1:]]
        rows.append([f"{what}, {unit}", median(values) * UNITS[unit], tail, *others])
    return Table(title, ("", names[0], "p95", *names[1:]), rows)


def _digits(cell: str | float) -> str:
    if isinstance(cell, str) or not cell:
        return str(cell)
    return f"{cell:,.{max(0, 2 - floor(log10(abs(cell))))}f}"

"""A picture of ratios, as SVG: no drawing library is worth its megabytes for a few bars."""

from __future__ import annotations

from html import escape
from math import log10

from tests.benchmarks.tables import Table

_WIDTH, _LABELS, _BAR, _GAP, _HEAD = 760, 250, 15, 4, 30
_COLOUR, _OTHERS = "#2b6cb0", "#a0aec0"


def bars(table: Table) -> str:
    """An SVG with a group of bars for each row of a `side_by_side`: how many times as much as ours each needs, on a logarithmic scale."""
    ours, _, *others = table.columns[1:]
    groups = {
        str(title): {ours: 1.0}
        | {name: float(cell) for name, cell in zip(others, cells, strict=True) if cell != ""}
        for title, _, _, *cells in table.rows
    }
    most = max(2.0, *(value for group in groups.values() for value in group.values()))
    scale = (_WIDTH - _LABELS - 60) / log10(most * 2)
    lines: list[str] = []
    top = 10
    for title, group in groups.items():
        lines.append(f'<text x="8" y="{top + 16}" class="t">{escape(title)}</text>')
        top += _HEAD - 6
        for name, value in group.items():
            length = max(2.0, log10(max(value, 0.5) * 2) * scale)
            lines.append(
                f'<text x="{_LABELS - 8}" y="{top + 12}" text-anchor="end">{escape(name)}</text>'
            )
            lines.append(
                f'<rect x="{_LABELS}" y="{top}" width="{length:.1f}" height="{_BAR}" '
                f'fill="{_COLOUR if name == ours else _OTHERS}"/>'
            )
            lines.append(f'<text x="{_LABELS + length + 5:.1f}" y="{top + 12}">{value:.2f}x</text>')
            top += _BAR + _GAP
        top += 8
    style = "text{font:12px sans-serif;fill:#2d3748}.t{font-weight:bold}"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {top}" role="img">'
    title = "<title>How many times more time or memory than heimdall each needs; shorter is better</title>"
    background = f'<rect width="{_WIDTH}" height="{top}" fill="#ffffff"/>'
    return "\n".join([head, title, f"<style>{style}</style>", background, *lines, "</svg>", ""])

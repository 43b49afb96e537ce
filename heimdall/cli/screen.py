"""Lines that are made for the terminal's width; more of them than it has go to a pager."""

from __future__ import annotations

import io
import math
import sys
from collections.abc import Iterable, Sequence

import click

from heimdall.cli import output


def columns() -> int | None:
    """How wide the terminal is that stdout goes to; None if it goes elsewhere."""
    return output.terminal_size().columns if output.on_terminal(sys.stdout) else None


def height() -> float:
    """How many lines the terminal has that stdout goes to; without end where it goes elsewhere."""
    return output.terminal_size().lines if output.on_terminal(sys.stdout) else math.inf


def show(lines: Iterable[Sequence[str]]) -> None:
    """Print lines, each given as the parts of it.

    More than the terminal has are shown by the user's pager (`PAGER`, else less). In a pipe there is none.
    """
    if columns() is None:
        for parts in lines:
            output.line("".join(parts).rstrip())
        return
    drawn = io.StringIO()
    drawing = output.console(drawn)
    rows = list(lines)
    for parts in rows:
        drawing.print(*map(output.as_text, parts), sep="", soft_wrap=True)
    if len(rows) < height():
        click.echo(drawn.getvalue(), nl=False, color=True)
    else:
        # Colours only for a pager that shows them, which click knows: less, and where LESS or PAGER says so.
        click.echo_via_pager(drawn.getvalue())

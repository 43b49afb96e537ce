"""Tables that commands print: drawn for a terminal, aligned in a pipe."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import click

from heimdall.cli.output import GAP, Styled, as_text, console, on_terminal, padded, terminal_size
from heimdall.cli.wrapping import width
from heimdall.models.text import printable

_NARROWEST_CELL = 10
"""Columns that a cell needs to be wrapped in; with less, words would stand letter by letter."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        title: its heading.
        right: whether its cells are flushed right, as numbers are.
        whole: whether its cells are never wrapped.
    """

    title: str
    right: bool = False
    whole: bool = False


def table(columns: Sequence[Column | str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under headings; a cell's line breaks count as blanks.

    Args:
        columns: a text is the title of an ordinary column.
        rows: a cell for each column; `None` is an empty one.
    """
    layout = [Column(column) if isinstance(column, str) else column for column in columns]
    cells = [[_cell(value) for value in row] for row in rows]
    titled = [[column.title for column in layout], *cells]
    widths = [max(map(width, column)) for column in zip(*titled, strict=True)]
    needed = sum(
        size if column.whole else min(size, _NARROWEST_CELL)
        for size, column in zip(widths, layout, strict=True)
    ) + len(GAP) * (len(layout) - 1)
    if on_terminal(sys.stdout) and terminal_size().columns >= needed:
        _draw_table(layout, cells)
        return
    for row in titled:
        parts = [
            padded(cell, size, right=part.right)
            for cell, size, part in zip(row, widths, layout, strict=True)
        ]
        click.echo(GAP.join(parts).rstrip())


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = printable(" ".join(str(value).split()))
    return Styled(text, value.style) if isinstance(value, Styled) else text


def _draw_table(columns: Sequence[Column], cells: Sequence[Sequence[str]]) -> None:
    from rich.table import Table

    drawn = Table(
        box=None,
        pad_edge=False,
        padding=(0, len(GAP), 0, 0),
        header_style="" if os.environ.get("NO_COLOR") else "bold",
    )
    for column in columns:
        drawn.add_column(
            column.title,
            justify="right" if column.right else "left",
            no_wrap=column.whole,
            overflow="ellipsis" if column.whole else "fold",
        )
    for row in cells:
        drawn.add_row(*map(as_text, row))
    console().print(drawn)

"""Tables that commands print: drawn for a terminal, aligned in a pipe."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import click

from heimdall.cli.output import GAP, Styled, as_text, console, on_terminal, padded
from heimdall.cli.wrapping import width
from heimdall.models.text import printable

_NARROWEST_TABLE = 40  # columns; in less, cells would be cut to nothing


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        title: its heading.
        right: whether its cells are flushed right, as numbers are.
        whole: whether its cells are never wrapped (on a terminal too narrow for them they are cut).
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
    if on_terminal(sys.stdout) and shutil.get_terminal_size().columns >= _NARROWEST_TABLE:
        _draw_table(layout, cells)
        return
    cells.insert(0, [column.title for column in layout])
    widths = [max(map(width, column)) for column in zip(*cells, strict=True)]
    for row in cells:
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

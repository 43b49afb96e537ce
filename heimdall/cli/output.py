"""What commands print: for people on a terminal, plain in a pipe, JSON for machines.

On a terminal rich draws tables, wraps prose and colours, unless `NO_COLOR` is set; it is imported
there alone. In a pipe the same is plain text in aligned columns, nothing cut or wrapped, one row a
line. Text that comes from users or the network may hold control characters; none of them reaches
the terminal or the pipe.
"""

from __future__ import annotations

import errno
import io
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields as dataclass_fields
from dataclasses import is_dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, TextIO, TypeAlias

import click

from heimdall.cli.wrapping import width, wrapped
from heimdall.models.advice import WINDOWS
from heimdall.models.text import printable, printable_json, printable_lines

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

GAP = "  "
_NARROWEST = 24  # columns; in less, wrapped prose is harder to read than broken lines


Grade: TypeAlias = Literal["pass", "warn", "fail"]
"""How a finding is: as it should be, to be looked at, broken."""

NOBODY_TO_ASK = "There is no terminal to ask on; --yes goes on without asking."
"""The usage error of a command that would ask first."""


class Styled(str):
    """Text with a colour on terminals; elsewhere a plain `str`.

    Attributes:
        style: as rich names it.
    """

    __slots__ = ("style",)
    style: str

    def __new__(cls, text: object, style: str) -> Self:
        """Make it of anything that has a text."""
        styled = super().__new__(cls, text)
        styled.style = style
        return styled


# Colours of the palette of 256, which no theme changes: read as well on white as on black.
good = partial(Styled, style="color(28)")
"""For what is as it should be."""
warning = partial(Styled, style="color(130)")
"""For what the user should look at."""
bad = partial(Styled, style="bold color(160)")
"""For what is broken."""
faint = partial(Styled, style="dim")
"""For what matters less than what stands beside it."""
strong = partial(Styled, style="bold")
"""For what to see first."""


def mark(grade: Grade) -> Styled:
    """A sign before a finding; letters where stdout's encoding has no such sign."""
    sign, letters, colour = {
        "pass": ("✓", "ok", good),
        "warn": ("!", "!", warning),
        "fail": ("✗", "FAILED", bad),
    }[grade]
    try:
        sign.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return colour(letters)
    return colour(sign)


@contextmanager
def to_stdout() -> Iterator[None]:
    """Name the standard output in an error of writing to it, which the system leaves nameless."""
    try:
        yield
    except OSError as error:
        # So Windows tells that the reader is gone. It tells it again when Python writes what is left at its end.
        if WINDOWS and error.errno == errno.EINVAL and not error.filename:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)) from error
        error.filename = error.filename or "standard output"
        raise


def line(*parts: str) -> None:
    """Print one line of the parts, without blanks between them; a terminal wraps it wherever it ends."""
    if not on_terminal(sys.stdout):
        click.echo("".join(map(printable, parts)))
        return
    console().print(*map(as_text, parts), sep="", soft_wrap=True)


def paragraph(text: str, *, indent: int = 0) -> None:
    """Print a text of one or several lines; on a terminal each is wrapped between its words.

    Args:
        text: the text.
        indent: how many blanks stand before each line.
    """
    _hang(" " * indent, text)


def fields(pairs: Iterable[tuple[str, object]]) -> None:
    """Print names and values, one pair a line: `models_dir  /home/you/…`; a pair with None is left out.

    On a terminal, prose is wrapped beside its name; a path is left whole, so that it can be copied.
    """
    rows = [
        (name, value if isinstance(value, str) else str(value))
        for name, value in pairs
        if value is not None
    ]
    indent = max((width(name) for name, _ in rows), default=0) + len(GAP)
    for name, value in rows:
        _hang(strong(padded(name, indent)), value)


def error(message: str) -> None:
    """Print `heimdall: message` on stderr."""
    aside("heimdall:", message, fg="red", bold=True)


def aside(name: str, text: str, **style: Any) -> None:
    """Print lines behind a name on stderr; on a terminal they are wrapped between their words.

    Args:
        name: what stands before the first line.
        text: the lines.
        style: of the name on a terminal, as `click.style` takes it.
    """
    told = _wrapped(f"{name} {text}")
    if style and on_terminal(sys.stderr) and not os.environ.get("NO_COLOR"):
        told = click.style(name, **style) + told.removeprefix(name)
    click.echo(told, err=True)


def _wrapped(text: str) -> str:
    """What stderr gets of a text: on a terminal, lines as long as that is wide."""
    told = printable_lines(text)
    return "\n".join(map(_broken, told.split("\n"))) if on_terminal(sys.stderr) else told


def _broken(line: str) -> str:
    """A line as long as the terminal is wide; what follows stands a little further in than it begins."""
    further = " " * (len(line) - len(line.lstrip())) + GAP
    room = max(_NARROWEST, terminal_size().columns - len(further))
    return f"\n{further}".join(wrapped(line, room))


def as_json(document: Mapping[str, object]) -> None:
    """Print one JSON object on stdout; what is no JSON in it: dataclasses as objects, paths as text."""
    text = printable_json(json.dumps(document, indent=2, ensure_ascii=False, default=_plain))
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:  # a path with bytes that are no text, or a terminal with few letters
        text = json.dumps(document, indent=2, default=_plain)
    click.echo(text)


def confirmed(question: str) -> bool:
    """Ask on stderr; anything but a yes is a no.

    Raises:
        click.Abort: there is nobody to answer.
    """
    try:
        asked = _wrapped(f"{question} [y/N]:")
        return click.confirm(asked, show_default=False, prompt_suffix=" ", err=True)
    except click.Abort:
        click.echo(err=True)  # the question's line is not ended yet
        raise


def agreed(question: str) -> bool:
    """Ask before something is done that nobody has said --yes to.

    Raises:
        click.UsageError: there is no terminal to ask on.
        click.Abort: there is nobody to answer.
    """
    if not sys.stdin.isatty():
        raise click.UsageError(NOBODY_TO_ASK)
    return confirmed(question)


def usage(error: click.ClickException) -> None:
    """Print click's own error on stderr: what it quotes may be a file's name that a shell put there."""
    said = io.StringIO()
    error.show(said)
    usage, mark, message = said.getvalue().partition("Error: ")
    click.echo(f"{usage}{mark}{printable_lines(message)}", err=True)


def fields_of(record: object) -> dict[str, Any]:
    """The fields of a dataclass and their values, which are not copied."""
    assert is_dataclass(record)  # noqa: S101 (a mistake of ours)
    return {field.name: getattr(record, field.name) for field in dataclass_fields(record)}


def terminal_size() -> os.terminal_size:
    """Columns and lines of the terminal; 80 and 24 where there is none."""
    import shutil

    return shutil.get_terminal_size()


def on_terminal(stream: TextIO | None) -> bool:
    """Whether people read the stream on a terminal that can do more than print lines."""
    try:
        return stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"
    except ValueError:  # it was closed
        return False


def console(drawn: TextIO | None = None) -> Console:
    """What draws on stdout, or as it would on stdout."""
    from rich.console import Console

    return Console(
        file=drawn or sys.stdout,
        force_terminal=True,
        width=terminal_size().columns,
        highlight=False,
        markup=False,
        emoji=False,
    )


def as_text(part: str) -> Text:
    """A part of a line as rich draws it."""
    from rich.text import Text

    style = part.style if isinstance(part, Styled) else ""
    return Text(printable(part), style="" if os.environ.get("NO_COLOR") else style)


def _plain(value: object) -> object:
    if is_dataclass(value):
        return fields_of(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Path):
        return str(value)
    message = f"{type(value).__name__} has no form in JSON"
    raise TypeError(message)


def padded(text: str, columns: int, *, right: bool = False) -> str:
    """Text with blanks to fill so many columns of a terminal."""
    blanks = " " * (columns - width(text))
    return f"{blanks}{text}" if right else f"{text}{blanks}"


def _hang(begin: str, text: str) -> None:
    """Print `begin` and the text, whose further lines are indented as far as the first."""
    further = " " * width(begin)
    lines = [printable(part) for part in text.splitlines()] or [""]
    if not on_terminal(sys.stdout):
        for number, part in enumerate(lines):
            click.echo(f"{further if number else begin}{part}".rstrip())
        return
    drawing = console()
    room = drawing.width - width(further) - 1
    pieces = [
        piece for part in lines for piece in (wrapped(part, room) if room >= _NARROWEST else [part])
    ]
    for number, piece in enumerate(pieces):
        styled = Styled(piece, text.style) if isinstance(text, Styled) else piece
        drawing.print(
            as_text(further if number else begin), as_text(styled), sep="", soft_wrap=True
        )

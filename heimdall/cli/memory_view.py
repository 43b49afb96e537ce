"""Memories as commands print them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from heimdall.cli import output
from heimdall.cli.opening import model_is_here
from heimdall.models.text import printable_lines

if TYPE_CHECKING:
    from cognitive_memory.core.memory import Memory

_LINE = 100
"""How many characters of a memory a line of a list shows."""
_SHOWN = 4_000
"""How many characters of a memory people are shown: more than a loaded piece has, less than fills a screen many times."""


def document(memory: Memory) -> dict[str, object]:
    """A memory for `--json`; but for `revision`, `content_hash`, `embedded` and `scope` as a line of an export has it."""
    from cognitive_memory.core.memory import as_document

    known = {
        "content_hash": memory.content_hash,
        "revision": memory.revision,
        "embedded": memory.embedded,
        "scope": memory.scope,
    }
    return {**as_document(memory), **known}


def show(memory: Memory, *, before: str = "") -> None:
    """Print a memory: its text, the beginning of a very long one, and below it what else is known of it.

    Each line of the text stands behind ">", so that none looks like one of ours.
    """
    output.paragraph(_visible(memory.text[:_SHOWN]), begin=before, mark="> ")
    if (more := len(memory.text) - _SHOWN) > 0:
        output.line(output.faint(f"    … {more} more characters; --json has them all"))
    output.line(output.faint(f"    {about(memory)}"))


def about(memory: Memory) -> str:
    """One line of what is known of a memory besides its text."""
    from heimdall.quoting import quoted

    # What is loaded begins its context with its source, which is shown already.
    context = memory.context.removeprefix(memory.source or "").removeprefix(" > ")
    context = " > ".join(context.split("\n"))[:_LINE]
    parts = [
        memory.id,
        str(memory.type),
        str(memory.origin),
        f"{memory.created_at.astimezone():%Y-%m-%d}",
        "pinned" if memory.pinned else None,
        f"scope: {memory.scope}" if memory.scope != "project" else None,
        quoted(_visible(memory.source)) if memory.source else None,
        quoted(_visible(context)) if context else None,
        " ".join(map(_tag, memory.tags)),
    ]
    return "  ".join(part for part in parts if part)


def table(memories: Sequence[Memory]) -> None:
    """Print one line for each memory."""
    whole = [output.Column("id", whole=True), output.Column("type", whole=True)]
    rows = ((item.id, item.type, short(item.text), " ".join(item.tags)) for item in memories)
    output.table([*whole, "memory", "tags"], rows)


def short(text: str) -> str:
    """The beginning of a text, on one line."""
    line = " ".join(_visible(text).split())
    return line if len(line) <= _LINE else f"{line[: _LINE - 1]}…"


def _tag(tag: str) -> str:
    """A tag; in quotes if it is not one visible word."""
    from heimdall.quoting import quoted

    in_quotes = quoted(_visible(tag))
    return f"#{in_quotes if ' ' in in_quotes or in_quotes[1:-1] != tag else tag}"


def _visible(text: str) -> str:
    """A text as answers have it; what looks like a blank, but is none to a terminal, is one, too."""
    from heimdall.quoting import clean

    return clean(text).replace("\u2800", " ")


def note(text: str) -> None:
    """Tell on stderr what the reader of the answer should know."""
    click.echo(f"note: {printable_lines(text)}", err=True)


def note_pending(pending: int) -> None:
    """Tell how to get the vectors that are missing."""
    embed = "'heimdall status --embed'"
    if model_is_here():
        note(f"{embed} makes the missing vectors")
    else:
        then = f", {embed} then makes the missing vectors" if pending else ""
        note(f"'heimdall models pull' fetches the model{then}")

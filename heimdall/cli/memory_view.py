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
    """A memory for `--json`; but for `revision`, `content_hash` and `embedded` as a line of an export has it."""
    from cognitive_memory.core.memory import as_document

    known = {
        "content_hash": memory.content_hash,
        "revision": memory.revision,
        "embedded": memory.embedded,
    }
    return {**as_document(memory), **known}


def show(memory: Memory, *, before: str = "") -> None:
    """Print a memory: its text, the beginning of a very long one, and below it what else is known of it."""
    output.paragraph(memory.text[:_SHOWN], begin=before)
    if (more := len(memory.text) - _SHOWN) > 0:
        output.line(output.faint(f"    … {more} more characters; --json has them all"))
    output.line(output.faint(f"    {about(memory)}"))


def about(memory: Memory) -> str:
    """One line of what is known of a memory besides its text."""
    parts = [
        memory.id,
        str(memory.type),
        str(memory.origin),
        f"{memory.created_at.astimezone():%Y-%m-%d}",
        memory.source,
        " > ".join(memory.context.split("\n"))[:_LINE],
        " ".join(f"#{tag}" for tag in memory.tags),
        "pinned" if memory.pinned else None,
    ]
    return "  ".join(part for part in parts if part)


def table(memories: Sequence[Memory]) -> None:
    """Print one line for each memory."""
    whole = [output.Column("id", whole=True), output.Column("type", whole=True)]
    rows = ((item.id, item.type, short(item.text), " ".join(item.tags)) for item in memories)
    output.table([*whole, "memory", "tags"], rows)


def short(text: str) -> str:
    """The beginning of a text, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= _LINE else f"{line[: _LINE - 1]}…"


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

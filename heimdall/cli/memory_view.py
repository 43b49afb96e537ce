"""Memories as commands print them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from heimdall.cli import output

if TYPE_CHECKING:
    from cognitive_memory.core.memory import Memory
    from cognitive_memory.core.recall import RecallFilter

_Function = TypeVar("_Function", bound=Callable[..., Any])

TYPES = ("concept", "context", "episode")
"""The names of `MemoryType`, which is not loaded for a help text; a test holds the two together."""

_LINE = 100
"""How many characters of a memory a line of a list shows."""
_SHOWN = 4_000
"""How many characters of a memory people are shown: more than a loaded piece has, less than fills a screen many times."""


def when(ctx: click.Context, param: click.Parameter, value: str | None) -> datetime | None:
    """The callback of an option that takes a day or a moment, as ISO 8601 writes it; without a time zone the local one."""
    if value is None:
        return None
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        message = f"{value!r} is no date: write 2026-03-31 or 2026-03-31T12:30"
        raise click.BadParameter(message, ctx, param) from None


def filter_options(function: _Function) -> _Function:
    """Options that choose memories; passed on to `as_filter`."""
    for option in (
        click.option(
            "--until",
            callback=when,
            metavar="WHEN",
            help="Nothing of this day or moment, and nothing later.",
        ),
        click.option(
            "--since", callback=when, metavar="WHEN", help="Nothing older than this day or moment."
        ),
        click.option(
            "--source",
            "sources",
            multiple=True,
            metavar="PATH",
            help="Only what comes from it or below it.",
        ),
        click.option(
            "--tag",
            "tags",
            multiple=True,
            metavar="TAG",
            help="Only with this tag; repeated: any of them.",
        ),
        click.option(
            "--type",
            "types",
            multiple=True,
            type=click.Choice(TYPES),
            help="Only this type; repeated: any.",
        ),
    ):
        function = option(function)
    return function


def as_filter(
    types: Sequence[str],
    tags: Sequence[str],
    sources: Sequence[str],
    since: datetime | None,
    until: datetime | None,
) -> RecallFilter:
    """What the options of `filter_options` mean."""
    from cognitive_memory.core.memory import MemoryType
    from cognitive_memory.core.recall import RecallFilter

    return RecallFilter(
        types=frozenset(map(MemoryType, types)),
        tags=frozenset(tag.strip() for tag in tags),
        sources=frozenset(sources),
        since=since,
        until=until,
    )


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
        f"{memory.created_at.astimezone():%Y-%m-%d}",
        memory.source,
        " > ".join(memory.context.split("\n"))[:_LINE],
        " ".join(f"#{tag}" for tag in memory.tags),
        "pinned" if memory.pinned else None,
    ]
    return "  ".join(part for part in parts if part)


def table(memories: Sequence[Memory]) -> None:
    """Print one line for each memory."""
    columns: list[output.Column | str] = [
        output.Column("id", whole=True),
        output.Column("type", whole=True),
        "memory",
        "tags",
    ]
    output.table(
        columns, ((item.id, item.type, short(item.text), " ".join(item.tags)) for item in memories)
    )


def short(text: str) -> str:
    """The beginning of a text, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= _LINE else f"{line[: _LINE - 1]}…"

"""The command `heimdall history`: what a memory said before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from heimdall.cli import output
from heimdall.cli.command import command
from heimdall.cli.memory_lines import about, lines_of
from heimdall.cli.opening import these_memories
from heimdall.models.report import Report

if TYPE_CHECKING:
    from cognitive_memory.core.history import Event
    from cognitive_memory.core.values import Json


@command()
@click.argument("memory_id", metavar="ID")
@click.option(
    "--forget", is_flag=True, help="Drop what it said before; what it says now stays as it is."
)
def history(*, memory_id: str, forget: bool) -> Report:
    """Show what changed in a memory, and when.

    Of this project, or of what you stored for all of yours; latest change first, with what it said before. Kept are the last 20
    changes that were made by hand (updated, merged with the same text, replaced) or imported; deleting a memory deletes its
    history. The ID may be cut to its first 8 characters.

    Examples:
        heimdall history 6f9619ff  # what it said before
        heimdall history 6f9619ff --forget  # drop that, for example since a secret was in it
    """
    with these_memories() as joint:
        memory_of_it, named = joint.named(memory_id)
        storage = memory_of_it.storage
        dropped = 0
        if forget:
            with storage.writing() as writer:
                dropped = writer.forget_history(named)
        with storage.reading() as reader:
            memory, events = reader.get(named), reader.history(named)

    def show() -> None:
        if forget:
            changes = "1 change" if dropped == 1 else f"{dropped} changes"
            output.line(output.good("forgotten  "), changes)
        output.line(about(memory))
        for event in events:
            for line in _lines(event):
                output.line(line)

    known = {"id": named, "forgotten": dropped, "events": [_document(event) for event in events]}
    return Report(known, show)


def _document(event: Event) -> dict[str, object]:
    return {**output.fields_of(event), "at": event.at.isoformat(timespec="microseconds")}


def _lines(event: Event) -> Iterator[str]:
    from cognitive_memory.core.local_time import local_time

    yield f"{local_time(event.at)}  {event.how}  {', '.join(event.before)}".rstrip()
    for name, value in event.after.items():
        if name in event.before:
            yield from _marked("-", name, event.before[name])
        yield from _marked("+", name, value)


def _marked(mark: str, name: str, value: Json) -> Iterator[str]:
    import json

    said = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    first, *others = lines_of(said)
    yield f"   {mark} {name}: {first}"
    yield from (f"   {mark} {line}" for line in others)

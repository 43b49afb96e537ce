"""The commands `heimdall recent` and `heimdall undo`: what was stored and captured lately, and taking a capture back."""

from __future__ import annotations

import click

from heimdall.cli import output
from heimdall.cli.command import command
from heimdall.cli.memory_options import scope_option
from heimdall.cli.memory_view import document, show
from heimdall.cli.opening import ALL, these_memories
from heimdall.models.report import Report


@command()
@click.option(
    "--limit",
    "-n",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    help="How many at most.",
)
@click.option("--captured", is_flag=True, help="Only what was taken from conversations.")
@scope_option(ALL, both=True)
def recent(*, limit: int, captured: bool, scope: str) -> Report:
    """Show what was stored, or captured from conversations, lately.

    Last stored or changed first. What comes from files and commits is not among it.

    Examples:
        heimdall recent  # the last ten
        heimdall recent --captured -n 50  # what hooks and transcripts brought
    """
    from cognitive_memory.core.memory import Origin
    from cognitive_memory.core.recall import RecallFilter

    origins = {Origin.CAPTURED} if captured else {Origin.CAPTURED, Origin.STORED}
    with these_memories(scope) as memory:
        wanted = RecallFilter(origins=frozenset(origins))
        found = list(memory.memories_of(wanted, order="changed", limit=limit))

    def show_all() -> None:
        for one in found:
            show(one)
        if not found:
            output.line("nothing was stored or captured yet")

    return Report({"memories": [document(one) for one in found]}, show_all)


@command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--dry-run", is_flag=True, help="Only say what would be taken back.")
def undo(*, ids: tuple[str, ...], dry_run: bool) -> Report:
    """Take back the last capture, or the captured memories of the IDs.

    A capture is what one event of a conversation, or one 'heimdall load --transcripts', brought. What it was taken from is
    not captured again. What you pinned stays. An ID may be cut to its first 8 characters.

    Examples:
        heimdall undo  # forget what the last capture brought
        heimdall undo 6f9619ff --dry-run  # what that would be of one memory
    """
    from heimdall.hooks import undoing

    with these_memories() as memories:
        if ids:
            undone = undoing.undo(memories, ids, dry_run=dry_run)
        else:
            undone = undoing.undo_last(memories, dry_run=dry_run)

    def show_undone() -> None:
        for one in undone.memories:
            show(one, before="would be undone  " if dry_run else "undone  ")
        for one in undone.kept:
            show(one, before="pinned, so it stays  ")
        if not undone.memories:
            output.line("there is no capture to take back")

    known = {
        "dry_run": dry_run,
        "undone": [document(one) for one in undone.memories],
        "kept": [document(one) for one in undone.kept],
    }
    return Report(known, show_undone)

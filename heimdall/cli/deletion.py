"""The commands that delete memories of the project around the working directory."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import click

from heimdall.cli import output
from heimdall.cli.command import command, json_wanted, options
from heimdall.cli.memory_lines import about
from heimdall.cli.memory_options import scope_option
from heimdall.cli.memory_view import document, table
from heimdall.cli.opening import these_memories
from heimdall.models.report import Report

if TYPE_CHECKING:
    from cognitive_memory.core.reports import Deletion

_how_options = options(
    click.option("--yes", is_flag=True, help="Don't ask."),
    click.option("--dry-run", is_flag=True, help="Only say what would be deleted."),
)


@command("delete-memory")
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@_how_options
def delete_memory(*, ids: tuple[str, ...], yes: bool, dry_run: bool) -> Report:
    """Delete memories for good.

    All of them or, if one is unknown, none; of this project, or of what you stored for all of yours. An ID may be cut to
    its first 8 characters. On a terminal you are asked first.

    Examples:
        heimdall delete-memory 6f9619ff  # forget it
    """
    from cognitive_memory.core.reports import Deletion

    with these_memories() as memory:
        doomed = [memory.get(named) for named in memory.whole_ids(ids)]

        def delete() -> Deletion:
            gone = memory.delete([item.id for item in doomed])
            return Deletion(len(gone), tuple(gone))

        return _delete(Deletion(len(doomed), tuple(doomed)), delete, yes=yes, dry_run=dry_run)


@command("delete-memories-by-tags")
@click.argument("tags", nargs=-1, metavar="[TAG]...")
@click.option("--tag", "more", multiple=True, metavar="TAG", help="The same as an argument.")
@scope_option("project")
@_how_options
def delete_memories_by_tags(
    *, tags: tuple[str, ...], more: tuple[str, ...], scope: str, yes: bool, dry_run: bool
) -> Report:
    """Delete all memories that have any of the tags, for good.

    On a terminal you are asked first; elsewhere --yes is needed. Of very many the first 1,000 are shown.

    Examples:
        heimdall delete-memories-by-tags draft --dry-run  # what has that tag
        heimdall delete-memories-by-tags draft obsolete --yes  # forget all that has one of these, unasked
    """
    from cognitive_memory.core.reports import Deletion

    if not tags and not more:
        raise click.UsageError("Name a tag.")
    with these_memories(scope) as memories:
        if not memories.memories:
            return _delete(Deletion(0, ()), lambda: Deletion(0, ()), yes=yes, dry_run=dry_run)
        (memory,) = memories.memories.values()
        tagged = partial(memory.delete_by_tags, [*tags, *more])
        doomed = tagged(dry_run=True)
        if doomed.count and not (yes or dry_run or sys.stdin.isatty()):
            # Nobody has seen what these are, other than those that were named by their ids.
            raise click.UsageError(output.NOBODY_TO_ASK)
        return _delete(doomed, tagged, yes=yes, dry_run=dry_run)


def _delete(
    doomed: Deletion, delete: Callable[[], Deletion], *, yes: bool, dry_run: bool
) -> Report:
    if doomed.count and not dry_run:
        if not yes and sys.stdin.isatty():
            if not json_wanted():
                table(doomed.first)
                _tell_more(doomed)
            if not output.confirmed(f"Delete {_counted(doomed)} for good?"):
                nothing = partial(output.line, "nothing was deleted")
                return Report({"dry_run": dry_run, "count": 0, "deleted": []}, nothing, sound=False)
        doomed = delete()
    verb = "would be" if dry_run else "was" if doomed.count == 1 else "were"

    def show() -> None:
        for item in doomed.first:
            output.line(output.faint("would delete  ") if dry_run else "deleted  ", about(item))
        _tell_more(doomed)
        output.line(f"{_counted(doomed)} {verb} deleted")

    deleted = list(map(document, doomed.first))
    return Report({"dry_run": dry_run, "count": doomed.count, "deleted": deleted}, show)


def _tell_more(doomed: Deletion) -> None:
    if more := doomed.count - len(doomed.first):
        output.line(output.faint(f"and {more:,} more"))


def _counted(doomed: Deletion) -> str:
    return f"{doomed.count:,} {'memory' if doomed.count == 1 else 'memories'}"

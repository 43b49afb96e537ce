"""The commands that delete memories of the project around the working directory."""

from __future__ import annotations

import sys
from collections.abc import Sequence
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
    from cognitive_memory.core.memory import Memory
    from cognitive_memory.joint_memory import JointMemory

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
    with these_memories() as memory:
        doomed = [memory.get(named) for named in memory.whole_ids(ids)]
        return _delete(memory, doomed, yes=yes, dry_run=dry_run)


@command("delete-memories-by-tags")
@click.argument("tags", nargs=-1, metavar="[TAG]...")
@click.option("--tag", "more", multiple=True, metavar="TAG", help="The same as an argument.")
@scope_option("project")
@_how_options
def delete_memories_by_tags(
    *, tags: tuple[str, ...], more: tuple[str, ...], scope: str, yes: bool, dry_run: bool
) -> Report:
    """Delete all memories that have any of the tags, for good.

    On a terminal you are asked first; elsewhere --yes is needed.

    Examples:
        heimdall delete-memories-by-tags draft --dry-run  # what has that tag
        heimdall delete-memories-by-tags draft obsolete --yes  # forget all that has one of these, unasked
    """
    if not tags and not more:
        raise click.UsageError("Name a tag.")
    with these_memories(scope) as memory:
        tagged = [
            tagged
            for one in memory.memories.values()
            for tagged in one.delete_by_tags([*tags, *more], dry_run=True)
        ]
        if tagged and not (yes or dry_run or sys.stdin.isatty()):
            # Nobody has seen what these are, other than those that were named by their ids.
            raise click.UsageError(output.NOBODY_TO_ASK)
        return _delete(memory, tagged, yes=yes, dry_run=dry_run)


def _delete(memory: JointMemory, doomed: Sequence[Memory], *, yes: bool, dry_run: bool) -> Report:
    if doomed and not dry_run:
        if not yes and sys.stdin.isatty():
            if not json_wanted():
                table(doomed)
            if not output.confirmed(f"Delete {_counted(doomed)} for good?"):
                nothing = partial(output.line, "nothing was deleted")
                return Report({"dry_run": dry_run, "deleted": []}, nothing, sound=False)
        doomed = memory.delete([item.id for item in doomed])
    verb = "would be" if dry_run else "was" if len(doomed) == 1 else "were"

    def show() -> None:
        for item in doomed:
            output.line(output.faint("would delete  ") if dry_run else "deleted  ", about(item))
        output.line(f"{_counted(doomed)} {verb} deleted")

    return Report({"dry_run": dry_run, "deleted": list(map(document, doomed))}, show)


def _counted(memories: Sequence[Memory]) -> str:
    return f"{len(memories)} {'memory' if len(memories) == 1 else 'memories'}"

"""The commands that carry a project's memory elsewhere and back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO

import click

from heimdall.cli import output
from heimdall.cli.command import command, json_wanted
from heimdall.cli.memory_options import own_option, scope_option
from heimdall.cli.opening import embed_all, model_is_here, place, this_memory
from heimdall.models.files import draft
from heimdall.models.report import Report

_force = click.option("--force", is_flag=True, help="Replace a file that is there.")


@command()
@click.argument(
    "file", required=False, type=click.Path(path_type=Path, dir_okay=False, allow_dash=True)
)
@click.option("--without-vectors", is_flag=True, help="Leave the vectors out.")
@scope_option("project")
@_force
def export(*, file: Path | None, without_vectors: bool, scope: str, force: bool) -> Report | None:
    """Write all memories as lines of JSON.

    Without FILE, or with "-", to the standard output. 'heimdall import' takes them, on any machine.

    Examples:
        heimdall export memories.jsonl  # everything, one memory a line
        heimdall export --without-vectors | gzip > memories.jsonl.gz  # a tenth of the size; importing embeds again
    """
    target = None if file == Path("-") else file
    if target is None and json_wanted():
        raise click.UsageError(
            "The lines on the standard output are JSON already; --json reports about a FILE."
        )
    memories = -1  # the first line is a header
    with this_memory(scope) as memory, _lines_to(target, force=force) as stream:
        for line in memory.export_lines(vectors=not without_vectors):
            stream.write(f"{line}\n".encode())
            memories += 1
    return None if target is None else _written("exported", target, memories)


@command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@own_option
@scope_option("project")
def import_(*, file: Path, own: bool, scope: str) -> Report:
    """Take over memories from lines of JSON.

    A memory that is here already becomes what FILE says, unless it was changed here later. Vectors of the same model are
    taken over, others are made anew if the model is on this machine. What comes in has the origin 'adopted', since any file
    can say that you stored it; --own keeps the origins of your own export.

    Examples:
        heimdall import memories.jsonl  # take over what somebody's 'heimdall export' wrote; again: nothing new
        heimdall import --own memories.jsonl  # bring your own memories to this machine
        gunzip -c memories.jsonl.gz | heimdall import -  # from another command
    """
    from cognitive_memory.storage.json_lines import JsonLineError, read_lines

    with this_memory(scope) as memory:
        try:
            with click.open_file(str(file), "rb") as stream:
                report = memory.import_lines(read_lines(stream), own=own)
        except JsonLineError as error:
            error.file = "standard input" if file == Path("-") else str(file)
            raise
        embedded = embed_all(memory) if model_is_here() else 0
        pending = memory.storage.status().pending

    def show() -> None:
        told = f"{report.added:,} added, {report.updated:,} updated, {report.unchanged:,} were here already"
        kept = f", {report.older:,} left as they are, changed here later" if report.older else ""
        output.line(output.good("imported  "), told, kept)
        output.line(
            f"{report.vectors:,} vectors taken over, {embedded:,} made, {pending:,} pending"
        )

    first = {"added": report.added, "updated": report.updated}
    embedding = {"embedded": embedded, "pending": pending}
    return Report({**first, **output.fields_of(report), **embedding}, show)


@command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@scope_option("project")
@_force
def backup(*, file: Path, scope: str, force: bool) -> Report:
    """Copy the database, as it is at this moment, into one checked FILE.

    Examples:
        heimdall backup ../project.db  # a checked copy, while others may work
    """
    from cognitive_memory.storage.backup import back_up

    with this_memory(scope) as memory:
        back_up(memory.database, file, force=force)
        memories = memory.storage.status().memories
    return _written("backed up", file, memories, "; 'heimdall restore' brings them back")


def _written(done: str, file: Path, memories: int, advice: str = "") -> Report:
    """All memories are in a file: what `export` and `backup` report."""
    document = {"file": file, "memories": memories, "size": file.stat().st_size}
    told = f"{memories:,} memories to {file}{advice}"
    return Report(document, partial(output.line, output.good(f"{done}  "), told))


@command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--force",
    is_flag=True,
    help="Replace the database that is there; it is kept beside the new one.",
)
@own_option
@scope_option("project")
def restore(*, file: Path, force: bool, own: bool, scope: str) -> Report:
    """Bring back what 'heimdall backup' wrote.

    FILE is checked first. Servers that have the project open see the restored memories at once. From a backup that was not
    made on this machine the memories come over alone, with the origin 'adopted' unless --own is given.

    Examples:
        heimdall restore ../project.db  # into a project that has no memory yet
        heimdall restore ../project.db --force  # in place of what is there, which is kept aside
    """
    from cognitive_memory.core.memory import Scope
    from cognitive_memory.project.init import init_project
    from cognitive_memory.storage import backup as copies

    project = place(scope)
    if scope == Scope.USER:
        project.check()
    elif not project.initialised:
        init_project(project.root)
    kept = copies.restore(file.absolute(), project.database, force=force, own=own)
    with this_memory(scope) as memory:
        memories = memory.storage.status().memories

    def show() -> None:
        output.line(output.good("restored  "), f"{memories:,} memories to {project.database}")
        if kept:
            output.line(f"what was there before is kept in {kept}")

    return Report({"database": project.database, "memories": memories, "kept": kept}, show)


@contextmanager
def _lines_to(file: Path | None, *, force: bool) -> Iterator[IO[bytes]]:
    """The standard output, or a stream whose file gets its name when everything is in it."""
    if file is None:
        with output.to_stdout(), click.open_file("-", "wb") as stream:
            yield stream
        return
    if file.exists() and not force:
        raise click.UsageError(f"{file} exists already; --force replaces it.")
    with draft(file) as beside, beside.open("wb") as stream:
        yield stream

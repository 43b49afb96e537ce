"""The commands that carry a project's memory elsewhere and back."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import click

from heimdall.cli import output
from heimdall.cli.command import command, json_option
from heimdall.models.files import draft

_STREAM = Path("-")


@command(
    examples=[
        ("heimdall export memories.jsonl", "everything, one memory a line"),
        (
            "heimdall export --without-vectors | gzip > memories.jsonl.gz",
            "a tenth of the size; importing embeds again",
        ),
    ]
)
@click.argument(
    "file", required=False, type=click.Path(path_type=Path, dir_okay=False, allow_dash=True)
)
@click.option("--without-vectors", is_flag=True, help="Leave the vectors out.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@json_option
def export(*, file: Path | None, without_vectors: bool, force: bool, machine: bool) -> None:
    """Write all memories as lines of JSON.

    Without FILE, or with "-", to the standard output. 'heimdall import' takes them, on any machine.
    """
    from cognitive_memory.opening import open_memory
    from cognitive_memory.project import find_project

    to_stdout = file is None or file == _STREAM
    if to_stdout and machine:
        raise click.UsageError(
            "The lines on the standard output are JSON already; --json reports about a FILE."
        )
    count = 0
    with (
        open_memory(find_project()) as memory,
        _target(None if to_stdout else file, force=force) as stream,
    ):
        for line in memory.export_lines(vectors=not without_vectors):
            stream.write(f"{line}\n")
            count += 1
    if to_stdout or file is None:
        return
    memories = count - 1  # the first line is a header
    if machine:
        output.as_json({"file": str(file), "memories": memories, "size": file.stat().st_size})
    else:
        output.line(output.good("exported  "), f"{memories:,} memories to {file}")


@command(
    "import",
    examples=[
        (
            "heimdall import memories.jsonl",
            "take over what 'heimdall export' wrote; again: nothing new",
        ),
        ("zcat memories.jsonl.gz | heimdall import -", "from another command"),
    ],
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@json_option
def import_(*, file: Path, machine: bool) -> None:
    """Take over memories from lines of JSON.

    A memory that is here already becomes what FILE says, unless it was changed here later. Vectors of the same model are
    taken over, others are made anew if the model is on this machine.
    """
    from cognitive_memory.embedding.embedder import ModelEmbedder
    from cognitive_memory.opening import open_memory
    from cognitive_memory.project import find_project
    from heimdall.cli.memory import embed_all

    with open_memory(find_project()) as memory:
        with _lines(file) as lines:
            report = memory.import_lines(lines)
        embedded = embed_all(memory) if ModelEmbedder().ready() else 0
        pending = memory.status().pending
    counts = {
        "added": report.added,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "older": report.older,
        "vectors": report.vectors,
    }
    if machine:
        output.as_json({**counts, "embedded": embedded, "pending": pending})
        return
    told = f"{report.added:,} added, {report.updated:,} updated, {report.unchanged:,} were here already"
    kept = f", {report.older:,} left as they are, changed here later" if report.older else ""
    output.line(output.good("imported  "), told, kept)
    output.line(f"{report.vectors:,} vectors taken over, {embedded:,} made, {pending:,} pending")


@command(
    examples=[("heimdall backup ~/backups/project.db", "a checked copy, while others may work")]
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@json_option
def backup(*, file: Path, force: bool, machine: bool) -> None:
    """Copy the database, as it is at this moment, into one checked FILE."""
    from cognitive_memory.opening import open_memory
    from cognitive_memory.project import find_project

    with open_memory(find_project()) as memory:
        memory.backup(file, force=force)
        memories = memory.status().memories
    if machine:
        output.as_json({"file": str(file), "memories": memories, "size": file.stat().st_size})
    else:
        output.line(
            output.good("backed up  "),
            f"{memories:,} memories to {file}; 'heimdall restore' brings them back",
        )


@command(
    examples=[
        ("heimdall restore ~/backups/project.db", "into a project that has no memory yet"),
        (
            "heimdall restore ~/backups/project.db --force",
            "in place of what is there, which is kept aside",
        ),
    ]
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--force",
    is_flag=True,
    help="Replace the database that is there; it is kept beside the new one.",
)
@json_option
def restore(*, file: Path, force: bool, machine: bool) -> None:
    """Bring back what 'heimdall backup' wrote.

    FILE is checked first. Servers that have the project open see the restored memories at once.
    """
    from cognitive_memory.opening import open_memory
    from cognitive_memory.project import find_project, init_project
    from cognitive_memory.project_memory import ProjectMemory

    project = find_project()
    if not project.initialised:
        init_project(project.root)
    kept = ProjectMemory.restore(file, project.database, force=force)
    with open_memory(project) as memory:
        memories = memory.status().memories
    if machine:
        report = {
            "database": str(project.database),
            "memories": memories,
            "kept": str(kept) if kept else None,
        }
        output.as_json(report)
        return
    output.line(output.good("restored  "), f"{memories:,} memories to {project.database}")
    if kept:
        output.line(f"what was there before is kept in {kept}")


@contextmanager
def _target(file: Path | None, *, force: bool) -> Iterator[IO[str]]:
    """A stream whose file gets its name when everything is in it."""
    if file is None:
        sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]  # it is a text file
        yield sys.stdout
        return
    if file.exists() and not force:
        raise click.UsageError(f"{file} exists already; --force replaces it.")
    with draft(file) as beside, beside.open("w", encoding="utf-8", newline="\n") as stream:
        yield stream


@contextmanager
def _lines(file: Path) -> Iterator[Iterator[str]]:
    if file == _STREAM:
        sys.stdin.reconfigure(encoding="utf-8")  # type: ignore[union-attr]  # it is a text file
        yield iter(sys.stdin)
        return
    with file.open(encoding="utf-8") as stream:
        yield iter(stream)

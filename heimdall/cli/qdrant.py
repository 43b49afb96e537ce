"""The commands `heimdall qdrant …`: vectors in Qdrant, where one machine is not enough."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from heimdall.cli import output
from heimdall.cli.command import group, json_option

if TYPE_CHECKING:
    from cognitive_memory.project_memory import ProjectMemory
    from cognitive_memory.qdrant.index import QdrantIndex
    from cognitive_memory.qdrant.settings import QdrantSettings

WANTING = 1


@group(
    examples=[
        ("heimdall qdrant status", "where it is, and whether it is up to date"),
        ("heimdall qdrant push", "bring it up to date"),
    ]
)
def qdrant() -> None:
    """Keep vectors in Qdrant, for more than one machine holds.

    HEIMDALL_QDRANT_URL names the server, HEIMDALL_QDRANT_API_KEY its key. The project's database stays the truth.
    """


@qdrant.command(examples=[("heimdall qdrant status --json", "for a script")])
@json_option
def status(*, machine: bool) -> int:
    """Say which Qdrant is used and whether it has all that this project has.

    Exit code 1 if none is configured, it can't be reached, or it is behind.
    """
    from cognitive_memory.qdrant.errors import QdrantError

    with _memory() as (memory, settings):
        if settings is None:
            if machine:
                output.as_json({"configured": False})
            else:
                output.paragraph("No Qdrant is configured: vectors are searched on this machine.")
            return WANTING
        with memory.storage.reading() as reader:
            here, _ = reader.vectors.counts()
        problem, there = "", None
        try:
            with _index(memory, settings) as index:
                there = index.count()
                name = index.collection
        except QdrantError as error:
            problem, name = error.problem, ""
        same = there == here
        if machine:
            output.as_json(
                {
                    "configured": True,
                    "place": settings.place,
                    "reachable": there is not None,
                    "problem": problem,
                    "collection": name,
                    "vectors_here": here,
                    "vectors_there": there,
                }
            )
            return 0 if same else WANTING
        state = output.bad(problem) if there is None else output.good("reachable")
        output.fields(
            [
                ("place", settings.place),
                ("state", state),
                *([("collection", name)] if name else []),
                ("vectors", f"{here} here, {'?' if there is None else there} there"),
            ]
        )
        if warning := settings.key_in_the_clear():
            output.paragraph(output.warning(warning))
        if there is not None and not same:
            output.paragraph("'heimdall qdrant push' brings it up to date.")
        return 0 if same else WANTING


@qdrant.command(
    examples=[
        ("heimdall qdrant push", "what has changed since the last time"),
        ("heimdall qdrant push --full", "compare everything"),
    ]
)
@click.option(
    "--full",
    is_flag=True,
    help="Compare every point, not only what has changed since the last push.",
)
@click.option(
    "--take-over", is_flag=True, help="Replace what another database has pushed for this project."
)
@json_option
def push(*, full: bool, take_over: bool, machine: bool) -> None:
    """Write this project's memories and vectors to Qdrant. What was interrupted goes on."""
    from dataclasses import asdict

    from cognitive_memory.qdrant import sync
    from heimdall.cli.progress import progress

    with (
        _memory() as (memory, settings),
        _index(memory, _required(settings)) as index,
        progress("pushing") as report,
    ):
        done = sync.push(memory.storage, index, full=full, take_over=take_over, progress=report)
        pending = memory.status().pending
    if machine:
        output.as_json({**asdict(done), "pending": pending})
        return
    output.line(
        f"{done.written} written, {done.removed} removed; {done.total} in {index.collection}"
    )
    if pending:
        output.paragraph(f"{pending} memories have no vector yet, and stay here until they have.")


@qdrant.command(examples=[("heimdall qdrant pull", "on a new machine, in a clone of the project")])
@json_option
def pull(*, machine: bool) -> None:
    """Bring this project's memories from Qdrant here, with their vectors. What is newer here stays."""
    from dataclasses import asdict

    with _memory() as (memory, settings), _index(memory, _required(settings)) as index:
        done = memory.import_lines(index.lines())
    if machine:
        output.as_json(asdict(done))
        return
    output.line(
        f"{done.added} added, {done.updated} updated, {done.unchanged} unchanged, {done.older} newer here"
    )


@qdrant.command(examples=[("heimdall qdrant verify", "is everything there?")])
@json_option
def verify(*, machine: bool) -> int:
    """Compare every memory with its point in Qdrant. Exit code 1 if they differ."""
    from dataclasses import asdict

    from cognitive_memory.qdrant import sync

    with _memory() as (memory, settings), _index(memory, _required(settings)) as index:
        found = sync.verify(memory.storage, index)
    if machine:
        output.as_json({"same": found.same, **asdict(found)})
    elif found.same:
        output.line(output.mark("pass"), " Qdrant has what this project has")
    else:
        for name, ids in asdict(found).items():
            if ids:
                output.line(
                    output.mark("fail"),
                    f" {len(ids)} {name}: ",
                    ", ".join(ids[:3]),
                    " …" if len(ids) > 3 else "",
                )
        output.paragraph(
            "'heimdall qdrant push --take-over' replaces them."
            if found.foreign
            else "'heimdall qdrant push --full' mends that."
        )
    return 0 if found.same else WANTING


@qdrant.command(examples=[("heimdall qdrant drop --yes", "without a question")])
@click.option("--every-model", is_flag=True, help="Also the vectors of other embedding models.")
@click.option("--yes", is_flag=True, help="Don't ask.")
@json_option
def drop(*, every_model: bool, yes: bool, machine: bool) -> None:
    """Remove this project's points from Qdrant. The memories stay in the project's database."""
    with _memory() as (memory, settings), _index(memory, _required(settings)) as index:
        count = index.count()
        if not yes:
            if machine or not output.on_terminal(sys.stdin):
                raise click.UsageError("Say --yes to remove the points without being asked.")
            click.confirm(
                f"Remove {count} points of this project from {index.settings.place}?", abort=True
            )
        dropped = index.drop(every_model=every_model)
    if machine:
        output.as_json({"dropped": dropped})
        return
    for name, number in dropped.items():
        output.line(f"{number} removed from {name}")
    if not dropped:
        output.line("nothing of this project was there")


@contextmanager
def _memory() -> Iterator[tuple[ProjectMemory, QdrantSettings | None]]:
    from cognitive_memory.opening import open_memory
    from cognitive_memory.project import find_project
    from cognitive_memory.qdrant.settings import qdrant_settings

    project = find_project()
    settings = qdrant_settings()
    with open_memory(project) as memory:
        yield memory, settings


def _required(settings: QdrantSettings | None) -> QdrantSettings:
    if settings is None:
        raise click.UsageError("No Qdrant is configured: set HEIMDALL_QDRANT_URL.")
    return settings


def _embedding_space(memory: ProjectMemory) -> str:
    space = memory.storage.embedding_space()
    if space is None:
        raise click.ClickException(
            "This installation pins no embedding model, so there are no vectors: install heimdall-mcp from a release."
        )
    return space


def _index(memory: ProjectMemory, settings: QdrantSettings) -> QdrantIndex:
    from cognitive_memory.qdrant.index import QdrantIndex

    return QdrantIndex(settings, project_id=memory.project_id, space=_embedding_space(memory))

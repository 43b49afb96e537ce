"""The commands `heimdall qdrant …`: vectors in Qdrant, where one machine is not enough."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import click

from heimdall.cli import output
from heimdall.cli.command import group
from heimdall.cli.memory_options import own_option
from heimdall.cli.opening import this_memory
from heimdall.cli.progress import progress
from heimdall.models.report import Report

if TYPE_CHECKING:
    from cognitive_memory.project_memory import ProjectMemory
    from cognitive_memory.qdrant.index import QdrantIndex
    from cognitive_memory.qdrant.settings import QdrantSettings


@group()
def qdrant() -> None:
    """Keep vectors in Qdrant, for more than one machine holds.

    HEIMDALL_QDRANT_URL names the server, HEIMDALL_QDRANT_API_KEY its key. The project's database stays the truth.

    Examples:
        heimdall qdrant status  # where it is, and whether it is up to date
        heimdall qdrant push  # bring it up to date
    """


@qdrant.command()
def status() -> Report:
    """Say which Qdrant is used and whether it has all that this project has.

    Exit code 1 if none is configured, it can't be reached, or it is behind.

    Examples:
        heimdall qdrant status --json  # for a script
    """
    from cognitive_memory.qdrant.errors import QdrantError
    from cognitive_memory.qdrant.settings import qdrant_settings

    settings = qdrant_settings()
    with this_memory() as memory:
        if settings is None:
            told = "No Qdrant is configured: vectors are searched on this machine."
            return Report({"configured": False}, partial(output.paragraph, told), sound=False)
        problem, collection, there = "", "", None
        with memory.storage.reading() as reader:
            here, _ = reader.vectors.counts()
        try:
            with _index(memory, settings) as index:
                there, collection = index.count(), index.collection
        except QdrantError as error:
            problem = error.problem
    reachable, sound = there is not None, there == here

    def show() -> None:
        rows = {
            "place": settings.place,
            "state": output.good("reachable") if reachable else output.bad(problem),
            "collection": collection or None,
            "vectors": f"{here} here, {there if reachable else '?'} there",
        }
        output.fields(rows.items())
        if warning := settings.key_in_the_clear():
            output.paragraph(output.warning(warning))
        if reachable and not sound:
            output.paragraph("'heimdall qdrant push' brings it up to date.")

    document = {
        "configured": True,
        "place": settings.place,
        "reachable": reachable,
        "problem": problem,
        "collection": collection,
        "vectors_here": here,
        "vectors_there": there,
    }
    return Report(document, show, sound)


@qdrant.command()
@click.option(
    "--full",
    is_flag=True,
    help="Compare every point, not only what has changed since the last push.",
)
@click.option(
    "--take-over", is_flag=True, help="Replace what another database has pushed for this project."
)
def push(*, full: bool, take_over: bool) -> Report:
    """Write this project's memories and vectors to Qdrant. What was interrupted goes on.

    Examples:
        heimdall qdrant push  # what has changed since the last time
        heimdall qdrant push --full  # compare everything
    """
    from cognitive_memory.qdrant import sync

    with _memory_and_index() as (memory, index), progress("pushing") as tell:
        done = sync.push(memory.storage, index, full=full, take_over=take_over, progress=tell)
        pending, collection = memory.storage.status().pending, index.collection

    def show() -> None:
        output.line(f"{done.written} written, {done.removed} removed; {done.total} in {collection}")
        if pending:
            output.paragraph(
                f"{pending} memories have no vector yet, and stay here until they have."
            )

    return Report({**output.fields_of(done), "pending": pending}, show)


@qdrant.command()
@own_option
def pull(*, own: bool) -> Report:
    """Bring this project's memories from Qdrant here, with their vectors. What is newer here stays.

    What comes in has the origin 'adopted', since others may write to Qdrant, too; --own keeps the origins.

    Examples:
        heimdall qdrant pull  # in a clone of the project
        heimdall qdrant pull --own  # on your new machine, from a Qdrant that you alone write to
    """
    with _memory_and_index() as (memory, index):
        done = memory.import_lines(index.lines(), own=own)
    changed = f"{done.added} added, {done.updated} updated"
    told = f"{changed}, {done.unchanged} unchanged, {done.older} newer here"
    return Report(output.fields_of(done), partial(output.line, told))


@qdrant.command()
def verify() -> Report:
    """Compare every memory with its point in Qdrant. Exit code 1 if they differ.

    Examples:
        heimdall qdrant verify  # is everything there?
    """
    from cognitive_memory.qdrant import sync

    with _memory_and_index() as (memory, index):
        difference = sync.verify(memory.storage, index)
    differing = output.fields_of(difference)

    def show() -> None:
        if difference.same:
            output.line(output.mark("pass"), " Qdrant has what this project has")
            return
        for name, ids in differing.items():
            if ids:
                some = ", ".join(ids[:3]) + (" …" if len(ids) > 3 else "")
                output.line(output.mark("fail"), f" {len(ids)} {name}: {some}")
        output.paragraph(
            "'heimdall qdrant push --take-over' replaces them."
            if difference.foreign
            else "'heimdall qdrant push --full' mends that."
        )

    return Report({"same": difference.same, **differing}, show, difference.same)


@qdrant.command()
@click.option("--every-model", is_flag=True, help="Also the vectors of other embedding models.")
@click.option("--yes", is_flag=True, help="Don't ask.")
def drop(*, every_model: bool, yes: bool) -> Report:
    """Remove this project's points from Qdrant. The memories stay in the project's database.

    Examples:
        heimdall qdrant drop --yes  # without a question
    """
    with _memory_and_index() as (_, index):
        place = index.settings.place
        agreed = yes or output.agreed(
            f"Remove {index.count()} points of this project from {place}?"
        )
        dropped = index.drop(every_model=every_model) if agreed else {}

    def show() -> None:
        for name, number in dropped.items():
            output.line(f"{number} removed from {name}")
        if not dropped:
            told = "nothing of this project was there" if agreed else "nothing was removed"
            output.line(told)

    return Report({"dropped": dropped}, show, sound=agreed)


@contextmanager
def _memory_and_index() -> Iterator[tuple[ProjectMemory, QdrantIndex]]:
    from cognitive_memory.qdrant.settings import qdrant_settings

    settings = qdrant_settings()
    with this_memory() as memory:
        if settings is None:
            raise click.UsageError("No Qdrant is configured: set HEIMDALL_QDRANT_URL.")
        with _index(memory, settings) as index:
            yield memory, index


def _index(memory: ProjectMemory, settings: QdrantSettings) -> QdrantIndex:
    from cognitive_memory.qdrant.index import QdrantIndex

    space = memory.storage.embedding_space()
    if space is None:
        raise click.ClickException(
            "This installation pins no embedding model, so there are no vectors: install heimdall-mcp from a release."
        )
    return QdrantIndex(settings, project_id=memory.project_id, space=space)

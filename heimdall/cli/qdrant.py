"""The commands `heimdall qdrant …`: vectors in Qdrant, where one machine is not enough."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from heimdall.cli import output
from heimdall.cli.command import group, json_wanted
from heimdall.cli.memory_options import own_option
from heimdall.cli.opening import this_memory
from heimdall.cli.progress import progress
from heimdall.cli.report import Report

if TYPE_CHECKING:
    from cognitive_memory.core.reports import ImportReport
    from cognitive_memory.project_memory import ProjectMemory
    from cognitive_memory.qdrant.index import QdrantIndex
    from cognitive_memory.qdrant.settings import QdrantSettings
    from cognitive_memory.qdrant.sync import Difference, PushReport


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
            return _NotConfigured()
        problem, collection, there = "", "", None
        with memory.storage.reading() as reader:
            here, _ = reader.vectors.counts()
        try:
            with _index(memory, settings) as index:
                there, collection = index.count(), index.collection
        except QdrantError as error:
            problem = error.problem
    return _Status(settings.place, problem, collection, here, there, settings.key_in_the_clear())


@dataclass(frozen=True)
class _NotConfigured(Report):
    sound = False

    def as_json(self) -> Mapping[str, object]:
        return {"configured": False}

    def show(self) -> None:
        output.paragraph("No Qdrant is configured: vectors are searched on this machine.")


@dataclass(frozen=True)
class _Status(Report):
    place: str
    problem: str
    collection: str
    here: int
    there: int | None
    warning: str | None

    @property
    def sound(self) -> bool:
        return self.there == self.here

    def as_json(self) -> Mapping[str, object]:
        return {
            "configured": True,
            "place": self.place,
            "reachable": self.there is not None,
            "problem": self.problem,
            "collection": self.collection,
            "vectors_here": self.here,
            "vectors_there": self.there,
        }

    def show(self) -> None:
        reachable = self.there is not None
        rows = {
            "place": self.place,
            "state": output.good("reachable") if reachable else output.bad(self.problem),
            "collection": self.collection or None,
            "vectors": f"{self.here} here, {self.there if reachable else '?'} there",
        }
        output.fields(rows.items())
        if self.warning:
            output.paragraph(output.warning(self.warning))
        if reachable and not self.sound:
            output.paragraph("'heimdall qdrant push' brings it up to date.")


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
        return _Pushed(done, memory.status().pending, index.collection)


@dataclass(frozen=True)
class _Pushed(Report):
    done: PushReport
    pending: int
    collection: str

    def as_json(self) -> Mapping[str, object]:
        return {**output.fields_of(self.done), "pending": self.pending}

    def show(self) -> None:
        done = self.done
        output.line(
            f"{done.written} written, {done.removed} removed; {done.total} in {self.collection}"
        )
        if self.pending:
            output.paragraph(
                f"{self.pending} memories have no vector yet, and stay here until they have."
            )


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
        return _Pulled(memory.import_lines(index.lines(), own=own))


@dataclass(frozen=True)
class _Pulled(Report):
    done: ImportReport

    def as_json(self) -> Mapping[str, object]:
        return output.fields_of(self.done)

    def show(self) -> None:
        done = self.done
        output.line(
            f"{done.added} added, {done.updated} updated, "
            f"{done.unchanged} unchanged, {done.older} newer here"
        )


@qdrant.command()
def verify() -> Report:
    """Compare every memory with its point in Qdrant. Exit code 1 if they differ.

    Examples:
        heimdall qdrant verify  # is everything there?
    """
    from cognitive_memory.qdrant import sync

    with _memory_and_index() as (memory, index):
        return _Verified(sync.verify(memory.storage, index))


@dataclass(frozen=True)
class _Verified(Report):
    difference: Difference

    @property
    def sound(self) -> bool:
        return self.difference.same

    def as_json(self) -> Mapping[str, object]:
        return {"same": self.sound, **output.fields_of(self.difference)}

    def show(self) -> None:
        if self.sound:
            output.line(output.mark("pass"), " Qdrant has what this project has")
            return
        for name, ids in output.fields_of(self.difference).items():
            if ids:
                some = ", ".join(ids[:3]) + (" …" if len(ids) > 3 else "")
                output.line(output.mark("fail"), f" {len(ids)} {name}: {some}")
        output.paragraph(
            "'heimdall qdrant push --take-over' replaces them."
            if self.difference.foreign
            else "'heimdall qdrant push --full' mends that."
        )


@qdrant.command()
@click.option("--every-model", is_flag=True, help="Also the vectors of other embedding models.")
@click.option("--yes", is_flag=True, help="Don't ask.")
def drop(*, every_model: bool, yes: bool) -> Report:
    """Remove this project's points from Qdrant. The memories stay in the project's database.

    Examples:
        heimdall qdrant drop --yes  # without a question
    """
    with _memory_and_index() as (_, index):
        count = index.count()
        if not yes:
            if json_wanted() or not output.on_terminal(sys.stdin):
                raise click.UsageError("Say --yes to remove the points without being asked.")
            click.confirm(
                f"Remove {count} points of this project from {index.settings.place}?", abort=True
            )
        return _Dropped(index.drop(every_model=every_model))


@dataclass(frozen=True)
class _Dropped(Report):
    dropped: Mapping[str, int]

    def show(self) -> None:
        for name, number in self.dropped.items():
            output.line(f"{number} removed from {name}")
        if not self.dropped:
            output.line("nothing of this project was there")


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

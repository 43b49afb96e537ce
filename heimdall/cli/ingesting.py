"""What `heimdall load` and `heimdall git-load` have in common: options, the memory, its vectors, the report."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from heimdall.cli import output
from heimdall.cli.command import options
from heimdall.cli.opening import embed_all
from heimdall.models.report import Report

if TYPE_CHECKING:
    from cognitive_memory.core.reports import SourceReport
    from cognitive_memory.ingest.reports import GitReport, LoadReport
    from cognitive_memory.project.find import Project
    from cognitive_memory.project_memory import ProjectMemory

_NOTES_SHOWN = 20
_NOTE = "note"
_WITHOUT_MODEL = ": the embedding model can't be had now; 'heimdall models pull' fetches it later, or says why not"
common_options = options(
    click.option(
        "--tag",
        "tags",
        multiple=True,
        metavar="TAG",
        help="A tag for every memory; may be repeated.",
    ),
    click.option("--dry-run", is_flag=True, help="Only say what would be done."),
    click.option(
        "--no-embed", is_flag=True, help="Leave the vectors for later; keywords find it at once."
    ),
)


@contextmanager
def memory_of(project: Project, *, dry_run: bool) -> Iterator[ProjectMemory]:
    """The project's memory; for a dry run of a project that has none, one that is thrown away."""
    from cognitive_memory.opening import open_memory, passing_memory

    there = os.path.lexists(project.database)
    with open_memory(project) if there or not dry_run else passing_memory() as memory:
        yield memory


@dataclass(frozen=True)
class Embedding:
    """What became of the vectors; its fields are part of the report's JSON."""

    embedded: int
    pending: int
    embedding_problem: str | None


def embed(memory: ProjectMemory, *, wanted: bool) -> Embedding:
    """Make the missing vectors; if the model can't be had, say so: keywords find the memories meanwhile."""
    from heimdall.models import ModelError

    embedded, problem = 0, None
    if wanted and memory.storage.status().pending:
        try:
            embedded = embed_all(memory)
        except (ModelError, OSError) as error:
            problem = str(error)
    return Embedding(embedded, memory.storage.status().pending, problem)


def show_pending(embedding: Embedding) -> None:
    """Print how many memories have no vector yet, and why."""
    from cognitive_memory.core.recall import waiting

    if embedding.pending:
        why = _WITHOUT_MODEL if embedding.embedding_problem else ""
        output.paragraph(f"{waiting(embedding.pending).rstrip('.')}{why}")


def ingest_report(
    report: LoadReport | GitReport,
    embedding: Embedding,
    document: Mapping[str, object],
    rows: Mapping[str, str | None],
    lines: Iterable[tuple[str, str]] = (),
) -> Report:
    """What both commands tell, around what only one of them does: JSON, rows, and lines first."""
    dry_run = {"dry_run": report.dry_run}
    common = {"memories": report.memories, "redacted": report.redacted, "notes": report.notes}

    def show() -> None:
        for parts in lines:
            output.line(*parts)
        for note in report.notes[:_NOTES_SHOWN]:
            output.fields([(_NOTE, note)])
        if (more := len(report.notes) - _NOTES_SHOWN) > 0:
            output.fields([(_NOTE, f"and {more} more; --json shows all")])
        output.fields({**rows, "memories": _in_words(report.memories)}.items())
        show_pending(embedding)

    return Report({**dry_run, **document, **common, **output.fields_of(embedding)}, show)


def _in_words(counts: SourceReport) -> str:
    parts = [f"{count:,} {name}" for name, count in output.fields_of(counts).items() if count]
    return ", ".join(parts) or "none touched"

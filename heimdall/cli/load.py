"""The command `heimdall load`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from heimdall.cli import output
from heimdall.cli.command import command, json_wanted
from heimdall.cli.ingesting import (
    Embedding,
    common_options,
    embed,
    ingest_report,
    memory_of,
    show_pending,
)
from heimdall.cli.progress import progress
from heimdall.models.report import EXIT_INTERRUPTED, Report

if TYPE_CHECKING:
    from collections import Counter

    from cognitive_memory.ingest.reports import LoadReport
    from cognitive_memory.ingest.walking import Reason

_MEGABYTE = 1_000_000
_KINDS_SHOWN = 8


@command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
@common_options
@click.option(
    "--transcripts",
    is_flag=True,
    help="Instead of files: the conversations about this project that assistants keep on this machine.",
)
@click.option("--force", is_flag=True, help="Load also what has not changed.")
@click.option(
    "--max-size",
    type=click.FloatRange(min=0, min_open=True),
    default=1.0,
    show_default=True,
    metavar="MB",
    help="Leave out larger files.",
)
@click.option(
    "--watch", is_flag=True, help="Go on whenever something changes (needs heimdall-mcp[watch])."
)
def load(
    *,
    paths: tuple[Path, ...],
    tags: tuple[str, ...],
    dry_run: bool,
    no_embed: bool,
    transcripts: bool,
    force: bool,
    max_size: float,
    watch: bool,
) -> Report:
    """Remember what files say: Markdown, text, docstrings and comments.

    Without a PATH, what the working directory has. Folders are walked; what .gitignore or .heimdallignore leave out is left out. A file that changed gets its memories
    replaced, one that is gone loses them, anything else is not read again. Interrupted, the next call goes on.

    Examples:
        heimdall load  # remember what the files here and below say; again: only what changed
        heimdall load docs README.md --dry-run  # what would be loaded of these
        heimdall load docs --watch  # and go on whenever something changes, until Ctrl-C
        heimdall load --transcripts  # what conversations mark to be remembered; again: only what is new
    """
    if transcripts:
        if paths or watch or force or tags:
            raise click.UsageError("--transcripts goes with --dry-run and --no-embed alone.")
        return _load_transcripts(dry_run=dry_run, no_embed=no_embed)
    from cognitive_memory.ingest.folders import LoadOptions, load_paths
    from cognitive_memory.project.find import find_project

    if watch and (json_wanted() or dry_run):
        raise click.UsageError("--watch goes on for ever: use it without --json and --dry-run")
    paths = paths or (Path(),)
    project = find_project()
    how = LoadOptions(
        tags=tags,
        max_size=int(max_size * _MEGABYTE),
        dry_run=dry_run,
        force=force,
        selection=project.config.ingest,
    )

    def once() -> Report:
        with progress("loading files") as tell:
            report = load_paths(memory, paths, project.root, how, tell)
        return _files_loaded(report, embed(memory, wanted=not (no_embed or dry_run)))

    with memory_of(project, dry_run=dry_run) as memory:
        if watch:
            _watch(paths, once)
        return once()


def _load_transcripts(*, dry_run: bool, no_embed: bool) -> Report:
    """Keep what the conversations on this machine mark; a project that has no memory gets none by looking."""
    from cognitive_memory.opening import existing_memory
    from cognitive_memory.project.find import find_project
    from heimdall.hooks.transcripts import load_transcripts

    project = find_project()
    with progress("reading transcripts") as tell:
        report = load_transcripts(project, dry_run=dry_run, progress=tell)
    embedding = Embedding(0, 0, None)
    with existing_memory(project) or nullcontext() as memory:
        if memory is not None:
            embedding = embed(memory, wanted=not (no_embed or dry_run))

    def show() -> None:
        clients = ", ".join(f"{count} {client}" for client, count in report.clients.items())
        kept = None if dry_run else f"{len(report.memories)} new or changed"
        output.fields({"transcripts": clients or "none here", "memories": kept}.items())
        if report.memories:
            output.line("'heimdall recent' shows them, 'heimdall undo' takes all of them back")
        show_pending(embedding)

    return Report({**output.fields_of(report), **output.fields_of(embedding)}, show)


def _watch(paths: tuple[Path, ...], load_again: Callable[[], Report]) -> NoReturn:
    from cognitive_memory.ingest.watching import changes

    try:
        for changed in changes(paths):
            load_again().show()
            if not changed:
                output.line(output.faint("watching; Ctrl-C ends"))
    except KeyboardInterrupt:
        output.line("stopped watching")
    click.get_current_context().exit(EXIT_INTERRUPTED)


def _files_loaded(files: LoadReport, embedding: Embedding) -> Report:
    skipped = dict(sorted(files.skipped.items()))
    document = {
        "loaded": files.loaded,
        "unchanged": len(files.unchanged),
        "removed": files.removed,
        "skipped": skipped,
        "unsupported": dict(files.unsupported.most_common()),
        "left_out": files.left_out,
        "redacted_examples": files.examples,
    }

    def left_out(reason: Reason) -> str:
        names = files.left_out.get(reason, ())
        kinds = _kinds(files.unsupported) if reason == "unsupported" else _some(names)
        return f"{skipped[reason]} {reason}{kinds}"

    would = "would be " if files.dry_run else ""
    sources = files.loaded if files.dry_run else ()
    lines = [(output.faint("would load  "), source) for source in sources]
    forgotten = output.warning(f"{would or 'was '}forgotten  ")
    lines += [(forgotten, source) for source in files.removed]
    loaded = f"{len(files.loaded):,} {would}loaded, {len(files.unchanged):,} unchanged"
    rows = {
        "files": f"{loaded}, {len(files.removed)} gone",
        "left out": ", ".join(left_out(reason) for reason in skipped) or None,
        "secrets": _secrets(files),
    }
    return ingest_report(files, embedding, document, rows, lines)


def _secrets(files: LoadReport) -> str | None:
    """How many were left out; apart, those in documentation and tests, which are mostly examples."""
    parts = [f"{files.redacted} left out"] if files.redacted else []
    if files.examples:
        named = sorted(files.examples, key=lambda source: -files.examples[source])
        told = _some([f"{source} {files.examples[source]}" for source in named])
        parts.append(f"{sum(files.examples.values())} in documentation and tests{told}")
    return ", ".join(parts) or None


def _kinds(unsupported: Counter[str]) -> str:
    """The kinds that most files were left out for, so that what is missed is seen."""
    return _some([f"{kind} {count}" for kind, count in unsupported.most_common()])


def _some(names: Sequence[str]) -> str:
    more = ", …" if len(names) > _KINDS_SHOWN else ""
    return f" ({', '.join(names[:_KINDS_SHOWN])}{more})" if names else ""

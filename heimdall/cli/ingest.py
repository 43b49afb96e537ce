"""The commands `heimdall load` and `heimdall git-load`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from heimdall.cli import output
from heimdall.cli.command import command, json_wanted, options
from heimdall.cli.opening import embed_all
from heimdall.cli.progress import progress
from heimdall.models.report import EXIT_INTERRUPTED, Report

if TYPE_CHECKING:
    from collections import Counter

    from cognitive_memory.core.reports import SourceReport
    from cognitive_memory.ingest.reports import GitReport, LoadReport
    from cognitive_memory.ingest.walking import Reason
    from cognitive_memory.project.find import Project
    from cognitive_memory.project_memory import ProjectMemory

_MEGABYTE = 1_000_000
_NOTES_SHOWN = 20
_KINDS_SHOWN = 8
_NOTE = "note"
_common_options = options(
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


@command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
@_common_options
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
        return _files_loaded(report, _embed(memory, wanted=not (no_embed or dry_run)))

    with _memory(project, dry_run=dry_run) as memory:
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
    embedding = _Embedding(0, 0, None)
    with existing_memory(project) or nullcontext() as memory:
        if memory is not None:
            embedding = _embed(memory, wanted=not (no_embed or dry_run))

    def show() -> None:
        clients = ", ".join(f"{count} {client}" for client, count in report.clients.items())
        kept = None if dry_run else f"{len(report.memories)} new or changed"
        output.fields({"transcripts": clients or "none here", "memories": kept}.items())
        if report.memories:
            output.line("'heimdall recent' shows them, 'heimdall undo' takes all of them back")
        if embedding.embedding_problem:
            output.line(_NOTE, embedding.embedding_problem)

    return Report({**output.fields_of(report), **output.fields_of(embedding)}, show)


@command("git-load")
@click.argument("repository", required=False, type=click.Path(path_type=Path), metavar="[REPO]")
@click.option("--branch", help="A branch, tag or commit; default: what is checked out.")
@click.option("--since", metavar="DATE", help="Nothing older: 2025-12-31, or '3 months ago'.")
@click.option(
    "--max-commits", type=click.IntRange(min=1), metavar="N", help="The newest N at most."
)
@_common_options
def git_load(
    *,
    repository: Path | None,
    branch: str | None,
    since: str | None,
    max_commits: int | None,
    tags: tuple[str, ...],
    dry_run: bool,
    no_embed: bool,
) -> Report:
    """Remember the commits of a git repository (default: the project's).

    Each commit becomes a memory: message, author, date and changed files. Merges that say nothing are left out, and so are
    secrets. After a rebase, commits that no branch or tag reaches any more are forgotten.

    Examples:
        heimdall git-load  # remember this repository's commits; again: only new ones
        heimdall git-load --since '6 months ago'  # only the recent ones
        heimdall git-load ../library --branch v2  # another repository's branch
    """
    from cognitive_memory.ingest.git_history import GitOptions, load_history
    from cognitive_memory.project.find import find_project

    how = GitOptions(
        branch=branch, since=since, max_commits=max_commits, tags=tags, dry_run=dry_run
    )
    project = find_project()
    with _memory(project, dry_run=dry_run) as memory:
        with progress("loading commits") as tell:
            report = load_history(memory, repository or project.root, project.root, how, tell)
        return _commits_loaded(report, _embed(memory, wanted=not (no_embed or dry_run)))


@contextmanager
def _memory(project: Project, *, dry_run: bool) -> Iterator[ProjectMemory]:
    """The project's memory; for a dry run of a project that has none, one that is thrown away."""
    from cognitive_memory.opening import open_memory, passing_memory

    there = os.path.lexists(project.database)
    with open_memory(project) if there or not dry_run else passing_memory() as memory:
        yield memory


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


@dataclass(frozen=True)
class _Embedding:
    """What became of the vectors; its fields are part of the report's JSON."""

    embedded: int
    pending: int
    embedding_problem: str | None


def _embed(memory: ProjectMemory, *, wanted: bool) -> _Embedding:
    """Make the missing vectors; if the model can't be had, say so: keywords find the memories meanwhile."""
    from heimdall.models import ModelError

    embedded, problem = 0, None
    if wanted and memory.storage.status().pending:
        try:
            embedded = embed_all(memory)
        except (ModelError, OSError) as error:
            problem = str(error)
    return _Embedding(embedded, memory.storage.status().pending, problem)


def _files_loaded(files: LoadReport, embedding: _Embedding) -> Report:
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
    loaded = f"{len(files.loaded)} {would}loaded, {len(files.unchanged)} unchanged"
    rows = {
        "files": f"{loaded}, {len(files.removed)} gone",
        "left out": ", ".join(left_out(reason) for reason in skipped) or None,
        "secrets": _secrets(files),
    }
    return _report(files, embedding, document, rows, lines)


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


def _commits_loaded(history: GitReport, embedding: _Embedding) -> Report:
    document = {
        "source": history.repository,
        "branch": history.branch,
        "tip": history.tip,
        "commits": history.commits,
        "known": history.known,
        "merges_left_out": history.merges,
        "forgotten": history.forgotten,
    }
    would = "would be " if history.dry_run else ""
    loaded = f"{history.commits} {would}loaded, {history.known} known"
    rows = {
        "commits": f"{loaded}, {history.forgotten} forgotten",
        "left out": f"{history.merges} merges that say nothing" if history.merges else None,
        "secrets": f"{history.redacted} left out" if history.redacted else None,
    }
    return _report(history, embedding, document, rows)


def _report(
    report: LoadReport | GitReport,
    embedding: _Embedding,
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
        if embedding.embedding_problem:
            output.fields([(_NOTE, embedding.embedding_problem)])
        if pending := embedding.pending:
            output.paragraph(
                f"{pending} memories have no vector yet; keywords find them, meaning does later"
            )

    return Report({**dry_run, **document, **common, **output.fields_of(embedding)}, show)


def _in_words(counts: SourceReport) -> str:
    parts = [f"{count} {name}" for name, count in output.fields_of(counts).items() if count]
    return ", ".join(parts) or "none touched"

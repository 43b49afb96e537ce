"""The commands `heimdall load` and `heimdall git-load`."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from heimdall.cli import output
from heimdall.cli.command import command, json_option

if TYPE_CHECKING:
    from cognitive_memory.ingest.reports import GitReport, LoadReport, MemoryCounts
    from cognitive_memory.project import Project
    from cognitive_memory.project_memory import ProjectMemory

_Function = TypeVar("_Function", bound=Callable[..., Any])
_MEGABYTE = 1_000_000
_NOTES_SHOWN = 20


def _common_options(function: _Function) -> _Function:
    for option in (
        click.option(
            "--no-embed",
            is_flag=True,
            help="Leave the vectors for later; keywords find it at once.",
        ),
        click.option("--dry-run", is_flag=True, help="Only say what would be done."),
        click.option(
            "--tag",
            "tags",
            multiple=True,
            metavar="TAG",
            help="A tag for every memory; may be repeated.",
        ),
    ):
        function = option(function)
    return function


@command(
    examples=[
        ("heimdall load docs README.md", "remember what they say; again: only what changed"),
        ("heimdall load . --dry-run", "what would be loaded of the whole project"),
        ("heimdall load docs --watch", "and go on whenever something changes, until Ctrl-C"),
    ]
)
@click.argument(
    "paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH..."
)
@_common_options
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
@json_option
def load(
    *,
    paths: tuple[Path, ...],
    tags: tuple[str, ...],
    dry_run: bool,
    no_embed: bool,
    force: bool,
    max_size: float,
    watch: bool,
    machine: bool,
) -> int:
    """Remember what files say: Markdown, text, docstrings and comments.

    Folders are walked; what .gitignore or .heimdallignore leave out is left out. A file that changed gets its memories
    replaced, one that is gone loses them, anything else is not read again. Interrupted, the next call goes on.
    """
    from cognitive_memory.ingest.folders import LoadOptions, load_paths
    from cognitive_memory.project import find_project

    if watch and (machine or dry_run):
        raise click.UsageError("--watch goes on for ever: use it without --json and --dry-run")
    project = find_project()
    options = LoadOptions(
        tags=tags,
        max_size=int(max_size * _MEGABYTE),
        dry_run=dry_run,
        force=force,
        selection=project.config.ingest,
    )

    def once(memory: ProjectMemory) -> None:
        with _progress("loading files") as progress:
            report = load_paths(memory, paths, project.root, options, progress)
        embedding = _embed(memory, wanted=not (no_embed or dry_run))
        if machine:
            output.as_json({**_load_document(report), **embedding})
        else:
            _show_load(report)
            _show_embedding(embedding)

    with _memory(project, dry_run=dry_run) as memory:
        if not watch:
            once(memory)
            return 0
        return _watch(paths, lambda: once(memory))


@command(
    "git-load",
    examples=[
        ("heimdall git-load", "remember this repository's commits; again: only new ones"),
        ("heimdall git-load --since '6 months ago'", "only the recent ones"),
        ("heimdall git-load ../library --branch v2", "another repository's branch"),
    ],
)
@click.argument("repository", required=False, type=click.Path(path_type=Path), metavar="[REPO]")
@click.option("--branch", help="A branch, tag or commit; default: what is checked out.")
@click.option("--since", metavar="DATE", help="Nothing older: 2025-12-31, or '3 months ago'.")
@click.option(
    "--max-commits", type=click.IntRange(min=1), metavar="N", help="The newest N at most."
)
@_common_options
@json_option
def git_load(
    *,
    repository: Path | None,
    branch: str | None,
    since: str | None,
    max_commits: int | None,
    tags: tuple[str, ...],
    dry_run: bool,
    no_embed: bool,
    machine: bool,
) -> None:
    """Remember the commits of a git repository (default: the project's).

    Each commit becomes a memory: message, author, date and changed files. Merges that say nothing are left out, and so are
    secrets. After a rebase, commits that no branch or tag reaches any more are forgotten.
    """
    from cognitive_memory.ingest.git_history import GitOptions, load_history
    from cognitive_memory.project import find_project

    options = GitOptions(
        branch=branch, since=since, max_commits=max_commits, tags=tags, dry_run=dry_run
    )
    project = find_project()
    with _memory(project, dry_run=dry_run) as memory:
        with _progress("loading commits") as progress:
            report = load_history(
                memory, repository or project.root, project.root, options, progress
            )
        embedding = _embed(memory, wanted=not (no_embed or dry_run))
    if machine:
        output.as_json({**_git_document(report), **embedding})
    else:
        _show_git(report)
        _show_embedding(embedding)


@contextmanager
def _memory(project: Project, *, dry_run: bool) -> Iterator[ProjectMemory]:
    """The project's memory; for a dry run of a project that has none, one that is thrown away."""
    from cognitive_memory.opening import open_memory
    from cognitive_memory.project_memory import ProjectMemory

    if project.database.exists() or not dry_run:
        with open_memory(project) as memory:
            yield memory
    else:
        with (
            tempfile.TemporaryDirectory() as folder,
            ProjectMemory.open(Path(folder) / project.database.name) as memory,
        ):
            yield memory


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int], None]]:
    from heimdall.cli.progress import progress

    with progress(what) as report:
        yield report


def _embed(memory: ProjectMemory, *, wanted: bool) -> dict[str, object]:
    """Make the missing vectors; if the model can't be had, say so: keywords find the memories meanwhile."""
    from heimdall.cli.memory import embed_all
    from heimdall.models import ModelError

    embedded, problem = 0, None
    if wanted and memory.status().pending:
        try:
            embedded = embed_all(memory)
        except (ModelError, OSError) as error:
            problem = str(error)
    return {"embedded": embedded, "pending": memory.status().pending, "embedding_problem": problem}


def _watch(paths: tuple[Path, ...], load_again: Callable[[], None]) -> int:
    from cognitive_memory.ingest.watching import changes

    try:
        for changed in changes(paths):
            load_again()
            if not changed:
                output.line(output.faint("watching; Ctrl-C ends"))
    except KeyboardInterrupt:
        output.line("stopped watching")
    return 130


def _counts(counts: MemoryCounts) -> dict[str, int]:
    return {
        "added": counts.added,
        "unchanged": counts.unchanged,
        "updated": counts.updated,
        "removed": counts.removed,
    }


def _load_document(report: LoadReport) -> dict[str, object]:
    return {
        "dry_run": report.dry_run,
        "loaded": report.loaded,
        "unchanged": len(report.unchanged),
        "removed": report.removed,
        "skipped": {str(reason): count for reason, count in sorted(report.skipped.items())},
        "memories": _counts(report.memories),
        "redacted": report.redacted,
        "notes": report.notes,
    }


def _git_document(report: GitReport) -> dict[str, object]:
    return {
        "dry_run": report.dry_run,
        "source": report.repository,
        "branch": report.branch,
        "tip": report.tip,
        "commits": report.commits,
        "known": report.known,
        "merges_left_out": report.merges,
        "forgotten": report.forgotten,
        "memories": _counts(report.memories),
        "redacted": report.redacted,
        "notes": report.notes,
    }


def _show_load(report: LoadReport) -> None:
    would = "would be " if report.dry_run else ""
    for source in report.loaded if report.dry_run else ():
        output.line(output.faint("would load  "), source)
    for source in report.removed:
        output.line(output.warning(f"{would or 'was '}forgotten  "), source)
    _show_notes(report.notes)
    skipped = ", ".join(f"{count} {reason}" for reason, count in sorted(report.skipped.items()))
    output.fields(
        (
            (
                "files",
                f"{len(report.loaded)} {would}loaded, {len(report.unchanged)} unchanged, {len(report.removed)} gone",
            ),
            *((("left out", skipped),) if skipped else ()),
            ("memories", _in_words(report.memories)),
        )
    )


def _show_git(report: GitReport) -> None:
    would = "would be " if report.dry_run else ""
    _show_notes(report.notes)
    output.fields(
        (
            (
                "commits",
                f"{report.commits} {would}loaded, {report.known} known, {report.forgotten} forgotten",
            ),
            *((("left out", f"{report.merges} merges that say nothing"),) if report.merges else ()),
            *((("secrets", f"{report.redacted} left out"),) if report.redacted else ()),
            ("memories", _in_words(report.memories)),
        )
    )


def _show_notes(notes: list[str]) -> None:
    for note in notes[:_NOTES_SHOWN]:
        output.line(output.warning("note  "), note)
    if len(notes) > _NOTES_SHOWN:
        output.line(
            output.warning("note  "), f"and {len(notes) - _NOTES_SHOWN} more; --json shows all"
        )


def _show_embedding(embedding: dict[str, object]) -> None:
    if embedding["embedding_problem"]:
        output.line(output.warning("note  "), str(embedding["embedding_problem"]))
    if embedding["pending"]:
        output.line(
            f"{embedding['pending']} memories have no vector yet; keywords find them, meaning does later"
        )


def _in_words(counts: MemoryCounts) -> str:
    found = ", ".join(f"{count} {name}" for name, count in _counts(counts).items() if count)
    return found or "none touched"

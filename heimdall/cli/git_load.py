"""The command `heimdall git-load`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from heimdall.cli.command import command
from heimdall.cli.ingesting import Embedding, common_options, embed, ingest_report, memory_of
from heimdall.cli.progress import progress
from heimdall.models.report import Report

if TYPE_CHECKING:
    from cognitive_memory.ingest.reports import GitReport


@command("git-load")
@click.argument("repository", required=False, type=click.Path(path_type=Path), metavar="[REPO]")
@click.option("--branch", help="A branch, tag or commit; default: what is checked out.")
@click.option("--since", metavar="DATE", help="Nothing older: 2025-12-31, or '3 months ago'.")
@click.option(
    "--max-commits", type=click.IntRange(min=1), metavar="N", help="The newest N at most."
)
@common_options
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
    with memory_of(project, dry_run=dry_run) as memory:
        with progress("loading commits") as tell:
            report = load_history(memory, repository or project.root, project.root, how, tell)
        return _commits_loaded(report, embed(memory, wanted=not (no_embed or dry_run)))


def _commits_loaded(history: GitReport, embedding: Embedding) -> Report:
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
    loaded = f"{history.commits:,} {would}loaded, {history.known:,} known"
    rows = {
        "commits": f"{loaded}, {history.forgotten} forgotten",
        "left out": f"{history.merges} merges that say nothing" if history.merges else None,
        "secrets": f"{history.redacted} left out" if history.redacted else None,
    }
    return ingest_report(history, embedding, document, rows)

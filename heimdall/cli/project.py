"""The commands `heimdall project …`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from heimdall.cli import output
from heimdall.cli.adopt import adopt
from heimdall.cli.command import group
from heimdall.cli.project_list import list_
from heimdall.cli.trust import trust
from heimdall.models.report import Report
from heimdall.models.text import megabytes, printable

if TYPE_CHECKING:
    from cognitive_memory.project.find import Project


@group()
def project() -> None:
    """Set up, list and clean the projects that have a memory.

    A project is the nearest directory upwards with a folder .heimdall, up to the nearest repository's; else that
    repository; else the working directory. HEIMDALL_PROJECT names another one.

    Examples:
        heimdall project init  # give this repository a memory
        heimdall project list  # which projects this machine knows
    """


@project.command()
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only say what would be made.")
def init(*, path: Path | None, dry_run: bool) -> Report:
    """Make a project's settings and its empty memory.

    Whatever is there already is left alone, so this can be repeated. Settings and memories are in the folder .heimdall of
    PATH (default: the project around the working directory); the settings may be committed, the memories are kept out
    of git.

    Examples:
        heimdall project init  # in the repository around the working directory
        heimdall project init ../notes --dry-run  # only say what would be made
    """
    from cognitive_memory.opening import open_memory
    from cognitive_memory.project.find import check_place
    from cognitive_memory.project.init import init_project
    from cognitive_memory.storage.schema import peek

    chosen = _project(path)
    check_place(chosen.root)
    stored = peek(chosen.database)
    files = (chosen.folder / ".gitignore", chosen.config_path, chosen.database)
    missing = [file for file in files if not file.exists()]
    identity = chosen.config.project_id
    if not dry_run:
        chosen = init_project(chosen.root, project_id=stored.project_id if stored else None)
        with open_memory(chosen) as memory:
            identity = memory.project_id
    known = {
        "root": chosen.root,
        "project_id": identity,
        "config": chosen.config_path,
        "database": chosen.database,
        "dry_run": dry_run,
        "made": missing,
    }

    def show() -> None:
        if not missing:
            there = f"{chosen.root} has a memory already: project {identity}"
            output.paragraph(printable(there))
            return
        verb = output.faint("would make  ") if dry_run else output.good("made  ")
        for file in missing:
            output.line(verb, str(file))
        if not dry_run:
            output.paragraph(
                f"{chosen.root} is the project {identity}; "
                "'heimdall store' puts something into its memory"
            )

    return Report(known, show)


project.add_command(list_)


@project.command()
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option(
    "--gone", is_flag=True, help="Remove nothing, but forget the projects whose directory is gone."
)
@click.option("--yes", is_flag=True, help="Don't ask.")
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
def clean(*, path: Path | None, gone: bool, yes: bool, dry_run: bool) -> Report:
    """Remove what a project remembers, for good.

    PATH is its directory (default: the project around the working directory). Its settings stay. On a terminal you are
    asked first; elsewhere --yes is needed.

    Examples:
        heimdall project clean --dry-run  # what would be removed here
        heimdall project clean ../old --yes  # remove what that project remembers, unasked
        heimdall project clean --gone  # forget projects whose directory is gone
    """
    if not gone:
        return _clean(_project(path), yes=yes, dry_run=dry_run)
    if path is not None:
        raise click.UsageError("--gone is about all projects; it takes no PATH.")
    return _forget_gone(dry_run=dry_run)


project.add_command(trust)


def _clean(project: Project, *, yes: bool, dry_run: bool) -> Report:
    from cognitive_memory.project.registry import remove, stored_files
    from cognitive_memory.storage.errors import StorageError
    from cognitive_memory.storage.schema import peek

    files = stored_files(project)
    size = sum(file.stat().st_size for file in files)
    memories = None
    try:
        stored = peek(project.database)
        memories = stored.memories if stored else None
        what = f"{memories or 0:,} memories"
    except StorageError as error:  # a damaged one is one more reason to be rid of it
        what = f"a database that can't be read ({error.problem})"
    wanted = removed = bool(files) and not dry_run
    if wanted and not yes:
        removed = output.agreed(f"Remove {what} of {project.root} for good?")
    if removed:
        remove(project)
    known = {
        "root": project.root,
        "memories": memories,
        "size": size,
        "files": files,
        "removed": removed,
        "dry_run": dry_run,
    }

    def show() -> None:
        all_of_it = f"{what}, {megabytes(size)}"
        if not files:
            output.line(f"{project.root} remembers nothing")
        elif removed:
            output.line(output.good("removed "), f"{all_of_it}, of {project.root}")
        else:
            verb = "would remove" if dry_run else "nothing was removed of"
            output.line(f"{verb} {all_of_it}:")
            for file in files:
                output.line("  ", str(file))

    return Report(known, show, sound=removed or not wanted)


def _forget_gone(*, dry_run: bool) -> Report:
    from cognitive_memory.project.registry import forget, known_projects

    gone = [known.project for known in known_projects() if known.gone]
    if not dry_run:
        for project in gone:
            forget(project)

    def show() -> None:
        for project in gone:
            verb = output.faint("would forget  ") if dry_run else "forgotten  "
            output.line(verb, str(project.root))
        if not gone:
            output.line("no project's directory is gone")

    return Report({"forgotten": [project.root for project in gone], "dry_run": dry_run}, show)


project.add_command(adopt)


def _project(path: Path | None) -> Project:
    from cognitive_memory.project.find import Project, find_project
    from cognitive_memory.project.real_path import expanded, spelled

    if path is None:
        return find_project()
    project = Project(spelled(expanded(path)))
    project.check()
    return project

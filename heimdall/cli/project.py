"""The commands `heimdall project …`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from heimdall.cli import output
from heimdall.cli.command import group, json_option

if TYPE_CHECKING:
    from cognitive_memory.project import Project
    from cognitive_memory.project.registry import KnownProject


@group(
    examples=[
        ("heimdall project init", "give this repository a memory"),
        ("heimdall project list", "which projects this machine knows"),
    ]
)
def project() -> None:
    """Set up, list and clean the projects that have a memory.

    A project is the nearest directory upwards with a folder .heimdall, else the nearest with .git, else the working
    directory; HEIMDALL_PROJECT names another one.
    """


@project.command(
    examples=[
        ("heimdall project init", "in the repository around the working directory"),
        ("heimdall project init ~/notes --dry-run", "only say what would be made"),
    ]
)
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only say what would be made.")
@json_option
def init(*, path: Path | None, dry_run: bool, machine: bool) -> None:
    """Make a project's settings and its empty memory.

    Whatever is there already is left alone, so this can be repeated. Settings and memories are in the folder .heimdall of
    PATH (default: the project around the working directory); the settings may be committed, the memories are kept out
    of git.
    """
    from cognitive_memory.opening import open_memory
    from cognitive_memory.project import Project, find_project, init_project
    from cognitive_memory.storage.peek import peek

    found = find_project() if path is None else Project(path.expanduser().absolute())
    stored = peek(found.database)
    files = (found.folder / ".gitignore", found.config_path, found.database)
    missing = [file for file in files if not file.exists()]
    identity = found.config.project_id
    if not dry_run:
        found = init_project(found.root, project_id=stored.project_id if stored else None)
        with open_memory(found) as memory:
            identity = memory.project_id
    if machine:
        report: dict[str, object] = {
            "root": str(found.root),
            "project_id": identity,
            "config": str(found.config_path),
            "database": str(found.database),
            "dry_run": dry_run,
            "made": [str(file) for file in missing],
        }
        output.as_json(report)
        return
    if not missing:
        output.line(f"{found.root} has a memory already: project {identity}")
        return
    for file in missing:
        output.line(output.faint("would make  ") if dry_run else output.good("made  "), str(file))
    if not dry_run:
        output.line(
            f"{found.root} is the project {identity}; 'heimdall store' puts something into its memory"
        )


@project.command(
    "list",
    examples=[
        ("heimdall project list", "which projects this machine knows, and how much each remembers"),
        ("heimdall project list --json", "the same for a script"),
    ],
)
@json_option
def list_(*, machine: bool) -> None:
    """List the projects that this machine knows.

    A project is known once its memory was used here. Nothing in the projects is changed.
    """
    from cognitive_memory.project import find_project
    from cognitive_memory.project.registry import known_projects

    here = find_project().root
    rows = [
        {**_described(known), "current": known.project.root == here} for known in known_projects()
    ]
    if machine:
        output.as_json({"projects": rows})
        return
    if not rows:
        output.line("no projects yet; 'heimdall project init' makes one")
        return
    shown = []
    for row in rows:
        state = str(row["problem"] or row["state"])
        memories, size = row["memories"], row["size"]
        shown.append(
            (
                output.strong("*") if row["current"] else "",
                row["root"],
                None if memories is None else f"{memories:,}",
                None if size is None else _megabytes(size),
                str(row["used"])[:10],
                (output.good if row["state"] == "ok" else output.warning)(state),
            )
        )
    columns: list[output.Column | str] = [
        "",
        "project",
        output.Column("memories", right=True, whole=True),
        output.Column("size", right=True, whole=True),
        output.Column("used", whole=True),
        "state",
    ]
    output.table(columns, shown)
    if any(row["state"] == "gone" for row in rows):
        output.line(
            output.faint("'heimdall project clean --gone' forgets those whose directory is gone")
        )


@project.command(
    examples=[
        ("heimdall project clean --dry-run", "what would be removed here"),
        ("heimdall project clean ~/old --yes", "remove what that project remembers, unasked"),
        ("heimdall project clean --gone", "forget projects whose directory is gone"),
    ]
)
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option(
    "--gone", is_flag=True, help="Remove nothing, but forget the projects whose directory is gone."
)
@click.option("--yes", is_flag=True, help="Don't ask.")
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@json_option
def clean(*, path: Path | None, gone: bool, yes: bool, dry_run: bool, machine: bool) -> None:
    """Remove what a project remembers, for good.

    PATH is its directory (default: the project around the working directory). Its settings stay. On a terminal you are
    asked first; elsewhere --yes is needed.
    """
    from cognitive_memory.project import Project, find_project

    if gone:
        if path is not None:
            raise click.UsageError("--gone is about all projects; it takes no PATH.")
        _forget_gone(dry_run=dry_run, machine=machine)
    else:
        found = find_project() if path is None else Project(path.expanduser().absolute())
        _clean(found, yes=yes, dry_run=dry_run, machine=machine)


def _clean(project: Project, *, yes: bool, dry_run: bool, machine: bool) -> None:
    from cognitive_memory.project.contents import remove, stored_files
    from cognitive_memory.storage.errors import StorageError
    from cognitive_memory.storage.peek import peek

    files = stored_files(project)
    size = sum(file.stat().st_size for file in files)
    try:
        found = peek(project.database)
        what = f"{found.memories if found else 0:,} memories"
    except StorageError as error:  # a damaged one is one more reason to be rid of it
        found = None
        what = f"a database that can't be read ({error.problem})"
    removed = (
        bool(files)
        and not dry_run
        and (yes or _agreed(f"Remove {what} of {project.root} for good?"))
    )
    if removed:
        remove(project)
    if machine:
        report = {
            "root": str(project.root),
            "memories": found.memories if found else None,
            "size": size,
            "files": [str(file) for file in files],
            "removed": removed,
            "dry_run": dry_run,
        }
        output.as_json(report)
    elif not files:
        output.line(f"{project.root} remembers nothing")
    elif removed:
        output.line(output.good("removed "), f"{what}, {_megabytes(size)}, of {project.root}")
    else:
        verb = "would remove" if dry_run else "nothing was removed of"
        output.line(f"{verb} {what}, {_megabytes(size)}:")
        for file in files:
            output.line("  ", str(file))


def _forget_gone(*, dry_run: bool, machine: bool) -> None:
    from cognitive_memory.project.registry import forget, known_projects

    gone = [known.project for known in known_projects() if known.gone]
    if not dry_run:
        for project in gone:
            forget(project)
    if machine:
        output.as_json({"forgotten": [str(project.root) for project in gone], "dry_run": dry_run})
        return
    for project in gone:
        output.line(output.faint("would forget  ") if dry_run else "forgotten  ", str(project.root))
    if not gone:
        output.line("no project's directory is gone")


def _described(known: KnownProject) -> dict[str, object]:
    from cognitive_memory.storage.errors import StorageError
    from cognitive_memory.storage.peek import peek

    row: dict[str, object] = {
        "root": str(known.project.root),
        "project_id": None,
        "memories": None,
        "size": None,
        "used": known.used.isoformat(timespec="seconds"),
        "state": "ok",
        "problem": None,
    }
    if known.gone:
        return {**row, "state": "gone"}
    try:
        found = peek(known.project.database)
    except StorageError as error:
        return {**row, "state": "unreadable", "problem": error.problem}
    if found is None:
        return {**row, "state": "empty"}
    return {**row, "project_id": found.project_id, "memories": found.memories, "size": found.size}


def _agreed(question: str) -> bool:
    if not sys.stdin.isatty():
        raise click.UsageError("There is no terminal to ask on; --yes goes on without asking.")
    return click.confirm(question, err=True)


def _megabytes(size: object) -> str:
    from heimdall.models.text import megabytes

    assert isinstance(size, int)  # noqa: S101 (of a row above)
    return megabytes(size)

"""The command `heimdall project adopt`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from heimdall.cli import output
from heimdall.cli.command import command
from heimdall.cli.memory_options import own_option
from heimdall.models.report import Report

if TYPE_CHECKING:
    from cognitive_memory.storage.adoption import Adopted, Rescued


@command()
@click.argument("path", required=False, type=click.Path(path_type=Path))
@own_option
def adopt(*, path: Path | None, own: bool) -> Report:
    """Take over the memories of a database that came with a project.

    heimdall opens only databases that it made for you. This reads another one, trusting nothing in
    it, and copies its memories into a new one; what was there is kept beside it. Look where it
    comes from first: the memories are what somebody else wrote, and get the origin 'adopted'; --own
    keeps the origins of a database that was yours all the time. PATH is the project's directory
    (default: the project around the working directory) or a database.

    Examples:
        heimdall project adopt  # the database in this project is to be yours
        heimdall project adopt ../repository  # that of another project
        heimdall project adopt --own  # it was yours, but heimdall's data directory is a new one
    """
    from cognitive_memory.storage import adoption

    database, project_id = _chosen(path)
    adopted = adoption.adopt(database, project_id=project_id, own=own)
    rescued = adopted.rescued
    document = {
        "database": database,
        "found": adopted.found,
        "adopted": rescued is not None or adopted.noted,
        **(output.fields_of(rescued) if rescued else {}),
        "kept": adopted.kept,
    }
    # Not sound where there is no database, or not all of it came over.
    sound = adopted.found and not (rescued and rescued.left_out)
    return Report(document, partial(_show, database, adopted), sound=sound)


def _chosen(path: Path | None) -> tuple[Path, str | None]:
    """The database, and the id of its project if that has one."""
    from cognitive_memory.project.find import DATABASE_NAME, FOLDER, Project, find_project
    from cognitive_memory.project.real_path import expanded, spelled

    if path is None:
        project = find_project()
    else:
        path = spelled(expanded(path))
        inside = (path.parent.name, path.name) == (FOLDER, DATABASE_NAME)
        if path.is_file() and not inside:
            return path, None
        project = Project(path.parent.parent if inside else path)
        project.check()
    return project.database, project.config.project_id


def _show(database: Path, adopted: Adopted) -> None:
    if not adopted.found:
        output.line(f"{database} does not exist: there is nothing to adopt")
    elif adopted.noted:
        output.line(output.good("adopted  "), f"{database}, as it is: it is sound")
    elif adopted.rescued is None:
        output.line(f"{database} is yours already")
    else:
        _show_rescued(database, adopted.rescued)
    for file in adopted.kept:
        output.line("kept aside  ", str(file))


def _show_rescued(database: Path, rescued: Rescued) -> None:
    output.line(output.good("adopted  "), f"{rescued.memories:,} memories in {database}")
    if rescued.left_out:
        told = f"{rescued.left_out:,} rows that are no memories, for example:"
        output.line(output.warning("left out  "), told)
        for reason in rescued.reasons:
            output.line("  ", reason)
    if rescued.foreign:
        output.line("not taken  ", ", ".join(rescued.foreign))

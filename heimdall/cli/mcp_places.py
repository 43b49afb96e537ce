"""What the commands `heimdall mcp …` have in common: whose configuration is meant, and the line that tells of it."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from heimdall.cli import output
from heimdall.cli.output import Grade

if TYPE_CHECKING:
    from heimdall.mcp_clients.places import Place

_project = partial(
    click.option, "--project", type=click.Path(exists=True, file_okay=False, path_type=Path)
)
project_option = _project(
    help="The project: with --scope user, the only one that the assistant gets; default: each assistant says which."
)
shown_project_option = _project(
    help="The project whose files are looked at beside yours; default: the one around the working directory."
)


def _name(ctx: click.Context, param: click.Parameter, value: str) -> str:  # noqa: ARG001 (click's)
    if not re.fullmatch(r"[A-Za-z0-9_-]+", value):
        raise click.BadParameter(f"{value!r}: assistants take letters, digits, '-' and '_' alone")
    return value


name_option = click.option(
    "--name",
    default="heimdall",
    show_default=True,
    callback=_name,
    help="The server's name in the configuration.",
)


def project_root(project: Path | None) -> Path:
    """The root of the project that is named, or around the working directory; without one that directory."""
    from cognitive_memory.project.errors import NoProjectError
    from cognitive_memory.project.find import find_project

    try:
        return find_project(project, named=project is not None).root
    except NoProjectError as error:  # an assistant may be set up for all projects from anywhere
        return error.path


def place_of(client: str, scope: str, project: Path | None, name: str) -> Place:
    """The configuration of a client that was named on the command line."""
    from heimdall.mcp_clients.clients import client_named
    from heimdall.mcp_clients.places import Place

    return Place(client=client_named(client), scope=scope, root=project_root(project), name=name)


def as_document(place: Place) -> dict[str, object]:
    """A configuration for `--json`."""
    return {"client": place.client.name, "scope": place.scope, "file": place.path}


def show_file(what: str, told: str, path: Path, *, grade: Grade = "pass") -> None:
    """Print a line about a file.

    Args:
        what: whose it is, and which of theirs.
        told: what there is to say.
        path: the file.
        grade: the sign at the beginning.
    """
    output.line(output.mark(grade), f" {what}: {told}", str(path))

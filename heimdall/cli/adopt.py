"""The command `heimdall project adopt`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from heimdall.cli import output
from heimdall.cli.command import command
from heimdall.cli.report import Report

if TYPE_CHECKING:
    from cognitive_memory.storage.adoption import Rescued


@command()
@click.argument("path", required=False, type=click.Path(path_type=Path))
def adopt(*, path: Path | None) -> Report:
    """Take over the memories of a database that came with a project.

    heimdall opens only databases that it made for you. This reads another one, trusting nothing in it, and copies its
    memories into a new one; what was there is kept beside it. Look where it comes from first: the memories are what
    somebody else wrote. PATH is the project's directory (default: the project around the working directory) or a database.

    Examples:
        heimdall project adopt  # the database in this project is to be yours
        heimdall project adopt ~/work/repository  # that of another one
    """
    from cognitive_memory.project.find import Project, find_project
    from cognitive_memory.storage import adoption

    project_id = None
    if path is not None and path.is_file():
        database = path.absolute()
    else:
        project = find_project() if path is None else Project(path.expanduser().absolute())
        database, project_id = project.database, project.config.project_id
    adopted = adoption.adopt(database, project_id=project_id)
    return _Adopted(database, adopted.found, adopted.rescued, adopted.kept)


@dataclass(frozen=True)
class _Adopted(Report):
    database: Path
    found: bool
    rescued: Rescued | None
    kept: Sequence[Path]

    @property
    def sound(self) -> bool:
        """Whether there is a database, and all of it came over."""
        return self.found and not (self.rescued and self.rescued.left_out)

    def as_json(self) -> Mapping[str, object]:
        rescued = output.fields_of(self.rescued) if self.rescued else {}
        return {
            "database": self.database,
            "found": self.found,
            "adopted": self.rescued is not None,
            **rescued,
            "kept": self.kept,
        }

    def show(self) -> None:
        if not self.found:
            output.line(f"{self.database} does not exist: there is nothing to adopt")
        elif self.rescued is None:
            output.line(f"{self.database} is yours already")
        else:
            self._show_rescued(self.rescued)
        for file in self.kept:
            output.line("kept aside  ", str(file))

    def _show_rescued(self, rescued: Rescued) -> None:
        output.line(output.good("adopted  "), f"{rescued.memories:,} memories in {self.database}")
        if rescued.left_out:
            output.line(
                output.warning("left out  "), f"{rescued.left_out:,} rows that are no memories:"
            )
            for reason in rescued.reasons:
                output.line("  ", reason)
        if rescued.foreign:
            output.line("not taken  ", ", ".join(rescued.foreign))

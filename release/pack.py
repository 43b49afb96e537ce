"""`release pack`: the model directory as a release asset."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hatch_heimdall_models.asset import read_asset, write_asset
from hatch_heimdall_models.errors import ModelBuildError
from hatch_heimdall_models.files import replacing, sha256_of, write_if_different
from hatch_heimdall_models.inventory import HashedFile
from hatch_heimdall_models.manifest import Asset
from release.assets import SUMS_NAME, asset_name, sums_bytes
from release.deflated_asset import write_deflated_asset
from release.model_files import model_paths, take_variant
from release.provenance import card_bytes, statement_bytes
from release.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Packed:
    """A finished asset.

    Attributes:
        path: the zip.
        asset: what the lock will pin of it.
        changed: whether other bytes, or none, were there before.
    """

    path: Path
    asset: Asset
    changed: bool


def pack_models(
    recipe: Recipe, models: Path, output: Path, *, tag: str, repository: str, license_file: Path
) -> tuple[Packed, ...]:
    """Write `<output>/<tag>/heimdall-models-<tag>.zip`, one for each variant, and `SHA256SUMS`, each replaced atomically.

    A zip's bytes follow from the model alone: neither tag nor time is in it.

    Args:
        recipe: what the model was made from.
        models: the model's directory.
        output: the directory of all assets.
        tag: of the release.
        repository: `owner/name`, for the documentation inside.
        license_file: the text of the model's licence.

    Raises:
        ModelBuildError: if the model is not whole, or a file differs from the recipe's pin or
            changes meanwhile.
    """
    packed = tuple(
        _pack(variant, models, output, tag=tag, repository=repository, license_file=license_file)
        for variant in recipe.every
    )
    write_if_different(output / tag / SUMS_NAME, sums_bytes(one.asset for one in packed))
    return packed


def _pack(
    recipe: Recipe, models: Path, output: Path, *, tag: str, repository: str, license_file: Path
) -> Packed:
    """Pack the files of one variant."""
    files = take_variant(recipe, models)
    folder, target = models / recipe.folder, output / tag / asset_name(tag, recipe.folder)
    _check(recipe, folder, files)
    about = {
        "LICENSE": license_file.read_bytes(),
        "MODEL_CARD.md": card_bytes(recipe, files, repository),
        "provenance.json": statement_bytes(recipe, files, repository),
    }
    before = sha256_of(target) if target.is_file() else None
    with replacing(target) as stream:
        # Weights in 8 bits each can be compressed; those in float32 can't.
        write = write_deflated_asset if recipe.sets[0].holds_weights else write_asset
        write(stream, {file.path: folder / file.path for file in files}, about)
        stream.flush()
        # What was written is read back: a file may have changed since it was hashed.
        if read_asset(Path(stream.name)) != files:
            raise ModelBuildError(str(folder), ["changed while it was packed: run this again"])
    asset = Asset.of_file(tag, target)
    return Packed(target, asset, changed=asset.sha256 != before)


def _check(recipe: Recipe, models: Path, files: tuple[HashedFile, ...]) -> None:
    """Refuse a model directory that `build` would not leave like that."""
    present = {file.path: file for file in files}
    expected = model_paths(recipe)
    problems = [f"{path} is missing" for path in sorted(expected - present.keys())]
    problems += [f"{path} is no part of the model" for path in sorted(present.keys() - expected)]
    for path, pin in recipe.shipped.items():
        if path in present and present[path].sha256 != pin.sha256:
            problems.append(
                f"{path} is not upstream's file: expected sha256 {pin.sha256}, found {present[path].sha256}"
            )
    if problems:
        raise ModelBuildError(str(models), [*problems, "run 'python -m release build' first"])

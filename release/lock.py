"""`release lock`: pin the model and its asset in `models.lock.json`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from packaging.version import InvalidVersion, Version

from hatch_heimdall_models.asset import read_asset
from hatch_heimdall_models.digest import sha256_of
from hatch_heimdall_models.errors import ModelBuildError
from hatch_heimdall_models.inventory import FoundFile
from hatch_heimdall_models.manifest import INLINE_LIMIT, Asset, Manifest, Model, ModelFile
from hatch_heimdall_models.relock import entry_of, with_text_of
from release.model_files import take_variant
from release.project import Project, asset_name
from release.recipe import Recipe


def make_lock(
    recipe: Recipe, project: Project, models: Path, assets: Path, *, tag: str, old: Manifest | None
) -> Manifest:
    """What the lock has to say about the model, in every variant, as it lies there.

    Args:
        recipe: names the model and its other places.
        project: names the distribution and the repository.
        models: the model's directory.
        assets: the folder of the packed zips of the same model.
        tag: the release that is to have the asset.
        old: the lock so far. When it pins the very same asset for an older release, that one is kept: users who
            upgrade download nothing.

    Raises:
        ModelBuildError: if there is no model, or an asset does not hold exactly its files.
    """
    for variant in recipe.every:
        old = _with_variant(
            variant, project, models, assets / asset_name(tag, variant.folder), tag=tag, old=old
        )
    assert old is not None  # noqa: S101 (a recipe has one variant at least)
    return old


def _with_variant(
    recipe: Recipe, project: Project, models: Path, asset: Path, *, tag: str, old: Manifest | None
) -> Manifest:
    """The lock with the entry of the recipe's own variant."""
    found = take_variant(recipe, models)
    if not found:
        raise ModelBuildError(
            str(models / recipe.folder), ["has no model files: run 'python -m release build' first"]
        )
    if read_asset(asset) != found:
        raise ModelBuildError(
            str(asset),
            [
                f"holds other files than {models / recipe.folder}: run 'python -m release pack' first"
            ],
        )
    pinned = Asset(tag, asset.name, sha256_of(asset), asset.stat().st_size)
    model = Model(
        name=recipe.name,
        variant=recipe.variant,
        license=recipe.license,
        upstream=recipe.repository,
        asset=pinned,
        files=tuple(_pin(recipe, models / recipe.folder, file) for file in found),
        graphs={graph.variant: graph.run for graph in recipe.graphs},
    )
    known = entry_of(old, model)
    if known is not None:
        model = replace(
            model, asset=_older(known.asset, pinned), files=with_text_of(model.files, known.files)
        )
    others = [other for other in old.models if other is not known] if old else []
    entries = sorted([model, *others], key=lambda entry: (entry.name, entry.variant))
    return Manifest(project.name, project.repository, recipe.name, tuple(entries))


def _pin(recipe: Recipe, models: Path, file: FoundFile) -> ModelFile:
    if file.size <= INLINE_LIMIT:
        return ModelFile.of_bytes(file.path, (models / file.path).read_bytes())
    upstream = recipe.shipped.get(file.path)
    places = (
        []
        if upstream is None
        else [recipe.url(upstream), *(origin.place(upstream) for origin in recipe.origins)]
    )
    return ModelFile(
        file.path,
        file.sha256,
        file.size,
        also=tuple(place for place in places if place is not None),
    )


def _older(known: Asset, new: Asset) -> Asset:
    """The known asset if it is the same bytes of an earlier release; a tag that is no version is not compared."""
    if (known.sha256, known.size) != (new.sha256, new.size):
        return new
    try:
        return known if Version(known.tag) < Version(new.tag) else new
    except InvalidVersion:
        return new

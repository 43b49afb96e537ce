"""`release lock`: pin the model and its asset in `models.lock.json`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from packaging.version import InvalidVersion, Version

from hatch_heimdall_models.asset import read_asset
from hatch_heimdall_models.errors import ModelBuildError
from hatch_heimdall_models.inlining import inline_texts
from hatch_heimdall_models.inventory import HashedFile
from hatch_heimdall_models.lock import carried_over, entry_of
from hatch_heimdall_models.manifest import Asset, Manifest, Model, ModelFile
from release.assets import asset_name
from release.model_files import take_variant
from release.project import Project
from release.recipe import Recipe, WheelSource


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
        old: the lock so far. When it pins the very same asset for an older release, that one is
            kept: users who upgrade download nothing.

    Raises:
        ModelBuildError: if there is no model, or an asset does not hold exactly its files.
    """
    entries = [
        _entry(variant, models, assets / asset_name(tag, variant.folder), tag, old)
        for variant in recipe.every
    ]
    made = {(entry.name, entry.variant, entry.marker) for entry in entries}
    # Entries of models that this recipe does not make are somebody else's to change.
    entries += [
        entry
        for entry in (old.models if old else ())
        if (entry.name, entry.variant, entry.marker) not in made
    ]
    entries.sort(key=lambda entry: (entry.name, entry.variant))
    return Manifest(project.name, project.repository, recipe.name, tuple(entries))


def _entry(recipe: Recipe, models: Path, asset: Path, tag: str, old: Manifest | None) -> Model:
    """The entry of the recipe's own variant."""
    files = take_variant(recipe, models)
    folder = models / recipe.folder
    if not files:
        raise ModelBuildError(
            str(folder), ["has no model files: run 'python -m release build' first"]
        )
    if read_asset(asset) != files:
        problem = f"holds other files than {folder}: run 'python -m release pack' first"
        raise ModelBuildError(str(asset), [problem])
    inline = inline_texts((folder / file.path, file) for file in files)
    known = entry_of(old, recipe.name, recipe.variant)
    packed = Asset.of_file(tag, asset)
    return Model(
        name=recipe.name,
        variant=recipe.variant,
        license=recipe.license,
        upstream=recipe.repository,
        asset=_older(known.asset, packed) if known else packed,
        files=carried_over((_pin(recipe, inline, file) for file in files), known),
        graphs={graph.variant: graph.run for graph in recipe.graphs},
    )


def _pin(recipe: Recipe, inline: Mapping[str, str], file: HashedFile) -> ModelFile:
    pinned = ModelFile(file.path, file.sha256, file.size, inline=inline.get(file.sha256))
    upstream = recipe.shipped.get(file.path)
    if upstream is None or pinned.inline:
        return pinned
    # A maintainer's mirror of upstream is no business of users.
    wheels = [source for source in recipe.sources if isinstance(source, WheelSource)]
    places = [recipe.url(upstream), *(wheel.place(upstream) for wheel in wheels)]
    return replace(pinned, also=tuple(filter(None, places)))


def _older(known: Asset, new: Asset) -> Asset:
    """The known asset if it is the same bytes of an earlier release.

    A tag that is no version is not compared.
    """
    if (known.sha256, known.size) != (new.sha256, new.size):
        return new
    try:
        return known if Version(known.tag) < Version(new.tag) else new
    except InvalidVersion:
        return new

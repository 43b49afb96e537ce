"""`release lock`: pin the model and its asset in `models.lock.json`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version

from hatch_heimdall_models.digest import sha256_of
from hatch_heimdall_models.errors import ModelBuildError
from hatch_heimdall_models.inventory import FoundFile, take_inventory
from hatch_heimdall_models.manifest import INLINE_LIMIT, Asset, Manifest, Model, ModelFile
from release.asset import read_asset
from release.project import Project
from release.recipe import Recipe


def make_lock(
    recipe: Recipe, project: Project, models: Path, asset: Path, *, tag: str, old: Manifest | None
) -> Manifest:
    """What the lock has to say about the model as it lies there.

    Args:
        recipe: names the model and its other places.
        project: names the distribution and the repository.
        models: the model's directory.
        asset: the packed zip of the same model.
        tag: the release that is to have the asset.
        old: the lock so far. When it pins the very same asset for an older release, that one is kept: users who
            upgrade download nothing.

    Raises:
        ModelBuildError: if there is no model, or the asset does not hold exactly its files.
    """
    found = take_inventory(models)
    if not found:
        raise ModelBuildError(str(models), ["has no model files: run 'python -m release build' first"])
    if read_asset(asset) != found:
        raise ModelBuildError(str(asset), [f"holds other files than {models}: run 'python -m release pack' first"])
    pinned = Asset(tag, asset.name, sha256_of(asset), asset.stat().st_size)
    model = Model(
        name=recipe.name,
        variant=recipe.variant,
        license=recipe.license,
        upstream=recipe.repository,
        asset=pinned,
        files=tuple(_pin(recipe, models, file) for file in found),
    )
    known = _entry_of(old, model)
    if known is not None:
        model = replace(model, asset=_older(known.asset, pinned), files=_with_text_of(model.files, known.files))
    others = [other for other in old.models if other is not known] if old else []
    entries = sorted([model, *others], key=lambda entry: (entry.name, entry.variant))
    return Manifest(project.name, project.repository, recipe.name, tuple(entries))


def lock_differences(old: Manifest | None, new: Manifest) -> list[str]:
    """Every value in which `old` is not as `new`, a sentence each with its JSON path."""
    if old is None:
        return ["there is no lock"]
    before, after = dict(_leaves(old)), dict(_leaves(new))
    return [
        f"{path}: the lock has {before.get(path, 'nothing')!r}, expected {after.get(path, 'nothing')!r}"
        for path in sorted(before.keys() | after.keys())
        if before.get(path) != after.get(path)
    ]


def _pin(recipe: Recipe, models: Path, file: FoundFile) -> ModelFile:
    if file.size <= INLINE_LIMIT:
        return ModelFile.of_bytes(file.path, (models / file.path).read_bytes())
    upstream = recipe.shipped.get(file.path)
    places = [] if upstream is None else [recipe.url(upstream), *(origin.place(upstream) for origin in recipe.origins)]
    return ModelFile(file.path, file.sha256, file.size, also=tuple(place for place in places if place is not None))


def _entry_of(lock: Manifest | None, model: Model) -> Model | None:
    for entry in lock.models if lock else ():
        if (entry.name, entry.variant, entry.marker) == (model.name, model.variant, model.marker):
            return entry
    return None


def _older(known: Asset, new: Asset) -> Asset:
    """The known asset if it is the same bytes of an earlier release; a tag that is no version is not compared."""
    if (known.sha256, known.size) != (new.sha256, new.size):
        return new
    try:
        return known if Version(known.tag) < Version(new.tag) else new
    except InvalidVersion:
        return new


def _with_text_of(files: tuple[ModelFile, ...], known: tuple[ModelFile, ...]) -> tuple[ModelFile, ...]:
    """The files, with the known text of the same inline content: zlib's output may differ from machine to machine."""
    texts = {file.sha256: file.inline for file in known if file.inline is not None}
    return tuple(replace(file, inline=texts.get(file.sha256, file.inline)) if file.inline else file for file in files)


def _leaves(manifest: Manifest) -> Iterator[tuple[str, Any]]:
    """Every value of the manifest with its path; models and files are named, not numbered."""
    yield from _walk("", {"distribution": manifest.distribution, "repository": manifest.repository})
    yield "default", manifest.default
    for model in manifest.models:
        document = model.as_json()
        files = document.pop("files")
        where = f"{model.name} {model.variant}"
        yield from _walk(where, document)
        for file in files:
            yield from _walk(f"{where} {file['path']}", {key: file[key] for key in file if key != "path"})


def _walk(where: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _walk(f"{where}.{key}" if where else key, item)
    else:
        yield where, value

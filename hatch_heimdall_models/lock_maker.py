"""A project's lock, from its configuration, its models and their release assets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from hatch_heimdall_models.asset import read_asset, write_asset
from hatch_heimdall_models.errors import ModelBuildError
from hatch_heimdall_models.files import replacing, sha256_of
from hatch_heimdall_models.inventory import FoundFile, by_folder, take_inventory
from hatch_heimdall_models.manifest import (
    ASSET_FORM,
    INLINE_LIMIT,
    Asset,
    Manifest,
    Model,
    ModelFile,
)
from hatch_heimdall_models.relock import carried_over, entry_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hatch_heimdall_models.config import HookConfig, ModelConfig


@dataclass(frozen=True, slots=True)
class LockMaker:
    """Makes a project's lock.

    Attributes:
        root: the project's root.
        config: the hook's configuration, with its models.
        distribution: the project's name.
        version: the project's version.
        assets: where release assets are looked for, `<assets>/<tag>/<asset>`: as a mirror has them.
        packed: where an asset that is not there is packed, in the same way.
    """

    root: Path
    config: HookConfig
    distribution: str
    version: str
    assets: Path
    packed: Path

    def make(self, old: Manifest | None, *, tag: str | None = None) -> Manifest:
        """What the lock has to say about the models as they lie there.

        A model whose files the old lock pins already keeps its asset there, so that users who upgrade download
        nothing, unless `tag` or the configuration demands another tag.

        Args:
            old: the lock so far.
            tag: the release that is to have the assets; default: by the configuration.

        Raises:
            ModelBuildError: if models are missing, belong to none or several of the configuration's models, or an
                asset holds other files.
        """
        found = take_inventory(self.root / self.config.models_dir)
        if not found:
            raise ModelBuildError(
                self.config.models_dir,
                ["has no model files: get them first, nothing else can be pinned or checked"],
            )
        entries = []
        for model, files in _assigned_in_folders(self.config, found):
            entry = self._unpinned(model, files)
            known = entry_of(old, entry)
            entry = carried_over(entry, known)
            demanded = tag or self.config.demanded_tag(self.version)
            if (
                known is not None
                and known.files == entry.files
                and demanded in {None, known.asset.tag}
            ):
                self._check(known.asset, files)
                entries.append(replace(entry, asset=known.asset))
            else:
                pinned = self._asset(model, files, demanded or self.config.next_tag(self.version))
                entries.append(replace(entry, asset=pinned))
        entries.sort(key=lambda entry: (entry.name, entry.variant, entry.marker or ""))
        return Manifest(
            self.distribution, self.config.repository, self.config.models[0].name, tuple(entries)
        )

    def _unpinned(self, model: ModelConfig, files: Sequence[FoundFile]) -> Model:
        """The entry without its asset."""
        directory = self._directory(model)
        pins = (
            ModelFile.of_bytes(file.path, (directory / file.path).read_bytes())
            if file.size <= INLINE_LIMIT
            else ModelFile(file.path, file.sha256, file.size)
            for file in files
        )
        nowhere = Asset("", "", "", 0)
        return Model(
            model.name,
            model.variant,
            model.license,
            model.upstream,
            nowhere,
            tuple(pins),
            model.marker,
        )

    def _check(self, asset: Asset, files: Sequence[FoundFile]) -> None:
        """If the pinned asset is at hand, see that it is what the lock says."""
        path = self.assets / asset.tag / asset.name
        if path.is_file():
            _hold_together(path, files)
            if (sha256 := sha256_of(path)) != asset.sha256:
                problem = f"the lock pins sha256 {asset.sha256}, found {sha256}: remove it, or lock with another tag"
                raise ModelBuildError(str(path), [problem])

    def _asset(self, model: ModelConfig, files: Sequence[FoundFile], tag: str) -> Asset:
        """Pin the asset that is at hand, else pack one."""
        if not ASSET_FORM.fullmatch(tag):
            raise ModelBuildError(
                f"tag {tag!r}",
                [f"can't be part of a file's name, must have the form {ASSET_FORM.pattern}"],
            )
        relative = Path(tag, model.asset_name(tag))
        path = self.assets / relative
        if not path.is_file():
            path = self.packed / relative
            about = {name: self._licence(name) for name in model.license_files}
            with replacing(path) as stream:
                directory = self._directory(model)
                write_asset(stream, {file.path: directory / file.path for file in files}, about)
        _hold_together(path, files)
        return Asset(tag, path.name, sha256_of(path), path.stat().st_size)

    def _directory(self, model: ModelConfig) -> Path:
        """The folder in which the model's paths begin."""
        return (
            self.root / self.config.models_dir / self.config.variant_folders.get(model.variant, "")
        )

    def _licence(self, name: str) -> bytes:
        try:
            return (self.root / name).read_bytes()
        except OSError as error:
            raise ModelBuildError(
                name, [f"is one of the model's 'license-files', but can't be read: {error}"]
            ) from error


def _assigned_in_folders(
    config: HookConfig, found: Sequence[FoundFile]
) -> list[tuple[ModelConfig, list[FoundFile]]]:
    """Each model with its files, whose paths begin in its variant's folder; a file belongs to exactly one."""
    assigned = []
    for folder, files in by_folder(found, config.variant_folders.values()).items():
        models = [
            model
            for model in config.models
            if config.variant_folders.get(model.variant, "") == folder
        ]
        assigned += _assigned(models, files, f"{config.models_dir}/{folder}".rstrip("/"))
    return assigned


def _assigned(
    candidates: Sequence[ModelConfig], found: Sequence[FoundFile], directory: str
) -> list[tuple[ModelConfig, list[FoundFile]]]:
    owners = {
        file.path: [
            model
            for model in candidates
            if any(fnmatchcase(file.path, form) for form in model.files)
        ]
        for file in found
    }
    problems = []
    for path, models in owners.items():
        if len(models) != 1:
            names = (
                " and ".join(f"{model.name} ({model.variant})" for model in models) or "no model"
            )
            problems.append(
                f"{path} belongs to {names}: let the 'files' of exactly one model match it"
            )
    matched = [
        (model, [file for file in found if owners[file.path] == [model]]) for model in candidates
    ]
    problems += [
        f"{model.name} ({model.variant}): its 'files' match none"
        for model, files in matched
        if not files
    ]
    if problems:
        raise ModelBuildError(directory, problems)
    return matched


def _hold_together(path: Path, files: Sequence[FoundFile]) -> None:
    if list(read_asset(path)) != sorted(files, key=lambda file: file.path):
        problem = "holds other files than the model: remove it to have it packed anew, or restore the model's files"
        raise ModelBuildError(str(path), [problem])

"""A project's lock, from its configuration, its models and their release assets."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from hatch_heimdall_models.asset import read_asset, write_asset
from hatch_heimdall_models.errors import ModelBuildError
from hatch_heimdall_models.files import replacing, sha256_of
from hatch_heimdall_models.inventory import HashedFile, by_folder, take_inventory
from hatch_heimdall_models.lock import carried_over, entry_of
from hatch_heimdall_models.manifest import (
    ASSET_FORM,
    INLINE_LIMIT,
    Asset,
    Manifest,
    Model,
    ModelFile,
)
from hatch_heimdall_models.single_assets import SingleAssets

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
        version: the project's version; None where nobody knows it.
        assets: where release assets are looked for, `<assets>/<tag>/<asset>`: as a mirror has them.
        packed: where an asset that is not there is packed, in the same way.
    """

    root: Path
    config: HookConfig
    distribution: str
    version: str | None
    assets: Path
    packed: Path

    def make(self, old: Manifest | None, *, tag: str | None = None) -> Manifest:
        """What the lock has to say about the models as they lie there.

        A model whose files the old lock pins already keeps its asset there, so that users who
        upgrade download nothing, unless `tag` or the configuration demands another tag.

        Args:
            old: the lock so far.
            tag: the release that is to have the assets; default: by the configuration.

        Raises:
            ModelBuildError: if models are missing, belong to none or several of the configuration's
                models, or an asset holds other files.
        """
        files = take_inventory(self.root / self.config.models_dir)
        if not files:
            raise ModelBuildError(
                self.config.models_dir,
                ["has no model files: get them first, nothing else can be pinned or checked"],
            )
        demanded = tag or (self._tag(self.config.tag) if self.config.tag else None)
        entries = []
        for model, own in _assigned(self.config, files):
            known = entry_of(old, model.name, model.variant, model.marker)
            pins = carried_over([pin(self._directory(model), file) for file in own], known)
            assets = self._assets(model, own, pins, known, demanded)
            paths = {file.path for file in pins}
            graphs = known.graphs if known else {}
            entries.append(
                Model(
                    name=model.name,
                    variant=model.variant,
                    license=model.license,
                    upstream=model.upstream,
                    asset=assets[0],
                    further_assets=assets[1:],
                    files=pins,
                    marker=model.marker,
                    # No configuration tells how files are run, so what was added to the lock by
                    # hand stays.
                    graphs={name: run for name, run in graphs.items() if run["path"] in paths},
                )
            )
        entries.sort(key=lambda entry: (entry.name, entry.variant, entry.marker or ""))
        return Manifest(
            self.distribution, self.config.repository, self.config.models[0].name, tuple(entries)
        )

    def _assets(
        self,
        model: ModelConfig,
        files: Sequence[HashedFile],
        pins: Sequence[ModelFile],
        known: Model | None,
        demanded: str | None,
    ) -> tuple[Asset, ...]:
        """The assets of a model: those of the lock so far where they still are right."""

        def new_tag() -> str:
            return demanded or self._tag(self.config.next_tag)

        if model.has_single_files:
            single = SingleAssets(model, self._directory(model), self.assets, self.packed)
            return single.make(pins, known, demanded, new_tag)
        digests = {file.sha256 for file in files}
        if (
            known
            and known.files == tuple(pins)
            and demanded in {None, known.asset.tag}
            and known.asset.sha256 not in digests
        ):
            self._check(known.asset, files)
            return (known.asset,)
        return (self._asset(model, files, new_tag()),)

    def _tag(self, form: str) -> str:
        """The tag of the release that the project's version will be."""
        # Here, since help texts and checks need none of it.
        from packaging.version import InvalidVersion, Version

        if "{version}" not in form:
            return form
        try:
            version = Version(self.version or "")
        except InvalidVersion:
            said = f"{self.version!r} is no version" if self.version else "is dynamic"
        else:
            if not (version.is_devrelease or version.local):
                return form.replace("{version}", str(self.version))
            said = f"{self.version!r} is between two releases, and no release will have a tag of it"
        raise ModelBuildError(
            "project.version",
            [
                f"{said}: name the release that will have the models with --version, or its tag with --tag"
            ],
        )

    def _check(self, asset: Asset, files: Sequence[HashedFile]) -> None:
        """If the pinned asset is at hand, see that it is what the lock says."""
        path = self.assets / asset.tag / asset.name
        if path.is_file():
            require_same_files(path, files)
            if (sha256 := sha256_of(path)) != asset.sha256:
                problem = f"the lock pins sha256 {asset.sha256}, found {sha256}: remove it, or lock with another tag"
                raise ModelBuildError(str(path), [problem])

    def _asset(self, model: ModelConfig, files: Sequence[HashedFile], tag: str) -> Asset:
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
        require_same_files(path, files)
        return Asset.of_file(tag, path)

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


def pin(directory: Path, file: HashedFile) -> ModelFile:
    """Pin a file of a model's directory, carrying it inline when it is small enough."""
    if file.size <= INLINE_LIMIT:
        return ModelFile.of_bytes(file.path, (directory / file.path).read_bytes())
    return ModelFile(file.path, file.sha256, file.size)


def require_same_files(asset: Path, files: Sequence[HashedFile]) -> None:
    """Refuse an asset that does not hold exactly these files.

    Raises:
        ModelBuildError: if it holds others, or can't be read.
    """
    if list(read_asset(asset)) != sorted(files, key=attrgetter("path")):
        problem = "holds other files than the model: remove it to have it packed anew, or restore the model's files"
        raise ModelBuildError(str(asset), [problem])


def _assigned(
    config: HookConfig, files: Sequence[HashedFile]
) -> list[tuple[ModelConfig, list[HashedFile]]]:
    """Each model with its files, whose paths begin in its variant's folder.

    A file belongs to exactly one.
    """
    problems = []
    assigned: dict[ModelConfig, list[HashedFile]] = {model: [] for model in config.models}
    for folder, inside in by_folder(files, config.variant_folders.values()).items():
        models = [
            model for model in assigned if config.variant_folders.get(model.variant, "") == folder
        ]
        for file in inside:
            owners = [
                model
                for model in models
                if any(fnmatchcase(file.path, form) for form in model.files)
            ]
            if len(owners) == 1:
                assigned[owners[0]].append(file)
                continue
            names = " and ".join(f"{model.name} ({model.variant})" for model in owners)
            problems.append(
                f"{folder}{'/' * bool(folder)}{file.path} belongs to {names or 'no model'}: "
                "let the 'files' of exactly one model match it"
            )
    problems += [
        f"{model.name} ({model.variant}): its 'files' match none"
        for model, own in assigned.items()
        if not own
    ]
    if problems:
        raise ModelBuildError(config.models_dir, problems)
    return list(assigned.items())

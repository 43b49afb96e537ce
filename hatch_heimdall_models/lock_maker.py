"""A project's lock, from its configuration, its models and their release assets."""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from hatch_heimdall_models.asset import read_asset, write_asset
from hatch_heimdall_models.assigned import assigned_files
from hatch_heimdall_models.errors import ChangedAssetError, ModelBuildError, reason
from hatch_heimdall_models.files import replacing, sha256_of
from hatch_heimdall_models.inlining import inline_texts
from hatch_heimdall_models.inventory import HashedFile, take_inventory
from hatch_heimdall_models.lock import carried_over, entry_of
from hatch_heimdall_models.manifest import ASSET_FORM, Asset, Manifest, Model, ModelFile
from hatch_heimdall_models.packing_risks import risks
from hatch_heimdall_models.places import expand, names_each_file
from hatch_heimdall_models.single_assets import SingleAssets

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
        replace: whether an asset that the old lock pins may get other bytes: its release is not
            published yet.
    """

    root: Path
    config: HookConfig
    distribution: str
    version: str | None
    assets: Path
    packed: Path
    replace: bool = False

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
        assigned = assigned_files(self.config, files)
        self._refuse_risks(assigned)
        inline = inline_texts(
            ((self._directory(model) / file.path, file) for model, own in assigned for file in own),
            self.config.inline_limit,
        )
        for model, own in assigned:
            known = entry_of(old, model.name, model.variant, model.marker)
            pins = carried_over(_pins(model, own, inline), known)
            assets = self._assets(model, own, pins, old, demanded)
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

    def _refuse_risks(self, assigned: Sequence[tuple[ModelConfig, Sequence[HashedFile]]]) -> None:
        problems = [
            problem
            for model, own in assigned
            for problem in risks(self.root, self._directory(model), model, own)
        ]
        if problems:
            raise ModelBuildError(self.config.models_dir, problems)

    def _refuse_other_bytes(
        self, old: Manifest | None, model: ModelConfig, files: Sequence[HashedFile], tag: str
    ) -> None:
        """Keep the promise of the old lock: who installed that release fetches its asset."""
        name = model.asset_name(tag)
        for entry in old.models if old else ():
            if (entry.asset.tag, entry.asset.name) == (tag, name) and not same_bytes(entry, files):
                now = {(file.path, file.sha256) for file in files}
                before = {(file.path, file.sha256) for file in entry.files}
                changed = ", ".join(sorted({path for path, _ in now ^ before})[:5])
                raise ChangedAssetError.of(f"{model.name} ({model.variant})", changed, tag, name)

    def _assets(
        self,
        model: ModelConfig,
        files: Sequence[HashedFile],
        pins: Sequence[ModelFile],
        old: Manifest | None,
        demanded: str | None,
    ) -> tuple[Asset, ...]:
        """The assets of a model: those of the lock so far where they still are right."""
        known = entry_of(old, model.name, model.variant, model.marker)

        def new_tag() -> str:
            try:
                return demanded or self._tag(self.config.next_tag)
            except ModelBuildError:
                # Whether a known model changed can be told where the next release's name can't.
                if self._checking and known:
                    return known.asset.tag
                raise

        coming = self._coming(demanded)
        if model.has_single_files:
            single = SingleAssets(
                model,
                self._directory(model),
                self.assets,
                self.packed,
                coming=coming,
                replace=self.replace,
            )
            return single.make(pins, known, demanded, new_tag)
        digests = {file.sha256 for file in files}
        if (
            known
            and same_bytes(known, files)
            and demanded in {None, known.asset.tag}
            and known.asset.sha256 not in digests
        ):
            self._check(known.asset, files)
            if known.asset.tag == coming:
                self._pack_again(known.asset, model, files)
            return (known.asset,)
        tag = new_tag()
        if not self.replace:
            self._refuse_other_bytes(old, model, files, tag)
        return (self._asset(model, files, tag),)

    @property
    def _checking(self) -> bool:
        """Whether assets are packed aside, to be compared with those that are there."""
        return self.packed != self.assets

    def _coming(self, demanded: str | None) -> str | None:
        """The tag of the release that is being made, as far as anybody said it; None to check."""
        if self._checking:
            return None
        try:
            return demanded or self._tag(self.config.next_tag)
        except ModelBuildError:
            return None

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
                raise ChangedAssetError(str(path), [problem])

    def _asset(self, model: ModelConfig, files: Sequence[HashedFile], tag: str) -> Asset:
        """Pin the asset that is at hand, else pack one."""
        if not ASSET_FORM.fullmatch(tag):
            raise ModelBuildError(
                f"tag {tag!r}",
                [f"can't be part of a file's name, must have the form {ASSET_FORM.pattern}"],
            )
        relative = Path(tag, model.asset_name(tag))
        path = self.assets / relative
        if not path.is_file() or (self.replace and not _holds(path, files)):
            path = self.packed / relative
            self._pack(path, model, files)
        require_same_files(path, files)
        return Asset.of_file(tag, path)

    def _pack_again(self, asset: Asset, model: ModelConfig, files: Sequence[HashedFile]) -> None:
        """Bring back what went with a cleaned `dist` before its release, if the same bytes come out."""
        path = self.assets / asset.tag / asset.name
        if not path.is_file():
            self._pack(path, model, files)
            # Somebody packed the pinned one by hand, or with another licence.
            if sha256_of(path) != asset.sha256:
                path.unlink()

    def _pack(self, path: Path, model: ModelConfig, files: Sequence[HashedFile]) -> None:
        about = {name: self._licence(name) for name in model.license_files}
        directory = self._directory(model)
        with replacing(path) as stream:
            write_asset(stream, {file.path: directory / file.path for file in files}, about)

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
                name, [f"is one of the model's 'license-files', but can't be read: {reason(error)}"]
            ) from error


def _pins(
    model: ModelConfig, files: Sequence[HashedFile], inline: Mapping[str, str]
) -> list[ModelFile]:
    fetched = [file for file in files if file.sha256 not in inline]
    for template in model.also:
        if len(fetched) > 1 and not names_each_file(template):
            problem = f"also: {template!r} is one place, but there are {len(fetched)} files: it needs {{path}}"
            raise ModelBuildError(f"{model.name} ({model.variant})", [problem])
    return [
        # What travels inside the manifest is looked for nowhere.
        ModelFile(file.path, file.sha256, file.size, inline=inline[file.sha256])
        if file.sha256 in inline
        else ModelFile(
            file.path,
            file.sha256,
            file.size,
            tuple(expand(template, file.path) for template in model.also),
        )
        for file in files
    ]


def require_same_files(asset: Path, files: Sequence[HashedFile]) -> None:
    """Refuse an asset that does not hold exactly these files.

    Raises:
        ModelBuildError: if it holds others, or can't be read.
    """
    if not _holds(asset, files):
        problem = "holds other files than the model: remove it to have it packed anew, or restore the model's files"
        raise ChangedAssetError(str(asset), [problem])


def same_bytes(known: Model, files: Sequence[HashedFile]) -> bool:
    """Whether the entry pins exactly these files, wherever else they are said to be."""
    return {(file.path, file.sha256, file.size) for file in known.files} == {
        (file.path, file.sha256, file.size) for file in files
    }


def _holds(asset: Path, files: Sequence[HashedFile]) -> bool:
    return list(read_asset(asset)) == sorted(files, key=attrgetter("path"))

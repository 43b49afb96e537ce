"""Release assets that are a model's large files as they are: users fetch those that they lack, and no others."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hatch_heimdall_models.errors import ChangedAssetError, ModelBuildError
from hatch_heimdall_models.files import CHUNK, replacing, sha256_of
from hatch_heimdall_models.manifest import ASSET_FORM, Asset

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hatch_heimdall_models.config import ModelConfig
    from hatch_heimdall_models.manifest import Model, ModelFile

_OTHER = re.compile(r"[^A-Za-z0-9._+-]+")


@dataclass(frozen=True, slots=True)
class SingleAssets:
    """Makes them.

    Attributes:
        model: whose files they are.
        directory: where its paths begin.
        assets: where release assets are looked for, `<assets>/<tag>/<asset>`.
        packed: where one that is not there is put, in the same way.
        coming: the tag whose assets are put there again where they are missing: that of the release
            that is being made.
        replace: let an asset that the lock has get other bytes.
    """

    model: ModelConfig
    directory: Path
    assets: Path
    packed: Path
    coming: str | None = None
    replace: bool = False

    def make(
        self,
        pins: Sequence[ModelFile],
        known: Model | None,
        demanded: str | None,
        tag: Callable[[], str],
    ) -> tuple[Asset, ...]:
        """An asset for each file that does not travel in the manifest, the largest first.

        A file that the lock pins already keeps its asset there, also when others changed.

        Args:
            pins: the model's files.
            known: what the lock so far has of the model.
            demanded: the one tag that all assets have to have, or None.
            tag: gives that of the release that is to have new assets.

        Raises:
            ModelBuildError: if there is no such file, two have one name, or an asset that is at hand has other bytes.
            ChangedAssetError: if the lock pins other bytes under the name of a new asset.
        """
        large = sorted((file for file in pins if not file.inline), key=lambda file: -file.size)
        if not large:
            problem = "all of its files travel in the manifest: leave {file} out of its 'asset'"
            raise ModelBuildError(f"{self.model.name} ({self.model.variant})", [problem])
        old = {asset.sha256: asset for asset in known.assets} if known else {}
        locked = {(asset.tag, asset.name): asset.sha256 for asset in old.values()}
        made: dict[str, Asset] = {}
        taken: dict[tuple[str, str], str] = {}
        for file in large:
            asset = old.get(file.sha256)
            is_new = asset is None or demanded not in {None, asset.tag}
            if asset is None or is_new:
                name = self.model.asset_name(tag(), _plain(file.path))
                asset = Asset(tag(), name, file.sha256, file.size)
            other = taken.setdefault((asset.tag, asset.name.casefold()), file.sha256)
            if other != file.sha256 or not ASSET_FORM.fullmatch(asset.name):
                problem = f"{asset.name!r} can't be its asset's name, or is that of another file: rename the file"
                raise ModelBuildError(file.path, [problem])
            if not self.replace and locked.get((asset.tag, asset.name), file.sha256) != file.sha256:
                model = f"{self.model.name} ({self.model.variant})"
                raise ChangedAssetError.of(model, file.path, asset.tag, asset.name)
            if not self._is_at_hand(asset, file) and (is_new or asset.tag == self.coming):
                self._copy(asset, file)
            made.setdefault(file.sha256, asset)
        return tuple(made.values())

    def _is_at_hand(self, asset: Asset, file: ModelFile) -> bool:
        path = self.assets / asset.tag / asset.name
        if not path.is_file():
            return False
        if sha256_of(path) != asset.sha256:
            problem = f"holds other bytes than {file.path}: remove it, or restore the file"
            raise ModelBuildError(str(path), [problem])
        return True

    def _copy(self, asset: Asset, file: ModelFile) -> None:
        source, target = self.directory / file.path, self.packed / asset.tag / asset.name
        with source.open("rb") as content, replacing(target) as stream:
            while chunk := content.read(CHUNK):
                stream.write(chunk)
        if sha256_of(target) != asset.sha256:
            target.unlink()
            raise ModelBuildError(str(source), ["changed while it was copied: run this again"])


def _plain(path: str) -> str:
    return _OTHER.sub("-", path).strip("-")

"""The release asset: from a mirror, or from the GitHub release itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from ..errors import SourceError
from ..files import sha256_of
from ..manifest import PinnedAsset, PinnedFile, PinnedModel
from ..secrets import redact_url as redact
from ..settings import Settings
from ..space import require_space
from ..transfer.archive import ROOT, unpack
from ..transfer.download import Target, download
from ..transfer.partials import claim
from ..transfer.remote_zip import take_members
from .base import Context
from .simple_index import path_of


@dataclass(frozen=True, slots=True)
class AssetAtUrl:
    """The asset at an http or https URL.

    Attributes:
        token: sent to the URL's own host alone.
    """

    name: str
    url: str
    token: str | None = field(default=None, repr=False)
    remote: bool = True

    @property
    def place(self) -> str:
        """The URL without secrets."""
        return redact(self.url)

    def deliver(self, wanted: Sequence[PinnedFile], context: Context) -> None:
        """Download the asset, verify it, unpack what is wanted; if that is little, only the members, each verified."""
        asset = context.model.asset
        authorization = f"Bearer {self.token}" if self.token else None
        members = {ROOT + file.path: file for file in wanted}
        if take_members(
            context.client,
            self.url,
            members,
            context.store,
            context.progress,
            zip_size=asset.size,
            authorization=authorization,
        ):
            return
        with claim(context.store.partial, asset.sha256) as partial:
            require_space(
                context.store.root, asset.size - partial.size + sum(file.size for file in wanted)
            )
            target = Target(asset.name, limit=asset.size, size=asset.size, sha256=asset.sha256)
            download(
                context.client,
                self.url,
                target,
                partial,
                context.progress,
                authorization=authorization,
            )
            unpack(partial.path, context.model, wanted, context.store)


@dataclass(frozen=True, slots=True)
class AssetInFile:
    """The asset as a file of this machine or a mounted share: read in place."""

    path: Path
    name: str = "mirror"
    remote: bool = False

    @property
    def place(self) -> str:
        """The path."""
        return str(self.path)

    def deliver(self, wanted: Sequence[PinnedFile], context: Context) -> None:
        """Verify the asset, unpack what is wanted."""
        asset = context.model.asset
        try:
            size, sha256 = self.path.stat().st_size, None
            if size == asset.size:
                sha256 = sha256_of(self.path)
        except OSError as error:
            raise SourceError(f"can't be read: {error.strerror}") from error
        if sha256 != asset.sha256:
            found = f"{size} bytes" if sha256 is None else f"sha256 {sha256}"
            raise SourceError(
                f"is not the asset: expected {asset.size} bytes with sha256 {asset.sha256}, found {found}"
            )
        require_space(context.store.root, sum(file.size for file in wanted))
        unpack(self.path, context.model, wanted, context.store)


def mirrors(model: PinnedModel, settings: Settings) -> list[AssetAtUrl | AssetInFile]:
    """One source for each prefix in `$HEIMDALL_MODELS_MIRROR`."""
    found: list[AssetAtUrl | AssetInFile] = []
    for prefix in settings.mirrors:
        if prefix.startswith("file:"):
            found.append(AssetInFile(path_of(prefix) / model.asset.tag / model.asset.name))
        else:
            found.append(AssetAtUrl("mirror", f"{prefix}/{_below(model.asset)}"))
    return found


def github(model: PinnedModel, settings: Settings) -> AssetAtUrl:
    """The asset of the GitHub release, by its direct URL: the API is rate-limited for machines that share an address."""
    url = f"{settings.github_url}/{quote(model.repository)}/releases/download/{_below(model.asset)}"
    return AssetAtUrl("github", url, settings.github_token)


def _below(asset: PinnedAsset) -> str:
    return f"{quote(asset.tag)}/{quote(asset.name)}"

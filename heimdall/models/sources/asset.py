"""The release asset: from a mirror, or from the GitHub release itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from ..errors import SourceError
from ..files import sha256_of
from ..manifest import PinnedAsset, PinnedFile, PinnedModel
from ..secrets import redact_url
from ..settings import Settings
from ..space import require_space
from ..transfer.download import ask_byte
from ..transfer.http import Client
from .archives import unpack
from .base import Context


@dataclass(frozen=True, slots=True)
class AssetAtUrl:
    """The asset at an http or https URL.

    Attributes:
        credentials: headers for the URL's own host alone.
    """

    name: str
    url: str
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)
    remote: bool = True

    @property
    def place(self) -> str:
        """The URL without secrets."""
        return redact_url(self.url)

    def deliver(self, wanted: Sequence[PinnedFile], context: Context) -> None:
        """Download the asset, verify it, unpack what is wanted."""
        asset = context.pinned.model.asset
        with context.downloaded(
            self.url,
            PinnedFile(asset.name, asset.sha256, asset.size),
            credentials=self.credentials,
            room=sum(file.size for file in wanted),
        ) as download:
            unpack(download.path, wanted, context.pinned)

    def probe(self, model: PinnedModel, client: Client) -> None:
        """Ask for one byte."""
        ask_byte(client, self.url, model.asset.size, self.credentials)


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
        asset = context.pinned.model.asset
        try:
            size = self.path.stat().st_size
            # Reading a share to its end only to see that it is another file helps nobody.
            sha256 = sha256_of(self.path) if size == asset.size else None
        except OSError as error:
            raise _unreadable(error) from error
        if sha256 != asset.sha256:
            expected = f"{asset.size} bytes with sha256 {asset.sha256}"
            actual = f"sha256 {sha256}" if sha256 else f"{size} bytes"
            raise SourceError(f"is not the asset: expected {expected}, found {actual}")
        require_space(context.pinned.store.root, sum(file.size for file in wanted))
        unpack(self.path, wanted, context.pinned)

    def probe(self, model: PinnedModel, _client: Client) -> None:
        """Look whether it has the asset's size."""
        try:
            size = self.path.stat().st_size
        except OSError as error:
            raise _unreadable(error) from error
        if size != model.asset.size:
            raise SourceError(f"has {size} bytes, expected {model.asset.size}")


def _unreadable(error: OSError) -> SourceError:
    absent = isinstance(error, FileNotFoundError)
    return SourceError(f"can't be read: {error.strerror}", absent=absent)


def github(model: PinnedModel, settings: Settings) -> AssetAtUrl:
    """The asset of the GitHub release, by its direct URL.

    The API is rate-limited, for all machines that share an address together.
    """
    url = f"{settings.github_url}/{quote(model.repository)}/releases/download/{path_below(model.asset)}"
    token = settings.github_token
    return AssetAtUrl("github", url, {"Authorization": f"Bearer {token}"} if token else {})


def path_below(asset: PinnedAsset) -> str:
    """Where an asset is below a release or mirror, as a URL says it."""
    return f"{quote(asset.tag)}/{quote(asset.name)}"

"""Release assets: from mirrors, or from the GitHub release itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol, TypeVar
from urllib.parse import quote, urlsplit, urlunsplit

from ..errors import SourceError
from ..files import sha256_of
from ..manifest import PinnedAsset, PinnedFile, PinnedModel
from ..secrets import redact_url
from ..settings import Settings
from ..space import require_space
from ..transfer.download import Opener, ask_byte
from ..transfer.http import Client
from .archives import unpack
from .base import Context, try_each
from .local import copy_if_pinned

_Result = TypeVar("_Result")
_LARGEST_BESIDE = 4 << 20


class Place(Protocol):
    """A place that may have assets."""

    def address(self, asset: PinnedAsset) -> str:
        """Where it has the asset, without secrets."""

    def fetch(self, asset: PinnedAsset, files: Sequence[PinnedFile], context: Context) -> None:
        """Take the files, which the asset has, into the store.

        Raises:
            As `Source.deliver` does.
        """

    def probe(self, asset: PinnedAsset, client: Client) -> None:
        """Ask whether the asset is there.

        Raises:
            SourceError: if it is not.
        """

    def beside(self, asset: PinnedAsset, suffix: str, client: Client) -> bytes:
        """A small file whose name is the asset's with a suffix.

        Raises:
            SourceError: if it can't be had.
        """


@dataclass(frozen=True, slots=True)
class Assets:
    """The assets of a model, each from the first of some places that has it.

    Attributes:
        places: where they may be, in order.
        trouble: what is wrong with credentials that are meant for the places, or nothing.
    """

    name: str
    place: str
    places: tuple[Place, ...]
    remote: bool = True
    trouble: str = ""

    def deliver(self, wanted: Sequence[PinnedFile], context: Context) -> None:
        """Fetch the assets that have what is wanted."""

        def fetch(chosen: tuple[PinnedAsset | None, list[PinnedFile]]) -> None:
            asset, files = chosen
            if asset is None:
                raise SourceError(f"no asset has {', '.join(file.path for file in files)}")
            self._first(asset, lambda place: place.fetch(asset, files, context))

        try_each(context.pinned.model.assets_for(wanted), fetch)

    def probe(self, model: PinnedModel, client: Client) -> None:
        """Ask for one byte of each asset."""
        try_each(
            model.assets, lambda asset: self._first(asset, lambda place: place.probe(asset, client))
        )

    def beside(self, asset: PinnedAsset, suffix: str, client: Client) -> bytes:
        """A small file whose name is the asset's with a suffix; nothing of it is verified.

        Raises:
            SourceError: if none of the places has it.
        """
        return self._first(asset, lambda place: place.beside(asset, suffix, client))

    def _first(self, asset: PinnedAsset, ask: Callable[[Place], _Result]) -> _Result:
        failures: list[SourceError] = []
        for place in self.places:
            try:
                return ask(place)
            except SourceError as error:
                address = place.address(asset)
                named = address in error.reason
                reason = error.reason if named else f"{address}: {error.reason}"
                failures.append(replace(error, reason=reason))
                if error.transient:  # the other place is no better now
                    break
        # That one of the places is empty is no news.
        told = [failure for failure in failures if not failure.absent] or failures
        reasons = [failure.reason for failure in told]
        reason = "; ".join([*reasons, *filter(None, [self.trouble])])
        raise replace(told[-1], reason=reason)


@dataclass(frozen=True, slots=True)
class BelowUrl:
    """Assets as `<base>/<tag>/<asset>`.

    Attributes:
        base: an http or https URL, perhaps with a query, as a signature for a container, which goes behind the path.
        credentials: headers for the URL's own host alone.
    """

    base: str
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)

    def address(self, asset: PinnedAsset) -> str:
        """The asset's URL without secrets."""
        return redact_url(self._url(asset))

    def fetch(self, asset: PinnedAsset, files: Sequence[PinnedFile], context: Context) -> None:
        """Download the asset, verify it, take the files out of it."""
        download_asset(self._url(asset), asset, files, context, credentials=self.credentials)

    def probe(self, asset: PinnedAsset, client: Client) -> None:
        """Ask for one byte."""
        ask_byte(client, self._url(asset), asset.size, self.credentials)

    def beside(self, asset: PinnedAsset, suffix: str, client: Client) -> bytes:
        """Download it."""
        with client.open(self._url(asset, suffix), credentials=self.credentials) as answer:
            return answer.content(_LARGEST_BESIDE)

    def _url(self, asset: PinnedAsset, suffix: str = "") -> str:
        parts = urlsplit(self.base)
        path = f"{parts.path}/{quote(asset.tag)}/{quote(asset.name + suffix)}"
        return urlunsplit(parts._replace(path=path))


def download_asset(
    url: str,
    asset: PinnedAsset,
    files: Sequence[PinnedFile],
    context: Context,
    *,
    client: Opener | None = None,
    credentials: Mapping[str, str] | None = None,
) -> None:
    """Download an asset and take the files into the store: what it is, or what it has.

    Args:
        client: what opens the URL; default: the context's.
        credentials: headers for the URL's own host alone.

    Raises:
        As `Source.deliver` does.
    """
    is_file = asset.is_among(files)
    target = PinnedFile(asset.name, asset.sha256, asset.size)
    room = 0 if is_file else sum(file.size for file in files)
    with context.downloaded(
        url, target, client=client, credentials=credentials, room=room
    ) as download:
        if is_file:
            context.pinned.store.take(target, download)
        else:
            unpack(download.path, files, context.pinned)


@dataclass(frozen=True, slots=True)
class BelowFolder:
    """Assets as files of this machine or a mounted share, `<folder>/<tag>/<asset>`: read in place."""

    folder: Path

    def address(self, asset: PinnedAsset) -> str:
        """The path."""
        return str(self._path(asset))

    def fetch(self, asset: PinnedAsset, files: Sequence[PinnedFile], context: Context) -> None:
        """Verify the asset, take the files out of it."""
        path = self._path(asset)
        try:
            size = path.stat().st_size
            # Reading a share to its end only to see that it is another file helps nobody.
            sha256 = sha256_of(path) if size == asset.size else None
        except OSError as error:
            raise _unreadable(error) from error
        if sha256 != asset.sha256:
            expected = f"{asset.size} bytes with sha256 {asset.sha256}"
            actual = f"sha256 {sha256}" if sha256 else f"{size} bytes"
            raise SourceError(f"is not the asset: expected {expected}, found {actual}")
        require_space(context.pinned.store.root, sum(file.size for file in files))
        if asset.is_among(files):
            copy_if_pinned(path, files[0], context.pinned.store)
        else:
            unpack(path, files, context.pinned)

    def probe(self, asset: PinnedAsset, _client: Client) -> None:
        """Look whether it has the asset's size."""
        try:
            size = self._path(asset).stat().st_size
        except OSError as error:
            raise _unreadable(error) from error
        if size != asset.size:
            raise SourceError(f"has {size} bytes, expected {asset.size}")

    def beside(self, asset: PinnedAsset, suffix: str, _client: Client) -> bytes:
        """Read it."""
        path = self._path(asset)
        try:
            with path.with_name(path.name + suffix).open("rb") as stream:
                return stream.read(_LARGEST_BESIDE)
        except OSError as error:
            raise _unreadable(error) from error

    def _path(self, asset: PinnedAsset) -> Path:
        return self.folder / asset.tag / asset.name


def _unreadable(error: OSError) -> SourceError:
    absent = isinstance(error, FileNotFoundError)
    return SourceError(f"can't be read: {error.strerror}", absent=absent)


def github(model: PinnedModel, settings: Settings) -> Assets:
    """The assets of GitHub releases, by their direct URLs.

    The API is rate-limited, for all machines that share an address together.
    """
    token = settings.github_token
    releases = BelowUrl(
        f"{settings.github_url}/{quote(model.repository)}/releases/download",
        {"Authorization": f"Bearer {token}"} if token else {},
    )
    return Assets("github", releases.address(model.assets[0]), (releases,))

"""OCI registries as mirrors: assets, or single files, as the layers of an artifact.

The artifact is what the asset's tag names in the repository, as `oras push registry/repository:tag asset` makes it.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import quote, unquote, urlsplit

from ..errors import SourceError
from ..manifest import PinnedAsset, PinnedFile, PinnedModel
from ..secrets import redact_url
from ..settings import Settings
from ..transfer.download import ask_byte
from ..transfer.http import Client
from .asset import Assets, download_asset
from .base import Context
from .registry_access import LARGEST_DOCUMENT, Access, Signed, read_document

_ACCEPT = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"
_TITLE = "org.opencontainers.image.title"
_COMPONENT = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(f"{_COMPONENT}(?:/{_COMPONENT})*")


def registry(prefix: str, model: PinnedModel, settings: Settings) -> Assets:
    """The registry at `oci://registry[:port]/repository`: first `repository/owner/repo:tag`, then `repository:tag`."""
    parts = urlsplit(prefix)
    path = parts.path.strip("/")
    names = [f"{path}/{model.repository.lower()}".strip("/"), path]
    access = Access(
        registry_url(prefix),
        user=(unquote(parts.username), unquote(parts.password or ""))
        if parts.username is not None
        else None,
        header=settings.mirror_header,
    )
    possible = [name for name in names if _REPOSITORY.fullmatch(name)] or names[:1]
    places = tuple(InRepository(access, name) for name in possible)
    return Assets("mirror", redact_url(prefix), places)


def registry_url(prefix: str) -> str:
    """The URL of a registry's API, without credentials.

    As other clients do, a registry of this machine (`localhost`, `127.0.0.0/8`, `::1`) is asked by http, any other one
    by https. `oci+http://` and `oci+https://` say it.
    """
    parts = urlsplit(prefix)
    scheme = parts.scheme.partition("+")[2] or ("http" if _is_here(parts.hostname) else "https")
    netloc = parts.netloc.rpartition("@")[2]
    return f"{scheme}://{'registry-1.docker.io' if netloc == 'docker.io' else netloc}"


def _is_here(host: str | None) -> bool:
    with contextlib.suppress(ValueError):
        return ip_address(host or "").is_loopback
    return host == "localhost"


@dataclass(frozen=True, slots=True)
class InRepository:
    """The artifacts of one repository of a registry."""

    access: Access
    name: str

    def address(self, asset: PinnedAsset) -> str:
        """The artifact, as registry clients write it."""
        return f"{self.access.url.partition('://')[2]}/{self.name}:{_tag(asset)}"

    def fetch(self, asset: PinnedAsset, files: Sequence[PinnedFile], context: Context) -> None:
        """Take the files themselves where the artifact has them, else the asset."""
        opener = Signed(context.client, self.access, self.name)
        layers = self._layers(asset, opener)
        wanted = [
            (PinnedAsset(asset.tag, file.path, file.sha256, file.size), [file]) for file in files
        ]
        if not all(file.sha256 in layers for file in files):
            self._check(asset, layers)
            wanted = [(asset, list(files))]
        for one, own in wanted:
            download_asset(self._blob(one.sha256), one, own, context, client=opener)

    def probe(self, asset: PinnedAsset, client: Client) -> None:
        """Ask for the artifact, and for one byte of the asset."""
        opener = Signed(client, self.access, self.name)
        self._check(asset, self._layers(asset, opener))
        ask_byte(opener, self._blob(asset.sha256), asset.size)

    def beside(self, asset: PinnedAsset, suffix: str, client: Client) -> bytes:
        """Download the layer of that title."""
        opener, name = Signed(client, self.access, self.name), asset.name + suffix
        for digest, title in self._layers(asset, opener).items():
            if title == name:
                with opener.open(self._blob(digest)) as answer:
                    return answer.content(LARGEST_DOCUMENT)
        raise SourceError(f"{self.address(asset)}: lacks {name}", absent=True)

    def _layers(self, asset: PinnedAsset, opener: Signed) -> dict[str, str]:
        """The titles of the artifact's layers by sha256."""
        url = f"{self.access.url}/v2/{self.name}/manifests/{quote(_tag(asset))}"
        with opener.open(url, {"Accept": _ACCEPT}) as answer:
            document = read_document(answer)
        layers = document.get("layers")
        if not isinstance(layers, list):
            what = (
                "is an index of several artifacts" if "manifests" in document else "has no layers"
            )
            raise SourceError(f"{self.address(asset)}: {what}: push the files as one artifact")
        found = {}
        for layer in layers:
            kind, _, digest = str(layer["digest"]).partition(":")
            if kind == "sha256":
                found[digest] = str((layer.get("annotations") or {}).get(_TITLE, ""))
        return found

    def _check(self, asset: PinnedAsset, layers: Mapping[str, str]) -> None:
        """Refuse an artifact without the asset before anything is downloaded."""
        if asset.sha256 in layers:
            return
        others = [digest for digest, title in layers.items() if title == asset.name]
        if others:
            reason = f"has other bytes as {asset.name}: expected sha256 {asset.sha256}, found {others[0]}"
        else:
            titles = ", ".join(filter(None, layers.values())) or "nothing with a name"
            reason = f"lacks {asset.name} (sha256 {asset.sha256}); it has {titles}"
        raise SourceError(f"{self.address(asset)}: {reason}")

    def _blob(self, sha256: str) -> str:
        return f"{self.access.url}/v2/{self.name}/blobs/sha256:{sha256}"


def _tag(asset: PinnedAsset) -> str:
    return asset.tag.replace("+", "_")  # which no tag there can have; Helm does the same

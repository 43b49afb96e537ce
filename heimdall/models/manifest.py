"""The pinned manifest as the resolver sees it: strict about what it uses, blind to keys it does not know.

The build hook has its own writer and reader; this one stands alone, since the hook is not installed with heimdall.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import sys
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import pin_rules, receipts
from .errors import ManifestError
from .locate import Location, places
from .package import DISTRIBUTION, Package, heimdall

SCHEMA = 1
_TOO_LARGE = 1 << 62
_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class PinnedFile:
    """One file of a model: relative POSIX path, sha256 (64 hex digits), size in bytes, other places, own content."""

    path: str
    sha256: str
    size: int
    also: tuple[str, ...] = ()
    content: bytes | None = None


@dataclass(frozen=True, slots=True)
class PinnedAsset:
    """A file of a release, by the release's tag; size in bytes.

    One with the sha256 of a model's file is that file; any other is a zip with all files of the model.
    """

    tag: str
    name: str
    sha256: str
    size: int

    def is_among(self, files: Sequence[PinnedFile]) -> bool:
        """Whether it is one of the files itself."""
        return any(file.sha256 == self.sha256 for file in files)


@dataclass(frozen=True, slots=True)
class PinnedModel:
    """A model in one variant, as one installed distribution pins it.

    Attributes:
        assets: what its repository's releases have of it.
        entry: the entry's plain JSON, which `receipts` and `locate` work on.
        package: whose manifest pins it.
    """

    name: str
    variant: str
    upstream: str
    repository: str
    assets: tuple[PinnedAsset, ...]
    files: tuple[PinnedFile, ...]
    entry: dict[str, Any]
    package: Package = field(compare=False)

    @property
    def label(self) -> str:
        """Name and variant, for people."""
        return f"{self.name} ({self.variant})"

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)

    @property
    def fetched(self) -> tuple[PinnedFile, ...]:
        """The files that do not travel in the manifest."""
        return tuple(file for file in self.files if file.content is None)

    def assets_for(
        self, wanted: Sequence[PinnedFile]
    ) -> list[tuple[PinnedAsset | None, list[PinnedFile]]]:
        """Which assets to fetch for some of the files: these files themselves where all have an asset, else the zip.

        Returns:
            Each asset with the files that it is for; None for files that no asset has.
        """
        archive = next((asset for asset in self.assets if not asset.is_among(self.files)), None)
        single = {asset.sha256: asset for asset in self.assets}
        if archive and not all(file.sha256 in single for file in wanted):
            return [(archive, list(wanted))]
        chosen: dict[PinnedAsset | None, list[PinnedFile]] = {}
        for file in wanted:
            chosen.setdefault(single.get(file.sha256), []).append(file)
        return list(chosen.items())

    def locate(self, models_dir: str | None = None) -> Location:
        """Where it is: the first of its places, or a location without one; see `locate.places`."""
        return next(places(self.package, self.entry, models_dir), Location(self.entry))


def read_model(
    package: Package | None = None, model: str | None = None, variant: str | None = None
) -> PinnedModel:
    """Read a package's manifest and choose the entry of that name and variant whose marker holds on this machine.

    Args:
        package: default: heimdall.
        model: the model's name; default: the manifest's default.
        variant: its variant; default: as `Package.variant` says.

    Raises:
        ManifestError: if the manifest can't be used, or pins no such model.
    """
    package = package or heimdall()
    document = _read(package)
    with _damage_named(package):
        entry = receipts.choose_entry(document, model, package.variant(variant))
        if entry is None:
            reason = _no_such_entry(document, model, package, variant)
            raise ManifestError(package.manifest_path, reason)
        return _model(document, entry, package)


def read_models(package: Package) -> list[PinnedModel]:
    """Read every entry of a package's manifest, also those for other machines.

    Raises:
        ManifestError: if the manifest can't be used.
    """
    document = _read(package)
    with _damage_named(package):
        return [_model(document, entry, package) for entry in document["models"]]


@contextlib.contextmanager
def _damage_named(package: Package) -> Iterator[None]:
    try:
        yield
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        detail = f"lacks the key {error}" if isinstance(error, KeyError) else str(error)
        raise ManifestError(
            package.manifest_path, f"is damaged ({detail}); {package.remedy}"
        ) from error


def _read(package: Package) -> dict[str, Any]:
    path = package.manifest_path
    try:
        document = receipts.read_manifest(path)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ManifestError(path, f"is missing; {_who_left_it_out(package)}") from error
    except (OSError, ValueError) as error:
        raise ManifestError(path, f"can't be read ({error}); {package.remedy}") from error
    schema = document.get("schema")
    if schema != SCHEMA:
        newer = isinstance(schema, int) and schema > SCHEMA
        remedy = f"a newer release of {DISTRIBUTION} reads it: upgrade" if newer else package.remedy
        raise ManifestError(
            path, f"has schema {schema!r}, this release reads schema {SCHEMA}; {remedy}"
        )
    return document


def _who_left_it_out(package: Package) -> str:
    if package.checkout is not None:
        return f"{package.remedy}, or write it with 'hatch-heimdall-models lock'"
    if getattr(sys, "frozen", False):
        return (
            f"whatever packed this program left it out: have it take the data files of {package.name} along (with "
            f"PyInstaller --collect-data {package.name})"
        )
    return f"reinstall {package.distribution}; whoever builds it needs its build hook"


def _no_such_entry(
    document: Mapping[str, Any], model: str | None, package: Package, variant: str | None
) -> str:
    pinned = ", ".join(f"{entry['name']} ({entry['variant']})" for entry in document["models"])
    asked = f"{model or document['default']} ({package.variant(variant)})"
    reason = f"pins no {asked} for this machine; it pins {pinned or 'nothing'}"
    return f"{reason} (see HEIMDALL_MODEL_VARIANT)" if package.is_heimdall else reason


def _model(document: Mapping[str, Any], entry: dict[str, Any], package: Package) -> PinnedModel:
    assets = (entry["asset"], *entry.get("further_assets", ()))
    files = tuple(_file(item) for item in entry["files"])
    if not files:
        raise ValueError("a model needs files")
    for _, problem in pin_rules.clashes(file.path for file in files):
        raise ValueError(problem)
    return PinnedModel(
        name=_component(entry["name"]),
        variant=_component(entry["variant"]),
        upstream=str(entry.get("upstream", "")),
        repository="/".join(_component(part) for part in document["repository"].split("/")),
        assets=tuple(map(_asset, assets)),
        files=files,
        entry=entry,
        package=package,
    )


def _asset(item: Mapping[str, Any]) -> PinnedAsset:
    return PinnedAsset(
        _component(item["tag"]),
        _component(item["name"]),
        _sha256(item["sha256"]),
        _size(item["size"]),
    )


def _file(item: Mapping[str, Any]) -> PinnedFile:
    file = PinnedFile(
        path=_path(item["path"]),
        sha256=_sha256(item["sha256"]),
        size=_size(item["size"]),
        also=tuple(str(place) for place in item.get("also", ())),
        content=_inflate(item["inline"], _size(item["size"])) if "inline" in item else None,
    )
    if file.content is not None and hashlib.sha256(file.content).hexdigest() != file.sha256:
        raise ValueError(f"the inline content of {file.path} does not have its pinned sha256")
    return file


def _inflate(inline: str, size: int) -> bytes:
    try:
        return zlib.decompressobj().decompress(base64.b64decode(inline, validate=True), size + 1)
    except (binascii.Error, zlib.error) as error:
        raise ValueError(f"inline content is not base64 of zlib: {error}") from error


def _component(text: object) -> str:
    if problem := pin_rules.name_problem(text):
        raise ValueError(f"{text!r} can't be part of a path or URL: it {problem}")
    return str(text)


def _path(text: object) -> str:
    if problem := pin_rules.model_path_problem(text):
        raise ValueError(f"{text!r} can't be a file's path: it {problem}")
    return str(text)


def _sha256(text: object) -> str:
    if isinstance(text, str) and len(text) == 64 and set(text) <= _HEX:
        return text
    raise ValueError(f"{text!r} is no sha256 in lower-case hexadecimal")


def _size(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value < _TOO_LARGE:
        return value
    raise ValueError(f"{value!r} is no size in bytes")

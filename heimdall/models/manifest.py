"""The pinned manifest as the resolver sees it: strict about what it uses, blind to keys it does not know.

The build hook has its own writer and reader; this one stands alone, since the hook is not installed with heimdall.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import receipts
from .errors import ManifestError

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
    """The zip below a release's tag that holds all files of a model; size in bytes."""

    tag: str
    name: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class PinnedModel:
    """A model in one variant, as one installed distribution pins it.

    Attributes:
        entry: the entry's plain JSON, which `heimdall.models.receipts` works on.
    """

    name: str
    variant: str
    upstream: str
    repository: str
    asset: PinnedAsset
    files: tuple[PinnedFile, ...]
    entry: dict[str, Any]

    @property
    def label(self) -> str:
        """Name and variant, for people."""
        return f"{self.name} ({self.variant})"


def read_model(path: str, model: str | None = None, variant: str | None = None) -> PinnedModel:
    """Read the manifest and choose the entry of that name and variant whose marker holds on this machine.

    Raises:
        ManifestError: if the manifest can't be used, or pins no such model.
    """
    document = _read(path)
    try:
        entry = receipts.choose_entry(document, model, variant)
        if entry is None:
            raise ManifestError(path, _no_such_entry(document, model, variant))
        return _model(document, entry)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        detail = f"lacks the key {error}" if isinstance(error, KeyError) else str(error)
        raise ManifestError(
            path, f"is damaged ({detail}); reinstall the package that it belongs to"
        ) from error


def _read(path: str) -> dict[str, Any]:
    try:
        document = receipts.read_json(path)
    except FileNotFoundError as error:
        reason = "is missing; heimdall-mcp was built without its build hook (HATCH_BUILD_NO_HOOKS?): reinstall it"
        raise ManifestError(path, reason) from error
    except (OSError, ValueError) as error:
        raise ManifestError(
            path, f"can't be read ({error}); reinstall the package that it belongs to"
        ) from error
    schema = document.get("schema")
    if schema != SCHEMA:
        newer = isinstance(schema, int) and schema > SCHEMA
        remedy = (
            "a newer release of heimdall-mcp reads it: upgrade"
            if newer
            else "reinstall the package that it belongs to"
        )
        raise ManifestError(
            path, f"has schema {schema!r}, this release reads schema {SCHEMA}; {remedy}"
        )
    return document


def _no_such_entry(document: Mapping[str, Any], model: str | None, variant: str | None) -> str:
    pinned = ", ".join(f"{entry['name']} ({entry['variant']})" for entry in document["models"])
    asked = f"{model or document['default']} ({receipts.wanted_variant(variant)})"
    return f"pins no {asked} for this machine; it pins {pinned or 'nothing'} (see HEIMDALL_MODEL_VARIANT)"


def _model(document: Mapping[str, Any], entry: dict[str, Any]) -> PinnedModel:
    asset = entry["asset"]
    files = tuple(_file(item) for item in entry["files"])
    if not files or len({file.path.casefold() for file in files}) != len(files):
        raise ValueError("a model needs files, each path once, also where case does not count")
    folders = {parent.casefold() for file in files for parent in _parents(file.path)}
    if clashes := [
        file.path for file in files if file.path.casefold() in folders | {receipts.STORE}
    ]:
        raise ValueError(f"{clashes[0]} can't be a file and a folder")
    if receipts.STORE in folders:
        raise ValueError(f"a model has no files in {receipts.STORE}")
    return PinnedModel(
        name=_component(entry["name"]),
        variant=_component(entry["variant"]),
        upstream=str(entry.get("upstream", "")),
        repository="/".join(_component(part) for part in document["repository"].split("/")),
        asset=PinnedAsset(
            _component(asset["tag"]),
            _component(asset["name"]),
            _sha256(asset["sha256"]),
            _size(asset["size"]),
        ),
        files=files,
        entry=entry,
    )


def _parents(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]


def _file(item: Mapping[str, Any]) -> PinnedFile:
    file = PinnedFile(
        path=_relative(item["path"]),
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
    if (
        isinstance(text, str)
        and text.strip(".")
        and not set(text) & set('/\\:*?"<>|\0')
        and text.isprintable()
    ):
        return text
    raise ValueError(f"{text!r} can't be part of a path or URL")


def _relative(path: str) -> str:
    for part in path.split("/"):
        _component(part)
    return path


def _sha256(text: object) -> str:
    if isinstance(text, str) and len(text) == 64 and set(text) <= _HEX:
        return text
    raise ValueError(f"{text!r} is no sha256 in lower-case hexadecimal")


def _size(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value < _TOO_LARGE:
        return value
    raise ValueError(f"{value!r} is no size in bytes")

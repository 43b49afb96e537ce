"""A release as GitHub has it, drafts included."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from release.gh import Gh

_UPLOADED = "uploaded"


@dataclass(frozen=True, slots=True)
class RemoteAsset:
    """A file of a release.

    Attributes:
        name: the file's name.
        size: bytes; 0 while it is not whole.
        whole: whether its upload ended; one that broke off keeps the name taken.
        sha256: as GitHub has it; None where it does not tell.
    """

    name: str
    size: int
    whole: bool
    sha256: str | None

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> RemoteAsset:
        """Read the API's JSON object."""
        kind, _, digest = str(document.get("digest") or "").partition(":")
        return cls(
            document["name"],
            document["size"],
            document["state"] == _UPLOADED,
            digest if kind == "sha256" else None,
        )


@dataclass(frozen=True, slots=True)
class RemoteRelease:
    """A release.

    Attributes:
        draft: whether users can't see it yet.
        immutable: whether GitHub lets nothing of it be changed.
        page: its URL, for people.
        assets: its files.
    """

    draft: bool
    immutable: bool
    page: str
    assets: tuple[RemoteAsset, ...]

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> RemoteRelease:
        """Read the API's JSON object."""
        return cls(
            draft=document["draft"],
            immutable=document.get("immutable", False),
            page=document["html_url"],
            assets=tuple(RemoteAsset.of(asset) for asset in document["assets"]),
        )


def releases_of(gh: Gh, tag: str) -> list[RemoteRelease]:
    """Every release of this tag: none, one, or, where there are drafts, several."""
    documents = (document for page in gh.get("releases?per_page=100") for document in page)
    return [RemoteRelease.of(document) for document in documents if document["tag_name"] == tag]

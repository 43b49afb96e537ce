"""A release's assets: what they are called, which ones a lock pins, and the sums beside them."""

from __future__ import annotations

from collections.abc import Iterable

from hatch_heimdall_models.manifest import Asset, Manifest

SUMS_NAME = "SHA256SUMS"
"""Stands beside a release's assets for those who check with `sha256sum --check`."""


def asset_name(tag: str, folder: str = "") -> str:
    """The file name of the release asset with the set in that folder, as `Recipe.folder` has it."""
    return f"heimdall-models-{tag}{f'-{folder}' if folder else ''}.zip"


def pinned_assets(lock: Manifest, tag: str) -> list[Asset]:
    """The assets that a lock pins at a tag, each once, by name."""
    pinned = {asset for model in lock.models for asset in model.assets if asset.tag == tag}
    return sorted(pinned, key=lambda asset: asset.name)


def sums_bytes(assets: Iterable[Asset]) -> bytes:
    """The content of `SHA256SUMS`, sorted by name."""
    in_order = sorted(assets, key=lambda asset: asset.name)
    return "".join(f"{asset.sha256}  {asset.name}\n" for asset in in_order).encode()

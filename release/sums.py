"""`SHA256SUMS`, which stands beside a release's assets for those who check with `sha256sum --check`."""

from __future__ import annotations

from collections.abc import Iterable

from hatch_heimdall_models.manifest import Asset

SUMS_NAME = "SHA256SUMS"


def sums_bytes(assets: Iterable[Asset]) -> bytes:
    """The file's content, sorted by name."""
    return "".join(
        f"{asset.sha256}  {asset.name}\n" for asset in sorted(assets, key=lambda one: one.name)
    ).encode()

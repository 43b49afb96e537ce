"""Names, pins and sums of a release's assets."""

from __future__ import annotations

from dataclasses import replace

from hatch_heimdall_models.manifest import Asset
from release.assets import asset_name, pinned_assets, sums_bytes
from tests.support.release_checkout import NAME, SHA256, TAG, manifest


def test_an_asset_is_named_for_its_tag_and_its_folder() -> None:
    assert asset_name("v0.4.0") == "heimdall-models-v0.4.0.zip"
    assert asset_name("v0.4.0", "compact") == "heimdall-models-v0.4.0-compact.zip"


def test_a_lock_pins_an_asset_once_at_its_own_tag() -> None:
    lock = manifest()
    twice = replace(lock, models=(*lock.models, replace(lock.models[0], variant="other")))
    assert [asset.name for asset in pinned_assets(twice, TAG)] == [NAME]
    assert pinned_assets(twice, "v9") == []


def test_the_sums_are_sorted_by_name() -> None:
    asset = Asset(TAG, NAME, SHA256, 1)
    assert sums_bytes([replace(asset, name="b"), replace(asset, name="a")]) == (
        f"{SHA256}  a\n{SHA256}  b\n".encode()
    )

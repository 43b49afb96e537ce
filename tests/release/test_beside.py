"""The attestation beside each asset: what it has to be about, and what is left to do for it to be published."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from hatch_heimdall_models.errors import ModelBuildError
from hatch_heimdall_models.manifest import Asset
from release.assets import SUMS_NAME
from release.beside import attestation_name, lay_beside
from release.github_release import RemoteAsset, RemoteRelease
from release.publication import Plan, plan_publication

TAG = "v1"


def asset(name: str) -> Asset:
    return Asset(TAG, name, f"{len(name):064x}", 10)


ASSET, SUMS = asset("model.zip"), asset(SUMS_NAME)
ATTESTATION = asset(attestation_name(ASSET))


def bundle(*assets: Asset) -> bytes:
    subjects = [{"name": one.name, "digest": {"sha256": one.sha256}} for one in assets]
    payload = base64.b64encode(json.dumps({"subject": subjects}).encode()).decode()
    return json.dumps({"dsseEnvelope": {"payload": payload}}).encode()


def test_a_copy_goes_beside_each_asset_that_it_is_about(tmp_path: Path) -> None:
    other = asset("another.zip")
    path = tmp_path / "attestation.json"
    path.write_bytes(bundle(ASSET, SUMS, other))
    copies = lay_beside(path, [ASSET, other], tmp_path)
    assert [copy.name for copy in copies] == [
        "model.zip.sigstore.json",
        "another.zip.sigstore.json",
    ]
    for copy in copies:
        assert (tmp_path / copy.name).read_bytes() == path.read_bytes()
        assert (copy.tag, copy.size) == (TAG, path.stat().st_size)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (bundle(SUMS), f"says nothing of model.zip \\(sha256 {ASSET.sha256}\\)"),
        (b"{}", "is no Sigstore bundle"),
        (b"\xff", "is no Sigstore bundle"),
        (b'{"dsseEnvelope": {"payload": "e30="}}', "is no Sigstore bundle"),
    ],
)
def test_another_file_is_refused(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "attestation.json"
    path.write_bytes(content)
    with pytest.raises(ModelBuildError, match=problem):
        lay_beside(path, [ASSET], tmp_path)
    assert list(tmp_path.iterdir()) == [path]


def released(*assets: tuple[Asset, bool], draft: bool) -> list[RemoteRelease]:
    there = tuple(
        RemoteAsset(one.name, one.size, whole, one.sha256 if whole else None)
        for one, whole in assets
    )
    return [RemoteRelease(draft, False, "page", there)]


@pytest.mark.parametrize("draft", [True, False])
def test_the_attestation_of_an_earlier_run_stays(draft: bool) -> None:
    """Each run makes another one."""
    earlier = Asset(TAG, ATTESTATION.name, "f" * 64, 11)
    releases = released((ASSET, True), (SUMS, True), (earlier, True), draft=draft)
    for beside in ([], [ATTESTATION]):
        plan = plan_publication(TAG, releases, [ASSET, SUMS], beside)
        assert plan == Plan(create=False, discard=(), upload=(), publish=draft)


def test_one_that_broke_off_is_replaced_or_left_out() -> None:
    releases = released((ASSET, True), (SUMS, True), (ATTESTATION, False), draft=True)
    for beside in ([], [ATTESTATION]):
        plan = plan_publication(TAG, releases, [ASSET, SUMS], beside)
        assert (plan.discard, plan.upload) == ((ATTESTATION.name,), tuple(beside))


def test_what_is_public_gets_none_afterwards() -> None:
    releases = released((ASSET, True), (SUMS, True), draft=False)
    assert plan_publication(TAG, releases, [ASSET, SUMS], [ATTESTATION]).upload == ()

"""What one package fetched, another one has: told by bytes, whatever the names of assets and files are."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from hatch_heimdall_models.manifest import Asset, Manifest
from heimdall.models import ModelUnavailable, ensure
from heimdall.models.store import Store
from release.assets import pinned_assets
from tests.support.servers import RunningServer, github, plain_mirror
from tests.support.small_model import SmallModel, noise

pytestmark = pytest.mark.slow

LARGE, OTHER, SMALL = noise(300_000), noise(120_000, seed=2), b"{}\n"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    site = tmp_path / "site"
    monkeypatch.syspath_prepend(site)
    monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", "")
    monkeypatch.setenv("HEIMDALL_GITHUB_URL", "http://127.0.0.1:9")
    return site


def package(site: Path, name: str, manifest: Manifest) -> str:
    (site / name).mkdir(parents=True)
    (site / name / "__init__.py").write_text("raise RuntimeError")
    (site / name / "model_manifest.json").write_text(manifest.dumps())
    return name


def single(directory: Path, **contents: bytes) -> list[Asset]:
    """Files as assets of the release v1."""
    (directory / "v1").mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (directory / "v1" / name).write_bytes(content)
    return [
        Asset("v1", name, hashlib.sha256(content).hexdigest(), len(content))
        for name, content in contents.items()
    ]


def with_assets(manifest: Manifest, assets: list[Asset], repository: str) -> Manifest:
    (model,) = manifest.models
    pinned = replace(model, asset=assets[0], further_assets=tuple(assets[1:]))
    return replace(manifest, repository=repository, models=(pinned,))


def sent(server: RunningServer) -> int:
    return sum(record.sent for record in server.requests.settled() if record.status == 200)


def test_a_file_that_is_an_asset_comes_as_it_is(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"net.onnx": LARGE, "data/weights": OTHER, "config.json": SMALL}
    small = SmallModel(tmp_path / "model", files)
    assets = single(tmp_path / "release", **{"net-v1.onnx": LARGE, "weights-v1.bin": OTHER})
    manifest = with_assets(small.manifest, assets, "owner/repository")
    assert [asset.name for asset in pinned_assets(manifest, "v1")] == [
        "net-v1.onnx",
        "weights-v1.bin",
    ]
    package(site, "single_files", manifest)
    with github(tmp_path / "release", repository="owner/repository") as hub:
        monkeypatch.setenv("HEIMDALL_GITHUB_URL", hub.url)
        small.assert_tree(ensure("single_files"))
        assert sum(record.sent for record in hub.requests.settled() if record.status == 200) == len(
            LARGE
        ) + len(OTHER)


@pytest.mark.parametrize("served", ["http", "file"])
def test_a_file_that_is_here_is_not_fetched_again(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, served: str
) -> None:
    first = SmallModel(tmp_path / "first", {"net.onnx": LARGE, "config.json": SMALL}, name="net")
    second = SmallModel(tmp_path / "second", {"model/other name": LARGE, "vectors": OTHER})
    assets = single(tmp_path / "second", **{"big.bin": LARGE, "vectors.bin": OTHER})
    package(site, "has_it", first.manifest)
    package(site, "needs_more", with_assets(second.manifest, assets, "somebody/else"))
    monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", first.mirror)
    ensure("has_it")
    with plain_mirror(second.directory) as server:
        prefix = server.url if served == "http" else second.mirror
        monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", prefix)
        second.assert_tree(ensure("needs_more"))
        assert sent(server) == (len(OTHER) if served == "http" else 0)


def test_the_rest_of_an_archive_comes_in_single_files_where_there_are_some(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = SmallModel(tmp_path / "first", {"net.onnx": LARGE}, name="net")
    package(site, "has_it", first.manifest)
    monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", first.mirror)
    ensure("has_it")
    monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", "")
    single(tmp_path / "upstream", vectors=OTHER)
    with plain_mirror(tmp_path / "upstream") as upstream:
        second = SmallModel(
            tmp_path / "second",
            {"model": LARGE, "vectors": OTHER},
            also={"vectors": (f"{upstream.url}/v1/vectors",)},
        )
        package(site, "needs_more", second.manifest)
        with github(second.directory, repository="owner/repository") as hub:
            monkeypatch.setenv("HEIMDALL_GITHUB_URL", hub.url)
            second.assert_tree(ensure("needs_more"))
            assert not hub.requests.settled()
            assert sent(upstream) == len(OTHER)


def test_a_package_whose_files_are_all_here_needs_no_network(
    site: Path, tmp_path: Path, models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other asset, other repository, other names; the network is forbidden and would not answer."""
    first = SmallModel(tmp_path / "first", {"a": LARGE, "b": OTHER}, name="net")
    second = SmallModel(tmp_path / "second", {"x/y": OTHER, "z": LARGE}, tag="v7", name="other")
    package(site, "has_it", first.manifest)
    package(site, "needs_it", replace(second.manifest, repository="somebody/else"))
    monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", first.mirror)
    ensure("has_it")
    with plain_mirror(second.directory) as server:
        monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", server.url)
        monkeypatch.setenv("HEIMDALL_OFFLINE", "1")
        second.assert_tree(ensure("needs_it"))
        assert not server.requests.settled()
    assert len(list((models_dir / ".store" / "blobs").iterdir())) == 2


def test_two_packages_with_a_model_of_one_name_do_not_collide(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have `net` at v1.0 in an asset of one name, at one mirror."""
    mirror = tmp_path / "mirror"
    models = {}
    for owner, content in (("one", LARGE), ("two", OTHER)):
        directory = mirror / owner / "net"
        models[owner] = SmallModel(directory, {"net.onnx": content}, tag="v1.0", name="net")
        manifest = replace(models[owner].manifest, repository=f"{owner}/net")
        package(site, f"package_{owner}", manifest)
    monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", mirror.as_uri())
    trees = {owner: ensure(f"package_{owner}") for owner in models}
    for owner, model in models.items():
        model.assert_tree(trees[owner])
        assert ensure(f"package_{owner}") == trees[owner]
    assert len(list(Store().sets.iterdir())) == len(list(Store().users.iterdir())) == 2


def test_a_file_that_no_asset_has_is_named(site: Path, tmp_path: Path) -> None:
    small = SmallModel(tmp_path / "model", {"net.onnx": LARGE, "vectors": OTHER})
    assets = single(tmp_path / "release", **{"net.onnx": LARGE})
    package(site, "incomplete", with_assets(small.manifest, assets, "owner/repository"))
    with pytest.raises(ModelUnavailable, match="no asset has vectors"):
        ensure("incomplete")

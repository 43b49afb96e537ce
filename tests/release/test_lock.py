"""`lock`: what is pinned, and when an older release's asset stays."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import zlib

import pytest

from hatch_heimdall_models.errors import ModelBuildError
from hatch_heimdall_models.inventory import take_inventory
from hatch_heimdall_models.lock import differences, lock_differences
from hatch_heimdall_models.manifest import Manifest
from tests.support.release_bench import Bench


@pytest.fixture
def first(bench: Bench) -> Manifest:
    """The lock of release v1.0.0."""
    bench.pack()
    return bench.lock()


def change_licence(bench: Bench) -> None:
    bench.license.write_text("another licence text")


def test_it_pins_the_files_and_the_asset(bench: Bench, first: Manifest) -> None:
    (model,) = first.models
    asset = bench.assets / "v1.0.0" / "heimdall-models-v1.0.0.zip"
    content = asset.read_bytes()
    assert dataclasses.astuple(model.asset) == (
        "v1.0.0",
        asset.name,
        hashlib.sha256(content).hexdigest(),
        len(content),
    )
    assert not differences(first, take_inventory(bench.models))
    assert (first.distribution, first.repository, first.default) == (
        "tiny-dist",
        "owner/tiny",
        "tiny-bert",
    )
    assert (model.name, model.variant, model.license) == ("tiny-bert", "standard", "Apache-2.0")


def test_small_files_travel_inside_and_large_ones_have_their_other_places(
    bench: Bench, first: Manifest
) -> None:
    files = {file.path: file for file in first.models[0].files}
    large = files.pop("tokenizer/tokenizer.json")
    assert large.inline is None
    assert large.also == (
        f"https://models.example/owner/tiny-bert/resolve/{bench.tiny.recipe.revision}/tokenizer.json",
        "pypi:tiny-model==1.0#tiny_model/files/tokenizer.json",
    )
    for path, file in files.items():
        assert (
            zlib.decompress(base64.b64decode(file.inline or ""))
            == (bench.models / path).read_bytes()
        )


def test_the_asset_of_an_older_release_stays_when_nothing_changed(
    bench: Bench, first: Manifest
) -> None:
    bench.pack("v1.10.0")
    assert bench.lock("v1.10.0", old=first).models[0].asset == first.models[0].asset
    # Versions count as versions, not as text: v1.9.0 is older than v1.10.0.
    bench.pack("v1.9.0")
    tenth = bench.lock("v1.10.0")
    assert bench.lock("v1.9.0", old=tenth).models[0].asset.tag == "v1.9.0"
    ninth = bench.lock("v1.9.0")
    assert bench.lock("v1.10.0", old=ninth).models[0].asset.tag == "v1.9.0"


def test_an_asset_that_differs_is_pinned_anew(bench: Bench, first: Manifest) -> None:
    change_licence(bench)
    packed = bench.pack("v2.0.0")
    asset = bench.lock("v2.0.0", old=first).models[0].asset
    assert (asset.tag, asset.sha256) == ("v2.0.0", packed.asset.sha256)
    assert asset.sha256 != first.models[0].asset.sha256


def test_tags_that_are_no_versions_are_not_compared(bench: Bench, first: Manifest) -> None:
    bench.pack("nightly")
    assert bench.lock("nightly", old=first).models[0].asset.tag == "nightly"


def test_entries_of_other_variants_stay(bench: Bench, first: Manifest) -> None:
    compact = dataclasses.replace(first.models[0], variant="compact")
    old = dataclasses.replace(first, models=(first.models[0], compact))
    assert [model.variant for model in bench.lock(old=old).models] == ["compact", "standard"]


def test_another_zlib_changes_nothing(bench: Bench, first: Manifest) -> None:
    model = first.models[0]
    files = tuple(
        dataclasses.replace(
            file,
            inline=base64.b64encode(
                zlib.compress(zlib.decompress(base64.b64decode(file.inline)), 0)
            ).decode(),
        )
        if file.inline
        else file
        for file in model.files
    )
    old = dataclasses.replace(first, models=(dataclasses.replace(model, files=files),))
    assert old.dumps() != first.dumps()
    assert bench.lock(old=old).dumps() == old.dumps()


def test_an_asset_of_another_model_is_refused(bench: Bench, first: Manifest) -> None:
    (bench.models / "model_config.json").write_text("{}")
    with pytest.raises(ModelBuildError, match="run 'python -m release pack' first"):
        bench.lock(old=first)


def test_no_model_and_no_asset_are_said(bench: Bench) -> None:
    with pytest.raises(ModelBuildError, match=r"heimdall-models-v1\.0\.0\.zip: can't be read"):
        bench.lock()
    empty = dataclasses.replace(bench, folder=bench.folder / "elsewhere")
    with pytest.raises(ModelBuildError, match="run 'python -m release build' first"):
        empty.lock()


def test_every_difference_is_named(bench: Bench, first: Manifest) -> None:
    assert lock_differences(first, first) == []
    assert lock_differences(None, first) == ["there is no lock"]
    change_licence(bench)
    bench.pack()
    repinned = dataclasses.replace(bench.lock(), distribution="other")
    changed = [line.partition(":")[0] for line in lock_differences(first, repinned)]
    assert changed == [
        "distribution",
        "tiny-bert standard.asset.sha256",
        "tiny-bert standard.asset.size",
    ]

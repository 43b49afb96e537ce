"""Two variants of one model, through build, pack and lock."""

from __future__ import annotations

import dataclasses
import shutil

import pytest

from hatch_heimdall_models.asset import read_asset
from hatch_heimdall_models.errors import ModelBuildError
from hatch_heimdall_models.inventory import take_inventory
from hatch_heimdall_models.lock import differences
from tests.support.release_bench import Bench
from tests.support.tiny_release import COMPACT

FOLDERS = {"compact": "compact"}


@pytest.fixture
def both(bench: Bench) -> Bench:
    """A bench whose recipe has the compact set too, which is built."""
    recipe = bench.tiny.recipe
    recipe = dataclasses.replace(recipe, sets=(*recipe.sets, COMPACT))
    bench = dataclasses.replace(bench, tiny=dataclasses.replace(bench.tiny, recipe=recipe))
    bench.build()
    return bench


def test_the_other_set_lies_in_a_folder_of_its_own_and_leaves_the_standard_one_alone(
    both: Bench,
) -> None:
    content = both.content()
    compact = {path.removeprefix("compact/") for path in content if path.startswith("compact/")}
    assert compact == {
        "tiny-bert.onnx",
        "model_config.json",
        "tokenizer/tokenizer.json",
        "tokenizer/special_tokens_map.json",
    }
    assert content["compact/model_config.json"] == content["model_config.json"]
    assert both.build() == []


def test_each_variant_has_an_asset_and_the_sums_have_both(both: Bench) -> None:
    standard, compact = both.pack_all("v1.2.3")
    assert compact.path.name == "heimdall-models-v1.2.3-compact.zip"
    assert standard.path.with_name("SHA256SUMS").read_text().splitlines() == [
        f"{compact.asset.sha256}  {compact.path.name}",
        f"{standard.asset.sha256}  {standard.path.name}",
    ]
    assert read_asset(compact.path) == take_inventory(both.models / "compact")
    assert [file.path for file in read_asset(standard.path)] == sorted(
        path for path in both.content() if not path.startswith("compact/")
    )


def test_the_standard_asset_is_what_it_is_without_the_other(bench: Bench, both: Bench) -> None:
    together = both.pack("v2").asset.sha256
    shutil.rmtree(bench.models / "compact")
    assert bench.pack("v1").asset.sha256 == together


def test_a_strange_file_in_the_folder_is_refused(both: Bench) -> None:
    (both.models / "compact" / "stray.bin").write_bytes(b"stray")
    with pytest.raises(ModelBuildError, match=r"stray\.bin is no part of the model"):
        both.pack_all()
    with pytest.raises(ModelBuildError, match=r"compact/stray\.bin is no part of the model"):
        both.build()


def test_the_lock_pins_both_with_paths_of_the_same_names(both: Bench) -> None:
    both.pack_all()
    lock = both.lock()
    compact, standard = lock.models
    assert (compact.variant, standard.variant) == ("compact", "standard")
    assert {file.path for file in standard.files} - {file.path for file in compact.files} == {
        "model.safetensors"
    }
    assert compact.asset.name == "heimdall-models-v1.0.0-compact.zip"
    assert compact.graphs == {"compact": {"path": "tiny-bert.onnx", "purpose": "tests"}}
    assert differences(lock, take_inventory(both.models), FOLDERS) == []
    assert both.lock(old=lock) == lock

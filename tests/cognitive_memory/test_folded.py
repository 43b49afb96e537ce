"""Graphs with computed weights, kept in the store: over the real resolver, which adopts the checkout's own model."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from threading import enumerate as threads

import numpy as np
import pytest

from cognitive_memory.core.config import EmbeddingConfig
from cognitive_memory.core.variants import pinned_graph
from cognitive_memory.encoding import Encoder, ONNXEmbeddingProvider, encoder, folded
from cognitive_memory.encoding.session import ModelSession, save_folded
from heimdall.models import graph_cache
from heimdall.models.resolver import resolve
from tests.support.near import assert_near
from tests.support.permissions import binding_permissions
from tests.support.real_model import DIRECTORY

pytestmark = pytest.mark.model

TEXTS = ["where the time zone is handled", "short", "the same words again and again " * 40]


@pytest.fixture(params=["fast", "compact"])
def variant(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def models_dir(model_directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HEIMDALL_OFFLINE", "1")
    monkeypatch.setenv("HEIMDALL_PROGRESS", "0")
    return tmp_path / "models"


@pytest.fixture
def graphs(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The graphs that sessions are made of during the test."""
    seen: list[Path] = []
    make = ModelSession.__init__

    def watched(self: ModelSession, graph: Path, **options: object) -> None:
        seen.append(graph)
        make(self, graph, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(ModelSession, "__init__", watched)
    return seen


def provider(models_dir: Path, variant: str) -> ONNXEmbeddingProvider:
    return ONNXEmbeddingProvider(EmbeddingConfig(model_cache_dir=str(models_dir), variant=variant))


def cache_of(models_dir: Path, variant: str) -> Path:
    (cache,) = graph_cache.places(resolve(variant=variant, models_dir=models_dir))
    return cache


def kept(cache: Path) -> list[Path]:
    return [path for path in cache.iterdir() if path.name != ".lock"]


def as_it_is(variant: str) -> np.ndarray:
    directory = DIRECTORY / "compact" if variant == "compact" else DIRECTORY
    graph = pinned_graph("all-MiniLM-L6-v2", variant)
    return Encoder.load(directory, graph=graph).encode_batch(TEXTS)


def test_it_is_made_once_and_gives_the_same_vectors(
    models_dir: Path, variant: str, graphs: list[Path]
) -> None:
    first = provider(models_dir, variant).encode_batch(TEXTS)
    graphs.clear()
    second = provider(models_dir, variant).encode_batch(TEXTS)
    np.testing.assert_array_equal(first, second)
    assert_near(first, as_it_is(variant))
    (made,) = kept(cache_of(models_dir, variant))
    assert "-onnxruntime-" in made.name
    assert set(graphs[:2]) == {made / "folded.onnx"}  # no other was even opened for the second one


@pytest.mark.parametrize("vnni", [True, False])
def test_what_stands_in_is_near_and_leaves_the_exact_provider_as_it_is(
    models_dir: Path, vnni: bool, graphs: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoder, "processor_has", lambda _: vnni)
    exact = provider(models_dir, "standard")
    quick = ONNXEmbeddingProvider(replace(exact.config, exact=False))
    assert quick.embedding_space == exact.embedding_space
    expected = exact.encode_batch(TEXTS)
    assert_near(expected, as_it_is("standard"))
    assert not any("derived" in graph.parts for graph in graphs)
    in_bulk = quick.encode_batch(TEXTS)
    assert np.allclose(in_bulk, expected, rtol=0, atol=1e-5) != vnni
    for _ in range(2):
        quick.encode(TEXTS[0])
    for thread in threads():
        if thread.name == "heimdall-settle":
            thread.join()
    alone = np.stack([quick.encode(text) for text in TEXTS])
    assert not np.allclose(alone, expected, rtol=0, atol=1e-5)
    for vectors in (alone, in_bulk):
        assert (vectors * expected).sum(axis=1).min() > 0.99
    assert any("derived" in graph.parts for graph in graphs)


def test_standard_needs_none(models_dir: Path) -> None:
    provider(models_dir, "standard").encode("text")
    assert not cache_of(models_dir, "standard").exists()


def test_another_onnxruntime_makes_its_own(
    models_dir: Path, variant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider(models_dir, variant).encode("text")
    monkeypatch.setattr("onnxruntime.__version__", "99.0")
    provider(models_dir, variant).encode("text")
    assert len(kept(cache_of(models_dir, variant))) == 2


def test_a_damaged_one_is_made_again(models_dir: Path, variant: str) -> None:
    before = provider(models_dir, variant).encode_batch(TEXTS)
    (weights,) = cache_of(models_dir, variant).glob("*/folded.weights")
    with weights.open("r+b") as stream:
        stream.write(bytes(1000))
    np.testing.assert_array_equal(provider(models_dir, variant).encode_batch(TEXTS), before)


def test_one_that_does_not_load_is_made_again(models_dir: Path, variant: str) -> None:
    before = provider(models_dir, variant).encode_batch(TEXTS)
    cache = cache_of(models_dir, variant)
    (made,) = kept(cache)

    def write_nonsense(directory: Path) -> None:
        (directory / "folded.onnx").write_bytes(b"nonsense")

    (made / "receipt.json").unlink()
    graph_cache.make(
        cache, made.name, write_nonsense
    )  # with a receipt that says: this is how it is
    for _ in range(2):  # over the graph itself, and over a new one
        np.testing.assert_array_equal(provider(models_dir, variant).encode_batch(TEXTS), before)
    assert (made / "folded.weights").exists()


def test_one_that_vanishes_is_made_again_for_the_next_session(
    models_dir: Path, variant: str, graphs: list[Path]
) -> None:
    used = provider(models_dir, variant)
    before = used.encode(TEXTS[1])
    cache = cache_of(models_dir, variant)
    graph_cache.discard(cache)
    graphs.clear()
    assert_near(used.encode_batch(TEXTS)[1], before)
    assert [path.parent for path in graphs[-1:]] == kept(cache)


def test_one_with_other_vectors_is_not_kept(
    models_dir: Path,
    variant: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def save_spoiled(graph: Path, target: Path) -> None:
        save_folded(graph, target)
        weights = target.with_suffix(".weights")
        content = np.fromfile(weights, np.uint8)
        content[len(content) // 2 :] = 1
        content.tofile(weights)

    monkeypatch.setattr(folded, "save_folded", save_spoiled)
    with caplog.at_level(logging.INFO, logger="cognitive_memory.encoding"):
        vectors = provider(models_dir, variant).encode_batch(TEXTS)
    assert_near(vectors, as_it_is(variant))
    assert "gives other vectors" in caplog.text
    assert kept(cache_of(models_dir, variant)) == []


def test_where_nothing_can_be_written_the_graph_is_used_as_it_is(
    models_dir: Path, variant: str
) -> None:
    cache = cache_of(models_dir, variant)
    mode = cache.parent.stat().st_mode
    cache.parent.chmod(0o555)
    try:
        with binding_permissions():
            vectors = provider(models_dir, variant).encode_batch(TEXTS)
    finally:
        cache.parent.chmod(mode)
    assert_near(vectors, as_it_is(variant))
    assert not cache.exists()


def test_the_read_only_tier_is_not_written_to(
    models_dir: Path, variant: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cache = cache_of(models_dir, variant)
    monkeypatch.setenv("HEIMDALL_SYSTEM_MODELS", str(models_dir))
    provider(tmp_path / "users", variant).encode("text")
    assert not cache.exists()
    assert not (tmp_path / "users").exists()

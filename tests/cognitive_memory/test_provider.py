"""The provider over the real resolver, which adopts the checkout's own model: no network."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import numpy as np
import pytest

from cognitive_memory.core.config import ConfigError, EmbeddingConfig
from cognitive_memory.encoding import Encoder, ModelLoadError, ONNXEmbeddingProvider
from cognitive_memory.encoding.errors import EmptyTextError, TextTypeError
from heimdall.models import ManifestError
from tests.support.capabilities import needs_fork
from tests.support.near import assert_near
from tests.support.real_model import ROOT

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def shared_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data") / "models"


@pytest.fixture
def config(
    model_directory: Path, shared_models: Path, monkeypatch: pytest.MonkeyPatch
) -> EmbeddingConfig:
    monkeypatch.setenv("HEIMDALL_OFFLINE", "1")
    monkeypatch.setenv("HEIMDALL_PROGRESS", "0")
    return EmbeddingConfig(model_cache_dir=str(shared_models))


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The directories that models are loaded from during the test."""
    seen: list[Path] = []
    load = Encoder.load

    def watched(directory: Path, **options: Any) -> Encoder:
        seen.append(directory)
        return load(directory, **options)

    monkeypatch.setattr(Encoder, "load", watched)
    return seen


def test_first_text_brings_the_model_and_loads_it_once(
    config: EmbeddingConfig, encoder: Encoder, loads: list[Path]
) -> None:
    provider = ONNXEmbeddingProvider(config)
    assert loads == []
    assert_near(provider.encode("some text"), encoder.encode("some text"))
    vectors = provider.encode_batch(["b", "some text"])
    assert_near(vectors, encoder.encode_batch(["b", "some text"]))
    assert len(loads) == 1
    assert loads[0].is_relative_to(config.model_cache_dir)


def test_threads_share_one_model_and_get_their_own_vectors(
    config: EmbeddingConfig, encoder: Encoder, loads: list[Path]
) -> None:
    provider = ONNXEmbeddingProvider(config)
    start = Barrier(8)

    def work(number: int) -> bool:
        texts = [f"thread {number} text {index} " * (1 + 7 * index) for index in range(6)]
        start.wait()
        vectors = provider.encode_batch(texts)
        alone = np.stack([provider.encode(text) for text in texts])
        expected = encoder.encode_batch(texts)
        return np.allclose(vectors, expected, rtol=0, atol=1e-6) and np.allclose(
            alone, expected, rtol=0, atol=1e-6
        )

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(8)))
    assert len(loads) == 1


def test_configuration_is_the_default_one_unless_given(tmp_path: Path) -> None:
    assert ONNXEmbeddingProvider().config == EmbeddingConfig()
    given = EmbeddingConfig(batch_size=3, model_cache_dir=str(tmp_path))
    assert ONNXEmbeddingProvider(given).config is given


def test_other_dimension_is_named(config: EmbeddingConfig) -> None:
    other = EmbeddingConfig(embedding_dimension=768, model_cache_dir=config.model_cache_dir)
    with pytest.raises(
        ConfigError,
        match=r"EmbeddingConfig.embedding_dimension: is 768, but the model in .* has 384",
    ):
        ONNXEmbeddingProvider(other).encode("text")


def test_unknown_model_is_an_error(config: EmbeddingConfig) -> None:
    other = EmbeddingConfig(model_name="all-MaxiLM", model_cache_dir=config.model_cache_dir)
    with pytest.raises(ManifestError, match="all-MaxiLM"):
        ONNXEmbeddingProvider(other).encode("text")


def test_bad_text_is_an_error_before_any_model_is_loaded(
    config: EmbeddingConfig, loads: list[Path]
) -> None:
    provider = ONNXEmbeddingProvider(config)
    with pytest.raises(TextTypeError, match="text 1 is of type int"):
        provider.encode_batch(["fine", 3])  # type: ignore[list-item]
    with pytest.raises(EmptyTextError, match="text 1 holds nothing"):
        list(provider.encode_stream(["fine", "\x00"]))
    with pytest.raises(EmptyTextError):
        provider.encode("\u200b")
    assert loads == []


def test_stream_and_progress_reach_the_engine(config: EmbeddingConfig, encoder: Encoder) -> None:
    provider = ONNXEmbeddingProvider(config)
    texts = [f"number {index}" for index in range(40)]
    seen: list[tuple[int, int]] = []
    vectors = provider.encode_batch(
        iter(texts), progress=lambda done, total: seen.append((done, total))
    )
    assert seen[-1] == (40, 40)
    (block,) = provider.encode_stream(iter(texts))
    assert_near(block.vectors, vectors)
    assert list(provider.encode_stream([])) == []


def test_device_reaches_the_engine(config: EmbeddingConfig) -> None:
    other = EmbeddingConfig(device="coreml", model_cache_dir=config.model_cache_dir)
    with pytest.raises(ConfigError, match="macOS"):
        ONNXEmbeddingProvider(other).encode("text")


@needs_fork
def test_forked_child_loads_the_model_anew(config: EmbeddingConfig) -> None:
    """A child has none of its parent's threads: with the parent's session it would wait for them for ever."""
    code = (
        "import os, sys, warnings; from pathlib import Path\n"
        "warnings.simplefilter('ignore')  # Python's own about forking with threads\n"
        "from cognitive_memory.core.config import EmbeddingConfig\n"
        "from cognitive_memory.encoding import ONNXEmbeddingProvider\n"
        f"provider = ONNXEmbeddingProvider(EmbeddingConfig(model_cache_dir=Path({str(config.model_cache_dir)!r})))\n"
        "texts = ['word ' * 400] * 6\n"
        "for _ in range(3): provider.encode('parent')\n"
        "provider.encode_batch(texts)\n"
        "if child := os.fork(): sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
        # As multiprocessing's children end; Python's own way out waits for ever, in onnxruntime, after any fork.
        "os._exit(provider.encode('child').shape != (384,) or len(provider.encode_batch(texts)) != 6)"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    assert (
        subprocess.run(
            [sys.executable, "-c", code], timeout=900, check=False, env=environment
        ).returncode
        == 0
    )


def test_broken_file_is_healed(
    config: EmbeddingConfig, encoder: Encoder, tmp_path: Path, loads: list[Path]
) -> None:
    config = EmbeddingConfig(model_cache_dir=str(tmp_path / "models"))
    ONNXEmbeddingProvider(config).encode("text")
    tokenizer = loads.pop() / "tokenizer" / "tokenizer.json"
    before = tokenizer.stat()
    # Size and time stamp stay, so that nothing but loading it can notice.
    tokenizer.write_bytes(bytes(before.st_size))
    os.utime(tokenizer, ns=(before.st_atime_ns, before.st_mtime_ns))

    vector = ONNXEmbeddingProvider(config).encode("text")
    assert_near(vector, encoder.encode("text"))
    assert len(loads) == 2


def test_sound_files_that_do_not_load_are_not_fetched_again(
    config: EmbeddingConfig, loads: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(directory: Path, **_options: str) -> Encoder:
        loads.append(directory)
        raise ModelLoadError(str(directory), "onnxruntime is too old for it")

    monkeypatch.setattr(Encoder, "load", unreadable)
    provider = ONNXEmbeddingProvider(config)
    with pytest.raises(ModelLoadError, match="too old"):
        provider.encode("text")
    assert len(loads) == 1


def test_failed_load_may_succeed_later(
    config: EmbeddingConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = ONNXEmbeddingProvider(config)
    with monkeypatch.context() as patch:
        patch.setattr(
            Encoder,
            "load",
            lambda directory, **_: (_ for _ in ()).throw(ModelLoadError(str(directory), "busy")),
        )
        with pytest.raises(ModelLoadError, match="busy"):
            provider.encode("text")
    assert provider.encode("text").shape == (384,)


def test_a_copy_in_another_process_loads_its_own_model(
    config: EmbeddingConfig, encoder: Encoder
) -> None:
    provider = ONNXEmbeddingProvider(config)
    provider.encode("loads it")
    copy = pickle.loads(pickle.dumps(provider))  # noqa: S301
    assert copy.config == config
    assert_near(copy.encode("text"), encoder.encode("text"))

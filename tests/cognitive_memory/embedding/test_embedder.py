from __future__ import annotations

import gc
from pathlib import Path
from weakref import ref

import pytest

from cognitive_memory.core.config import EmbeddingConfig
from cognitive_memory.embedding.embedder import ModelEmbedder
from cognitive_memory.encoding import Encoder
from cognitive_memory.project_memory import ProjectMemory


@pytest.mark.model
def test_memories_of_a_process_share_one_model(
    model_directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEIMDALL_OFFLINE", "1")
    monkeypatch.setenv("HEIMDALL_PROGRESS", "0")
    loaded: list[Path] = []
    load = Encoder.load

    def watched(directory: Path, **options: object) -> Encoder:
        loaded.append(directory)
        return load(directory, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Encoder, "load", watched)
    opened = [ProjectMemory.open(tmp_path / f"{name}.db") for name in ("project", "user")]
    for memory in opened:
        memory._embedder.embed(["where is it"])
        memory.close()
    assert len(loaded) == 1


def test_another_configuration_has_its_own_and_what_nobody_uses_is_gone() -> None:
    used = ModelEmbedder()
    assert ModelEmbedder()._provider is used._provider
    assert ModelEmbedder(EmbeddingConfig())._provider is not used._provider
    reference = ref(used._provider)
    del used
    gc.collect()
    assert reference() is None

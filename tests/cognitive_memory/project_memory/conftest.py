"""A memory whose embedder needs no model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cognitive_memory.project_memory import ProjectMemory
from cognitive_memory.storage.backup import problems_in
from tests.support.plain_embedder import PlainEmbedder


@pytest.fixture
def embedder() -> PlainEmbedder:
    return PlainEmbedder()


@pytest.fixture
def memory(tmp_path: Path, embedder: PlainEmbedder) -> Iterator[ProjectMemory]:
    with embedder.open(tmp_path / "memory.db") as memory:
        yield memory
        assert problems_in(memory.database) == []

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cognitive_memory.project_memory import ProjectMemory
from cognitive_memory.storage import schema
from cognitive_memory.storage.backup import problems_in
from tests.support.plain_embedder import PlainEmbedder


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / ".heimdall" / "cognitive_memory.db"


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What looks bad is looked at again without a pause: no other process is just making it."""
    monkeypatch.setattr(schema, "_SECOND_LOOKS", (0.0,))


@pytest.fixture
def embedder() -> PlainEmbedder:
    return PlainEmbedder()


@pytest.fixture
def memory(database: Path, embedder: PlainEmbedder) -> Iterator[ProjectMemory]:
    with embedder.open(database) as memory:
        yield memory
        assert problems_in(memory.database) == []

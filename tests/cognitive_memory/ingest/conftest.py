from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cognitive_memory.project_memory import ProjectMemory
from tests.support.git_repository import Repository


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    return root


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[ProjectMemory]:
    with ProjectMemory.open(tmp_path / "memory" / "memory.db") as opened:
        yield opened


@pytest.fixture
def repository(project: Path) -> Repository:
    return Repository.make(project)

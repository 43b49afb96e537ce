from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from tests.support.hook_project import HookProject


@pytest.fixture
def sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> HookProject:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    root = tmp_path / "project"
    (root / "src/sample").mkdir(parents=True)
    return HookProject(root)

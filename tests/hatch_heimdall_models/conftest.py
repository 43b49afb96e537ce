from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from tests.support.hook_project import HookProject
from tests.support.locked import Locked


@pytest.fixture
def sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> HookProject:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    root = tmp_path / "project"
    (root / "src/sample").mkdir(parents=True)
    return HookProject(root)


@pytest.fixture
def project(tmp_path: Path) -> Locked:
    return Locked(tmp_path / "project")


@pytest.fixture
def locked(project: Locked, capsys: pytest.CaptureFixture[str]) -> Locked:
    assert project.run() == 0
    capsys.readouterr()
    return project

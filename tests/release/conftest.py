"""A tiny release for each test, and a pip that looks nowhere else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.tiny_release import TinyRelease, make_tiny_release


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TinyRelease:
    for name in list(os.environ):
        if name.startswith("PIP_"):
            monkeypatch.delenv(name)
    release = make_tiny_release(tmp_path / "wheels")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(release.wheels))
    monkeypatch.setenv("HOME", str(tmp_path))
    return release

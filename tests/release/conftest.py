"""A tiny release for each test, and a pip that looks nowhere else."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.support.release_bench import Bench
from tests.support.tiny_release import TinyRelease, make_tiny_release

@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TinyRelease:
    release = make_tiny_release(tmp_path / "wheels")
    _lead_pip_to(release.wheels, monkeypatch)
    monkeypatch.setenv("HOME", str(tmp_path))
    return release


@pytest.fixture
def bench(tmp_path: Path, tiny: TinyRelease, built: Bench) -> Bench:
    """A model that is built already, with a cache that has all there was to fetch."""
    bench = Bench(tmp_path, tiny)
    shutil.copytree(built.models, bench.models)
    shutil.copytree(built.cache, bench.cache)
    return bench


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """Made once, because pip takes its time; only to be copied."""
    folder = tmp_path_factory.mktemp("built")
    bench = Bench(folder, make_tiny_release(folder / "wheels"))
    with pytest.MonkeyPatch.context() as monkeypatch:
        _lead_pip_to(bench.tiny.wheels, monkeypatch)
        bench.build()
    return bench


def _lead_pip_to(wheels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("PIP_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))

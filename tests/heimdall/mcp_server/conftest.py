from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.mcp_raw import ROOT, RawServer
from tests.support.small_model import Installation


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's directory, which servers are started in; nothing is fetched."""
    directory = tmp_path / "project"
    (directory / ".git").mkdir(parents=True)
    monkeypatch.chdir(directory)
    monkeypatch.setenv("HEIMDALL_FETCH", "never")
    return directory


@pytest.fixture
def raw(project: Path) -> Iterator[RawServer]:
    with RawServer() as server:
        yield server


@pytest.fixture
def fetching(project: Path, installation: Installation, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment of servers whose model is a small one that a mirror has; add `HEIMDALL_MODELS_MIRROR`."""
    monkeypatch.delenv("HEIMDALL_FETCH")
    return {"PYTHONPATH": f"{installation.site}{os.pathsep}{ROOT}", "HEIMDALL_SOURCES": "mirror"}

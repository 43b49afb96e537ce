from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from mcp import Client

from cognitive_memory.core.config import EmbeddingConfig
from heimdall.mcp_server.roots import Roots
from heimdall.mcp_server.server import make_server
from heimdall.mcp_server.service import Service
from heimdall.models import locations
from tests.support.mcp_raw import ROOT, RawServer
from tests.support.small_model import Installation, SmallModel


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """heimdall installed with a small model pinned, which is nowhere on this machine."""
    model = SmallModel(tmp_path_factory.mktemp("release"), name=EmbeddingConfig().model_name)
    return Installation.make(tmp_path_factory.mktemp("site"), model).site


@pytest.fixture
def project(tmp_path: Path, site: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's directory, which servers are started in; they have no model, and fetch none."""
    directory = tmp_path / "project"
    (directory / ".git").mkdir(parents=True)
    monkeypatch.chdir(directory)
    monkeypatch.setenv("HEIMDALL_FETCH", "never")
    monkeypatch.setenv("PYTHONPATH", f"{site}{os.pathsep}{ROOT}")
    monkeypatch.setattr(locations, "PACKAGE_DIRECTORY", str(site / "heimdall"))
    return directory


@pytest.fixture
def raw(project: Path) -> Iterator[RawServer]:
    with RawServer() as server:
        yield server


@pytest.fixture
def small(tmp_path: Path) -> SmallModel:
    """The release of the model that is pinned."""
    return SmallModel(tmp_path / "release", name=EmbeddingConfig().model_name)


@pytest.fixture
def fetching(project: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment of servers that fetch their model from a mirror; add `HEIMDALL_MODELS_MIRROR`."""
    monkeypatch.delenv("HEIMDALL_FETCH")
    return {"HEIMDALL_SOURCES": "mirror"}


@pytest.fixture(params=["legacy", "2026-07-28"])
def era(request: pytest.FixtureRequest) -> str:
    """How the SDK's client connects: by `initialize`, or with every request by itself."""
    return str(request.param)


@pytest.fixture
async def client(project: Path, era: str) -> AsyncIterator[Client]:
    """The SDK's client of a server in this process, whose project is the working directory."""
    service = Service(Roots())
    async with Client(make_server(service), mode=era) as connected:
        yield connected
    service.close(0)

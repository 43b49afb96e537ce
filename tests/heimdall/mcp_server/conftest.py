from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from mcp import Client

from heimdall.mcp_server.roots import Roots
from heimdall.mcp_server.server import make_server
from heimdall.mcp_server.service import Service
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

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cognitive_memory.core.memory import NewMemory
from cognitive_memory.embedding.embedder import ModelEmbedder
from cognitive_memory.opening import open_memory
from cognitive_memory.project.find import Project
from tests.support.plain_embedder import PlainEmbedder
from tests.support.qdrant_standin import good_node

pytestmark = pytest.mark.slow


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with two memories whose vectors bear the pinned model's label."""
    root = tmp_path / "project"
    (root / ".git").mkdir(parents=True)
    project = Project(root)
    open_memory(project).close()
    with PlainEmbedder(name=ModelEmbedder().embedding_space()).open(project.database) as memory:
        memory.store_many([NewMemory(text="one"), NewMemory(text="two")])
    return project


def qdrant(project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "heimdall", "qdrant", *arguments]
    return subprocess.run(
        command,
        cwd=project.root,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=900,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with good_node() as url:
        monkeypatch.setenv("HEIMDALL_QDRANT_URL", url)
        yield


@pytest.mark.usefixtures("server")
def test_the_life_of_a_copy(project: Project) -> None:
    behind = qdrant(project, "status")
    assert behind.returncode == 1, behind.stderr
    assert "2 here, 0 there" in behind.stdout
    assert "'heimdall qdrant push' brings it up to date" in behind.stdout
    assert json.loads(qdrant(project, "verify", "--json").stdout)["missing"]
    pushed = qdrant(project, "push")
    assert pushed.returncode == 0, pushed.stderr
    assert pushed.stdout.startswith("2 written, 0 removed; 2 in heimdall-")
    assert json.loads(qdrant(project, "status", "--json").stdout)["vectors_there"] == 2
    assert qdrant(project, "verify").returncode == 0

    project.database.unlink()
    pulled = qdrant(project, "pull", "--json")
    assert json.loads(pulled.stdout)["added"] == 2
    foreign = qdrant(project, "push")
    assert foreign.returncode == 2
    assert "'heimdall qdrant push --take-over'" in foreign.stderr
    assert qdrant(project, "verify").returncode == 1
    assert qdrant(project, "push", "--take-over").returncode == 0

    refused = qdrant(project, "drop")
    assert refused.returncode == 2
    assert "--yes goes on without asking" in refused.stderr
    assert "2 removed from" in qdrant(project, "drop", "--yes").stdout
    assert json.loads(qdrant(project, "drop", "--yes", "--json").stdout)["dropped"]


def test_without_a_server_each_command_says_so(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    status = qdrant(project, "status")
    assert (status.returncode, status.stdout) == (
        1,
        "No Qdrant is configured: vectors are searched on this machine.\n",
    )
    for command in ("push", "pull", "verify", "drop"):
        done = qdrant(project, command)
        assert done.returncode == 2
        assert "No Qdrant is configured: set HEIMDALL_QDRANT_URL" in done.stderr
    monkeypatch.setenv("HEIMDALL_QDRANT_URL", "nonsense")
    assert "expected an address" in qdrant(project, "push").stderr


def test_an_unreachable_server_is_an_error_without_a_traceback(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEIMDALL_QDRANT_URL", "http://127.0.0.1:1")
    status = qdrant(project, "status", "--json")
    assert status.returncode == 1
    assert json.loads(status.stdout)["reachable"] is False
    push = qdrant(project, "push")
    assert push.returncode == 2
    assert push.stderr.startswith("heimdall: Qdrant at http://127.0.0.1:1: no answer")
    assert "Traceback" not in push.stderr

"""What is answered before the SDK is there, against what the SDK answers."""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cognitive_memory.core.memory import NewMemory
from heimdall.mcp_server import projects
from heimdall.mcp_server.projects import Memories
from heimdall.mcp_server.service import Service
from heimdall.mcp_server.tools.first_recall import first_recall
from heimdall.mcp_server.transport.opening import Opening
from tests.support.mcp_raw import INITIALIZE
from tests.support.real_model import linked_copy
from tests.support.static_lists import answers_of_the_sdk

QUESTION = {"query": "when is it deployed", "max_results": 2}


def called(name: str, **arguments: object) -> dict[str, Any]:
    params = {"name": name, "arguments": arguments, "_meta": {"progressToken": 7}}
    return {"jsonrpc": "2.0", "id": "ä", "method": "tools/call", "params": params}


@pytest.fixture
def memories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Memories:
    """Of a project that has three, and the model is on this machine."""
    (tmp_path / "project" / ".git").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "project")
    monkeypatch.setenv("HEIMDALL_SYSTEM_MODELS", str(linked_copy(tmp_path / "models")))
    memories = Memories()
    memory = memories.made(projects.find(()).project)
    memory.store(NewMemory(text="We deploy on Fridays", tags=("übung",), importance=0.3))
    memory.store(NewMemory(text='"Deployed" >\n  by tools/deploy\u2028.sh', source="docs/a.md"))
    memory.store(NewMemory(text="Tabs, not blanks"))
    return memories


@pytest.mark.anyio
@pytest.mark.model
@pytest.mark.slow
@pytest.mark.parametrize("more", [{}, {"tags": "übung", "types": [], "date_range": "this year"}])
async def test_an_answer_is_what_the_sdk_says(memories: Memories, more: dict[str, object]) -> None:
    opening = Opening(partial(first_recall, memories))
    question = called("recall_memories", **QUESTION, **more)
    lines = [opening.answer(json.dumps(each).encode()) for each in (INITIALIZE, question)]
    service = Service(None, memories)
    expected = await answers_of_the_sdk(INITIALIZE, question, service=service)
    service.close(0)
    assert [line and line.line for line in lines] == expected
    assert json.loads(expected[1])["result"]["structuredContent"]["mode"] == "hybrid"


@pytest.mark.model
@pytest.mark.slow
def test_what_is_not_complete_is_left_to_the_sdk(
    memories: Memories, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(name: str = "recall_memories", /, **arguments: object) -> dict[str, Any] | None:
        return first_recall(memories, {"name": name, "arguments": arguments})

    with monkeypatch.context() as without:
        without.setitem(sys.modules, "heimdall.mcp_server.tools.arguments", None)
        assert answer(**QUESTION), "pydantic is not needed for a question alone"
        assert answer(**QUESTION, tags=["a"]) is None
    assert answer(query="\udcff") is answer(query="x" * 10_001) is None
    assert answer(query="x", max_results=51) is answer(query="x", max_results=0) is None
    assert answer("memory_status") is None
    assert answer(query=" ") is answer(query="x", cursor="x") is answer(quarry="x") is None
    with monkeypatch.context() as elsewhere:
        elsewhere.chdir("/")
        assert answer(**QUESTION) is None, "no project"
    monkeypatch.setenv("HEIMDALL_SYSTEM_MODELS", "/nowhere")
    memory = memories.made(projects.find(()).project)
    with memory.storage.writing() as writer:
        writer.put([NewMemory(text="It has no vector yet")])
    assert answer(**QUESTION) is None, "a memory waits for its vector"
    memories.close()

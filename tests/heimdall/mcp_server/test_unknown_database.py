"""A server in a repository that brought a database of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.hostile_databases import a_strangers, deleting_journal
from tests.support.mcp_raw import RawServer

pytestmark = pytest.mark.slow

CALLS: tuple[tuple[str, dict[str, object]], ...] = (
    ("store_memory", {"text": "mine"}),
    ("recall_memories", {"query": "mine"}),
    ("memory_status", {}),
    ("delete_memory", {"memory_id": "6f1a0c5e-7b1d-4c7e-9a3b-2d1e0f9c8b7a"}),
    ("delete_memories_by_tags", {"tags": ["a"]}),
)


@pytest.mark.parametrize("journal", [False, True])
def test_it_answers_and_every_tool_names_the_command_that_helps(
    project: Path, tmp_path: Path, journal: bool
) -> None:
    database = project / ".heimdall" / "cognitive_memory.db"
    a_strangers(database, "Obey.")
    victim = tmp_path / "precious"
    victim.write_text("precious")
    if journal:
        deleting_journal(database, victim)
    before = {path.name: path.read_bytes() for path in database.parent.iterdir()}
    with RawServer() as raw:
        assert raw.initialize()["result"]["serverInfo"]
        for tool, arguments in CALLS:
            result = raw.call(tool, **arguments)
            assert result["isError"], tool
            assert f"'heimdall project adopt {project}'" in result["content"][0]["text"], tool
    assert {path.name: path.read_bytes() for path in database.parent.iterdir()} == before
    assert victim.exists()

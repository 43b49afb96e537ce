"""Many processes on one database: no lost write, no "database is locked", no damage, whoever is killed when."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cognitive_memory.core.memory import NewMemory
from cognitive_memory.project_memory import ProjectMemory
from cognitive_memory.storage.backup import problems_in
from tests.support.capabilities import needs_fork
from tests.support.plain_embedder import PlainEmbedder
from tests.support.real_model import ROOT

pytestmark = pytest.mark.slow

EACH = 100
"""How many memories each writer stores."""
KILLS = int(os.environ.get("KILLS", "40"))
SCRIPT = ROOT / "tests" / "support" / "memory_writers.py"


def start(*arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(ROOT), "HEIMDALL_FETCH": "never"},
    )


def finish(process: subprocess.Popen[str]) -> str:
    printed, complained = process.communicate(timeout=900)
    assert process.returncode == 0, complained
    assert complained == ""
    return printed


def test_eight_writers_with_readers_lose_nothing(database: Path) -> None:
    readers = [start("read", database) for _ in range(2)]
    writers = [start("write", database, f"writer{number}", EACH) for number in range(8)]
    acknowledged = {line for writer in writers for line in finish(writer).split()}
    assert [int(finish(reader)) for reader in readers]
    with PlainEmbedder().open(database) as memory:
        assert len(acknowledged) == memory.storage.status().memories == 8 * EACH
        assert {item.id for item in memory.memories()} == acknowledged
        assert set(memory.storage.status().tags.values()) == {EACH}
        memory.embed_pending()
        assert memory.storage.status().embedded == 8 * EACH
        assert problems_in(memory.database) == []


@needs_fork
def test_a_memory_that_is_just_being_made_is_not_taken_for_something_else(database: Path) -> None:
    finish(start("open", database, 8))


@pytest.mark.kills
@needs_fork
def test_kills_lose_nothing(database: Path) -> None:
    process = start("kill", database, KILLS)
    assert json.loads(finish(process))["killed"] == KILLS


@needs_fork
def test_forked_child_has_connections_of_its_own(memory: ProjectMemory) -> None:
    memory.store(NewMemory(text="parent"))
    walk = memory.export_lines()  # a connection that is in use across the fork
    next(walk)
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            for number in range(50):
                memory.store(NewMemory(text=f"child {number}"), embed=False)
            code = 0 if memory.storage.status().memories >= 51 else 2
        finally:
            os._exit(code)
    for number in range(50):
        memory.store(NewMemory(text=f"parent {number}"))
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert len(list(walk)) == 1
    assert memory.storage.status().memories == 101

"""Loads that are killed at random moments, in real processes."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cognitive_memory.project_memory import ProjectMemory
from tests.support.git_repository import Repository
from tests.support.small_model import ROOT
from tests.support.trees import write_tree

FILES = 150
KILLS = 8


def _start(project: Path, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "heimdall", *arguments, "--no-embed"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "HEIMDALL_PROJECT": str(project)},
        cwd=project,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _state(project: Path) -> set[tuple[object, ...]]:
    database = project / ".heimdall" / "cognitive_memory.db"
    if not database.exists():
        return set()
    with ProjectMemory.open(database) as memory:
        return {
            (found.id, found.text, found.context, found.type, found.tags, found.source, str(found.metadata))
            for found in memory.memories()
        }


@pytest.mark.kills
@pytest.mark.parametrize("command", [("load", "."), ("git-load",)])
def test_a_load_that_is_killed_ends_where_an_undisturbed_one_does(tmp_path: Path, command: tuple[str, ...]) -> None:
    disturbed, undisturbed = tmp_path / "disturbed", tmp_path / "undisturbed"
    repository = Repository.make(disturbed)
    long = "Many words in a paragraph here. " * 30
    write_tree(
        disturbed, {f"docs/{number}.md": f"# {number}\n\n{long}\n\n## More\n\n{long}\n" for number in range(FILES)}
    )
    write_tree(disturbed, {".gitignore": ".heimdall\n"})
    repository.commit("All files")
    stream = "".join(
        f"commit refs/heads/main\ncommitter A <a@b> {1_750_001_000 + number} +0000\ndata <<.\nCommit {number}\n\n{long}\n{long}\n.\n{'from refs/heads/main^0' if not number else ''}\n"
        for number in range(1000)
    )
    repository.git("fast-import", "--quiet", "--force", text=stream.encode())
    repository.git("clone", "--quiet", ".", str(undisturbed))
    assert _start(undisturbed, *command).wait(timeout=120) == 0
    expected = _state(undisturbed)

    chance = random.Random()
    seen = []
    for _ in range(KILLS):
        process = _start(disturbed, *command)
        try:
            process.wait(timeout=chance.uniform(0.15, 0.6))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        state = _state(disturbed)
        assert state <= expected
        seen.append(len(state))
    assert seen == sorted(seen)
    assert _start(disturbed, *command).wait(timeout=120) == 0
    assert _state(disturbed) == expected

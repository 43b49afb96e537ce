"""Loads that are killed at random moments, in real processes."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cognitive_memory.project_memory import ProjectMemory
from cognitive_memory.storage.backup import problems_in
from tests.cognitive_memory.ingest.texts import QUADRATIC
from tests.support.git_repository import Repository
from tests.support.small_model import ROOT
from tests.support.sources import load_states
from tests.support.trees import write_tree
from tests.support.waiting import wait_until

FILES = 100
COMMITS = 800
KILLS = 6
LONG = "Many words in a paragraph here. " * 30


def _start(project: Path, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "heimdall", *arguments, "--no-embed"],
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "HEIMDALL_PROJECT": str(project),
            "HEIMDALL_OFFLINE": "1",
            "HEIMDALL_FETCH": "never",
        },
        cwd=project,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _database(project: Path) -> Path:
    return project / ".heimdall" / "cognitive_memory.db"


def _count(project: Path) -> int:
    read_only = f"{_database(project).as_uri()}?mode=ro"
    # It may not be there yet, or be in the making.
    with (
        contextlib.suppress(sqlite3.OperationalError),
        contextlib.closing(sqlite3.connect(read_only, uri=True)) as found,
    ):
        return int(found.execute("SELECT count(*) FROM memories").fetchone()[0])
    return 0


def _state(project: Path) -> set[tuple[object, ...]]:
    with ProjectMemory.open(_database(project)) as memory:
        assert problems_in(memory.database) == []
        return {
            (
                found.id,
                found.text,
                found.context,
                found.type,
                found.tags,
                found.source,
                str(found.metadata),
            )
            for found in memory.memories()
        }


def _history(repository: Repository) -> None:
    """Commits upon commits, made in one go."""
    commits = []
    for number in range(COMMITS):
        message = f"Commit {number}\n\n{LONG}\n{LONG if number % 3 else ''}\n".encode()
        head = f"commit refs/heads/main\ncommitter A <a@b> {1_750_001_000 + number} +0000\ndata {len(message)}\n"
        commits.append(head.encode() + message)
    repository.git("fast-import", "--quiet", "--force", text=b"".join(commits))


@pytest.mark.kills
@pytest.mark.parametrize("command", [("load", "docs"), ("git-load",)])
def test_a_load_that_is_killed_ends_where_an_undisturbed_one_does(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    disturbed, undisturbed = tmp_path / "disturbed", tmp_path / "undisturbed"
    files = {
        f"docs/{number}.md": f"# {number}\n\n{LONG}\n\n## More\n\n{LONG}\n"
        for number in range(FILES)
    }
    for project in (disturbed, undisturbed):
        _history(Repository.make(project))
        write_tree(project, files)
    assert _start(undisturbed, *command).wait(timeout=900) == 0
    expected = _state(undisturbed)

    chance = random.Random()
    for _ in range(KILLS):
        process = _start(disturbed, *command)
        enough = chance.randint(_count(disturbed), len(expected))
        while process.poll() is None and _count(disturbed) < enough:
            time.sleep(chance.uniform(0, 0.01))
        process.kill()
        process.wait()
        if _database(disturbed).exists():
            assert _state(disturbed) <= expected
    assert _start(disturbed, *command).wait(timeout=900) == 0
    assert _state(disturbed) == expected


@pytest.mark.slow
def test_ctrl_c_ends_a_load_in_the_middle_of_a_file(project: Path) -> None:
    write_tree(project, {"a.md": "First.", **{f"b{number}.md": QUADRATIC for number in range(500)}})
    process = _start(project, "load", ".")
    # a.md, and a first one of those that take over a second
    wait_until(lambda: _count(project) >= 2, process)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=900) == 130
    with ProjectMemory.open(_database(project)) as memory:
        assert "First." in {found.text for found in memory.memories()}
        assert "a.md" in load_states(memory)

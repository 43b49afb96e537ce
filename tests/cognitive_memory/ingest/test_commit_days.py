from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cognitive_memory.ingest.commit_days import last_commits
from cognitive_memory.ingest.folders import load_paths
from cognitive_memory.project_memory import ProjectMemory
from tests.support.git_repository import Repository

pytestmark = pytest.mark.slow


def _moment(number: int) -> datetime:
    return datetime.fromtimestamp(1_750_000_000 + 60 * number, UTC)


def test_each_file_has_the_time_of_the_last_commit_that_changed_it(repository: Repository) -> None:
    repository.commit("One", a_md="a", docs__b_md="b", **{"é ü_md": "c"})
    repository.commit("Two", a_md="aa")
    (repository.folder / "new.md").write_text("new")
    files = ["a.md", "docs/b.md", "é ü.md", "new.md", "gone.md"]
    first, second = _moment(1), _moment(2)
    assert last_commits(repository.folder, files) == {
        "a.md": second,
        "docs/b.md": first,
        "é ü.md": first,
    }
    assert last_commits(repository.folder / "docs", ["b.md"]) == {"b.md": first}


def test_where_there_is_no_history_there_are_no_times(project: Path, tmp_path: Path) -> None:
    assert last_commits(project, ["a.md"]) == {}
    repository = Repository.make(tmp_path / "empty")
    assert last_commits(repository.folder, ["a.md"]) == {}


def test_memories_carry_the_day_of_the_last_commit_or_else_of_the_file(
    repository: Repository, memory: ProjectMemory
) -> None:
    repository.commit("One", a_md="Committed.\n", b_md="# Of 2020-02-03\n\nDated.\n")
    other = repository.folder / "c.md"
    other.write_text("Not committed.\n")
    os.utime(other, (1_600_000_000, 1_600_000_000))
    load_paths(memory, [repository.folder], repository.folder)
    times = {found.source: found.created_at for found in memory.memories()}
    assert times == {
        "a.md": _moment(1),
        "b.md": datetime(2020, 2, 3, 12, tzinfo=UTC),
        "c.md": datetime.fromtimestamp(1_600_000_000, UTC),
    }
    repository.commit("Two", a_md="Committed again.\n")
    load_paths(memory, [repository.folder], repository.folder)
    (found,) = [found for found in memory.memories() if found.source == "a.md"]
    assert found.created_at == _moment(2)

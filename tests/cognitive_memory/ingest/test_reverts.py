from __future__ import annotations

import pytest

from cognitive_memory.ingest.commits import read_commits
from cognitive_memory.ingest.git_command import Git
from cognitive_memory.ingest.git_history import load_history
from cognitive_memory.ingest.reverts import with_reverted
from cognitive_memory.project_memory import ProjectMemory
from tests.support.git_repository import Repository

pytestmark = pytest.mark.slow

REASON = "The proxy drops the first request after a deployment."


def _message(repository: Repository, sha: str) -> str:
    git = Git(repository.folder)
    (commit,) = with_reverted(git, list(read_commits(git, [sha], [])))
    return commit.message


@pytest.mark.parametrize("length", [40, 9])
def test_a_revert_tells_why_that_was_done_which_it_takes_back(
    repository: Repository, length: int
) -> None:
    done = repository.commit(f"Retry thrice\n\n{REASON}", a_txt="1\n")
    said = f'Revert "Retry thrice"\n\nThis reverts commit {done[:length]}.'
    message = _message(repository, repository.commit(said, a_txt="2\n"))
    assert message.startswith(said)
    assert message.endswith(REASON)
    assert message.count("Retry thrice") == 1


def test_a_revert_with_a_subject_of_its_own_has_the_other_one_too(repository: Repository) -> None:
    done = repository.commit("Retry thrice", a_txt="1\n")
    undone = repository.commit(f"Fail at once\n\nThis reverts commit {done}.", a_txt="2\n")
    assert _message(repository, undone).endswith("Retry thrice")


@pytest.mark.parametrize("name", ["0" * 40, "deadbee", "f" * 64])
def test_what_git_does_not_have_is_left_out(repository: Repository, name: str) -> None:
    said = f"Undo\n\nThis reverts commit {name}."
    assert _message(repository, repository.commit(said, a_txt="1\n")) == said


def test_a_file_is_no_commit(repository: Repository) -> None:
    repository.commit("One", a_txt="1\n")
    blob = repository.git("rev-parse", "HEAD:a.txt").strip()
    said = f"Undo\n\nThis reverts commit {blob}."
    assert _message(repository, repository.commit(said, a_txt="2\n")) == said


def test_a_long_message_is_cut(repository: Repository) -> None:
    done = repository.commit("Retry\n\n" + "because of this " * 1000, a_txt="1\n")
    undone = repository.commit(f"Undo\n\nThis reverts commit {done}.", a_txt="2\n")
    assert len(_message(repository, undone)) < 1_200


def test_the_memory_of_a_revert_is_found_by_what_it_takes_back(
    memory: ProjectMemory, repository: Repository
) -> None:
    done = repository.commit(f"Retry thrice\n\n{REASON}", a_txt="1\n")
    repository.commit(f'Revert "Retry thrice"\n\nThis reverts commit {done}.', a_txt="2\n")
    load_history(memory, repository.folder, repository.folder)
    assert sum(REASON in found.text for found in memory.memories()) == 2

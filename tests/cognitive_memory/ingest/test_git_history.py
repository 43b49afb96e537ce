from __future__ import annotations

from pathlib import Path

import pytest

from cognitive_memory.core.recall import RecallFilter
from cognitive_memory.core.values import Json
from cognitive_memory.ingest.errors import GitError
from cognitive_memory.ingest.git_history import GitOptions, load_history
from cognitive_memory.ingest.reports import GitReport
from cognitive_memory.project_memory import ProjectMemory
from tests.support.git_repository import Repository
from tests.support.sources import load_states, set_load_states

pytestmark = pytest.mark.slow

LINES = "".join(f"line {number}\n" for number in range(50))


def _load(memory: ProjectMemory, repository: Repository, **options: object) -> GitReport:
    return load_history(memory, repository.folder, repository.folder, GitOptions(**options))  # type: ignore[arg-type]


def _subjects(memory: ProjectMemory) -> list[str]:
    return [found.text.split("\n", 1)[0] for found in memory.memories(order="oldest")]


def _ids(memory: ProjectMemory) -> set[str]:
    return {found.id for found in memory.memories()}


def test_each_commit_is_loaded_once(memory: ProjectMemory, repository: Repository) -> None:
    repository.commit("One", a_txt=LINES)
    tip = repository.commit("Two", a_txt=None)
    report = _load(memory, repository)
    assert (report.commits, report.known, report.tip, report.repository) == (
        2,
        0,
        tip,
        "git:history",
    )
    assert _subjects(memory) == ["One", "Two"]
    revision = memory.storage.status().revision
    again = _load(memory, repository)
    assert (again.commits, again.known, memory.storage.status().revision) == (0, 2, revision)


def test_repositories_with_sha256(memory: ProjectMemory, tmp_path: Path) -> None:
    repository = Repository.make(tmp_path / "new", "--object-format=sha256")
    repository.commit("One", a_txt=LINES)
    repository.commit("Two", a_txt=None)
    assert (_load(memory, repository).commits, _subjects(memory)) == (2, ["One", "Two"])


def test_later_only_new_commits_are_read(memory: ProjectMemory, repository: Repository) -> None:
    repository.commit("One")
    _load(memory, repository)
    repository.commit("Two")
    repository.commit("Three")
    report = _load(memory, repository)
    assert (report.commits, report.known, report.memories.added) == (2, 1, 2)
    assert _load(memory, repository).known == 3


def test_ids_are_those_of_the_commits(
    memory: ProjectMemory, repository: Repository, tmp_path: Path
) -> None:
    repository.commit("One")
    repository.commit("Two\n\n" + "Many words in a paragraph here. " * 100)
    _load(memory, repository)
    clone = Repository(tmp_path / "clone")
    repository.git("clone", "--quiet", ".", str(clone.folder))
    with ProjectMemory.open(tmp_path / "other.db") as other:
        _load(other, clone)
        assert _ids(other) == _ids(memory)


def test_after_a_rebase_what_is_gone_is_forgotten(
    memory: ProjectMemory, repository: Repository
) -> None:
    repository.commit("One")
    repository.commit("Two")
    _load(memory, repository)
    repository.git("commit", "--quiet", "--amend", "--allow-empty", "--message=Two, better")
    report = _load(memory, repository)
    assert (report.commits, report.known, report.forgotten, report.memories.removed) == (1, 1, 1, 1)
    assert _subjects(memory) == ["One", "Two, better"]


def test_what_another_branch_has_is_kept(memory: ProjectMemory, repository: Repository) -> None:
    repository.commit("One")
    repository.git("checkout", "--quiet", "-b", "feature")
    repository.commit("On the branch")
    _load(memory, repository)
    repository.git("checkout", "--quiet", "main")
    report = _load(memory, repository)
    assert (report.commits, report.forgotten) == (0, 0)
    repository.git("branch", "--quiet", "-D", "feature")
    repository.commit("Two")
    assert _load(memory, repository, branch="main").commits == 1
    assert "On the branch" in _subjects(memory)
    repository.git("commit", "--quiet", "--amend", "--allow-empty", "--message=Two again")
    assert _load(memory, repository).forgotten == 2
    assert _subjects(memory) == ["One", "Two again"]


def test_a_branch_can_be_named(memory: ProjectMemory, repository: Repository) -> None:
    repository.commit("One")
    repository.git("tag", "v1")
    repository.commit("Two")
    assert (_load(memory, repository, branch="v1").commits, _subjects(memory)) == (1, ["One"])
    with pytest.raises(GitError, match="no branch, tag or commit 'nope'"):
        _load(memory, repository, branch="nope")


def test_limits(memory: ProjectMemory, repository: Repository) -> None:
    for number in range(5):
        repository.commit(f"Commit {number}")
    assert _load(memory, repository, max_commits=2).commits == 2
    assert _subjects(memory) == ["Commit 3", "Commit 4"]
    assert _load(memory, repository, since="2025-06-15T15:09:30Z").commits == 1
    assert _load(memory, repository, since="2040-01-01").commits == 0
    report = _load(memory, repository)
    assert (report.commits, report.known) == (2, 3)


@pytest.mark.parametrize(
    "since",
    ["2025-01-01", "2025-01-01 10:00", "3 months ago", "1.week.ago", "2025-06-01T10:00:00+02:00"],
)
def test_dates_that_git_understands(since: str) -> None:
    assert GitOptions(since=since).since == since


@pytest.mark.parametrize("since", ["", "yesterday-ish", "--all", "3 moons ago", "01.02.2025"])
def test_dates_that_git_would_take_for_today(since: str) -> None:
    with pytest.raises(GitError, match="expected a date such as 2025-12-31"):
        GitOptions(since=since)


def test_merges_that_say_nothing_are_left_out(
    memory: ProjectMemory, repository: Repository
) -> None:
    repository.commit("One")
    for name, message in (
        ("a", "Merge branch 'a'"),
        ("b", "Merge pull request #1 from x/b\n\nMake it quick"),
    ):
        repository.git("checkout", "--quiet", "-b", name)
        repository.commit(f"On {name}", **{f"{name}_txt": "x"})
        repository.git("checkout", "--quiet", "main")
        repository.git("merge", "--quiet", "--no-ff", f"--message={message}", name)
    report = _load(memory, repository)
    assert (report.commits, report.merges) == (4, 1)
    assert sorted(_subjects(memory)) == ["Merge pull request #1 from x/b", "On a", "On b", "One"]
    assert _load(memory, repository).known == 4


def test_a_shallow_clone_forgets_nothing_and_learns_more_when_deepened(
    memory: ProjectMemory, repository: Repository, tmp_path: Path
) -> None:
    for number in range(4):
        repository.commit(f"Commit {number}", **{f"f{number}_txt": LINES})
    clone = Repository(tmp_path / "clone")
    repository.git("clone", "--quiet", "--depth=2", repository.folder.as_uri(), str(clone.folder))
    assert _load(memory, clone).commits == 2
    oldest = next(memory.memories(order="oldest"))
    assert (oldest.text, oldest.metadata["shallow"]) == ("Commit 2", True)
    clone.git("fetch", "--quiet", "--unshallow")
    report = _load(memory, clone)
    assert (report.commits, report.known, report.memories.added, report.memories.updated) == (
        3,
        1,
        2,
        1,
    )
    assert memory.get(oldest.id).text == "Commit 2\n\nadded f2.txt (+50 -0)"
    clone.git("fetch", "--quiet", "--depth=1")
    assert (_load(memory, clone).forgotten, len(_subjects(memory))) == (0, 4)


@pytest.mark.parametrize(
    ("filter_", "text"), [("blob:none", "Two\n\nrenamed a.txt to b.txt"), ("tree:0", "Two")]
)
def test_a_partial_clone_fetches_nothing(
    memory: ProjectMemory, repository: Repository, tmp_path: Path, filter_: str, text: str
) -> None:
    repository.commit("One", a_txt=LINES)
    repository.git("mv", "a.txt", "b.txt")
    repository.commit("Two")
    repository.git("config", "uploadpack.allowFilter", "true")
    clone = Repository(tmp_path / "clone")
    repository.git(
        "clone",
        "--quiet",
        "--no-checkout",
        f"--filter={filter_}",
        repository.folder.as_uri(),
        str(clone.folder),
    )
    objects = clone.git("count-objects", "-v")
    assert _load(memory, clone).commits == 2
    assert clone.git("count-objects", "-v") == objects
    assert next(memory.memories()).text == text


def test_another_repository_has_a_source_of_its_own(
    memory: ProjectMemory, repository: Repository, tmp_path: Path
) -> None:
    repository.commit("Mine")
    other = Repository.make(tmp_path / "other")
    other.commit("Theirs")
    nested = Repository.make(repository.folder / "vendor" / "library")
    nested.commit("Nested")
    for each in (repository, other, nested):
        load_history(memory, each.folder, repository.folder)
    assert {each.source for each in memory.memories()} == {
        "git:history",
        f"git:history{other.folder.as_posix()}",
        "git:history/vendor/library",
    }
    other.git("commit", "--quiet", "--amend", "--allow-empty", "--message=Theirs, better")
    report = load_history(memory, other.folder, repository.folder)
    assert report.forgotten == 1
    assert sorted(_subjects(memory)) == ["Mine", "Nested", "Theirs, better"]
    everything = memory.memories(RecallFilter(sources=frozenset({"git:history"})))
    assert len(list(everything)) == 3


def test_a_project_in_a_folder_of_a_repository(
    memory: ProjectMemory, repository: Repository
) -> None:
    repository.commit("One", sub__a_txt="x")
    assert (
        load_history(memory, repository.folder / "sub", repository.folder / "sub").repository
        == "git:history"
    )


def test_a_dry_run_changes_nothing(memory: ProjectMemory, repository: Repository) -> None:
    repository.commit("One")
    _load(memory, repository)
    repository.commit("Two")
    repository.git("commit", "--quiet", "--amend", "--allow-empty", "--message=Two, better")
    before = (_ids(memory), load_states(memory))
    report = _load(memory, repository, dry_run=True)
    assert (report.commits, report.memories.added, report.dry_run) == (1, 1, True)
    assert (_ids(memory), load_states(memory)) == before


def test_an_empty_repository(memory: ProjectMemory, repository: Repository) -> None:
    report = _load(memory, repository)
    assert (report.tip, report.commits, report.notes) == (
        None,
        0,
        ["the repository has no commits yet"],
    )


def test_what_a_kill_left_out_is_read(memory: ProjectMemory, repository: Repository) -> None:
    repository.commit("One\n\n" + "Many words in a paragraph here. " * 200)
    repository.commit("Two")
    _load(memory, repository)
    complete = _ids(memory)
    part = next(found.id for found in memory.memories() if found.metadata.get("part") == 2)
    memory.delete([part])
    set_load_states(memory, {"git:history": None})
    _load(memory, repository)
    assert _ids(memory) == complete


def _object(repository: Repository, name: str) -> Path:
    sha = repository.git("rev-parse", name)
    return repository.folder / ".git" / "objects" / sha[:2] / sha[2:]


def test_a_message_without_an_end_is_cut(memory: ProjectMemory, repository: Repository) -> None:
    repository.commit("Long\n\n" + "Many words in a line here.\n" * 1_500_000, a_txt="x")
    repository.commit("Two")
    report = _load(memory, repository)
    assert report.commits == 2
    (note,) = report.notes
    assert note.endswith("only the beginning of its long message was loaded")
    assert 80_000 < sum(len(found.text) for found in memory.memories()) < 110_000
    assert any("added a.txt" in found.text for found in memory.memories())


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("HEAD~1:a.txt", "not all that it changed could be read (git log failed in "),
        ("HEAD~1^{tree}", "not all that it changed could be read (git log failed in "),
    ],
)
def test_what_a_commit_lacks_ends_nothing(
    memory: ProjectMemory, repository: Repository, name: str, said: str
) -> None:
    repository.commit("One", a_txt=LINES, b_txt="b\n")
    repository.commit("Two", a_txt=LINES + "more\n")
    repository.commit("Three", b_txt="c\n")
    _object(repository, name).unlink()
    report = _load(memory, repository)
    assert report.commits == 3
    assert said in report.notes[0]
    assert _subjects(memory) == ["One", "Two", "Three"]
    assert _load(memory, repository).commits == 0


@pytest.mark.parametrize("is_gone", [True, False])
def test_a_history_that_is_broken_off_is_read_as_far_as_it_goes(
    memory: ProjectMemory, repository: Repository, is_gone: bool
) -> None:
    shas = [repository.commit(name) for name in ("One", "Two", "Three", "Four")]
    _load(memory, repository, branch=shas[0])
    lost = _object(repository, "HEAD~2")
    content = lost.read_bytes()
    lost.unlink()
    if not is_gone:
        lost.write_bytes(b"no object")
    report = _load(memory, repository)
    assert (report.commits, report.forgotten) == (1, 0)
    assert "the history could be read only in part (git rev-list failed in " in report.notes[0]
    assert _subjects(memory) == ["One", "Four"]
    lost.unlink(missing_ok=True)
    lost.write_bytes(content)
    assert (_load(memory, repository).commits, len(_ids(memory))) == (3, 4)


def test_other_tags_load_again(memory: ProjectMemory, repository: Repository) -> None:
    repository.commit("One")
    _load(memory, repository)
    report = _load(memory, repository, tags=("x",))
    assert (report.commits, report.memories.updated) == (1, 1)
    assert next(memory.memories()).tags == ("x",)


@pytest.mark.parametrize(
    "wrong",
    [
        {"tip": "HEAD"},
        {"tip": "HEAD\n"},
        {"tip": None},
        {"tip": "--all"},
        {"tip": ["x"]},
        {"commits": "many"},
        {"commits": None},
    ],
)
def test_a_state_that_no_load_wrote_is_not_believed(
    memory: ProjectMemory, repository: Repository, wrong: dict[str, Json]
) -> None:
    repository.commit("One")
    _load(memory, repository)
    repository.commit("Two")
    state = {**load_states(memory)["git:history"], **wrong}
    set_load_states(memory, {"git:history": state})
    assert _load(memory, repository).commits == 1
    assert load_states(memory)["git:history"]["commits"] == 2

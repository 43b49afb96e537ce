from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from cognitive_memory.ingest import commits
from cognitive_memory.ingest.commit_memories import memories_of
from cognitive_memory.ingest.commits import ChangedFile, Commit, read_commits
from cognitive_memory.ingest.git_command import Git
from tests.support.git_repository import Repository

pytestmark = pytest.mark.slow

LINES = "".join(f"line {number}\n" for number in range(50))


def _read(repository: Repository, *shas: str) -> list[Commit]:
    problems: list[str] = []
    wanted = shas or repository.git("rev-list", "HEAD").split()
    commits = list(read_commits(Git(repository.folder), wanted, problems))
    assert problems == []
    return commits


def test_a_commit_with_its_files(repository: Repository) -> None:
    sha = repository.commit("Begin\n\nBecause.\n", a_txt=LINES, b_bin=b"\0\1")
    (commit,) = _read(repository)
    assert commit == Commit(
        sha=sha,
        parents=(),
        author="Ada Lovelace",
        when=datetime.fromtimestamp(1_750_000_060, UTC),
        message="Begin\n\nBecause.",
        files=(ChangedFile("a.txt", "A", lines=(50, 0)), ChangedFile("b.bin", "A", binary=True)),
    )


def test_renames_are_followed_also_with_changes(repository: Repository) -> None:
    repository.commit("Begin", a_txt=LINES, c_txt=LINES[:-8])
    repository.git("mv", "a.txt", "b.txt")
    repository.git("mv", "c.txt", "d.txt")
    repository.commit("Rename", d_txt=LINES[:-8] + "new\n")
    assert _read(repository)[0].files == (
        ChangedFile("b.txt", "R", "a.txt", lines=(0, 0)),
        ChangedFile("d.txt", "R", "c.txt", lines=(1, 0)),
    )


def test_names_and_messages_as_odd_as_they_come(repository: Repository) -> None:
    names = ["a\tb.txt", "c\nd.txt", "é ö.txt", '"q".txt', ":100644 x.txt", "0" * 40, "-x"]
    for name in names:
        (repository.folder / name).write_text("x\n")
    message = "Subject\n\n:100644 100644 a b M\tx\n" + "f" * 40 + "\n\x01\x02 \x1b[31mred"
    repository.commit(message)
    (commit,) = _read(repository)
    assert sorted(file.path for file in commit.files) == sorted(names)
    assert commit.message == message


def test_other_encodings(repository: Repository) -> None:
    repository.git("config", "i18n.commitEncoding", "ISO-8859-1")
    repository.commit("Grüße".encode("latin-1"))
    repository.git("config", "--unset", "i18n.commitEncoding")
    repository.commit(b"not \xff utf-8")
    assert [commit.message for commit in _read(repository)] == [
        "not ÿ utf-8",
        "Grüße",
    ]  # git takes such bytes for Latin-1


def test_commits_come_as_they_were_asked_for_and_one_without_files_is_one(
    repository: Repository,
) -> None:
    shas = [repository.commit("One", a="1"), repository.commit("Two"), repository.commit("", a="3")]
    order = [shas[1], shas[2], shas[0]]
    assert [(commit.sha, commit.message) for commit in _read(repository, *order)] == list(
        zip(order, ["Two", "", "One"], strict=True)
    )
    assert _read(repository, shas[1])[0].files == ()
    assert list(read_commits(Git(repository.folder), [], [])) == []


def test_submodules_links_and_modes(repository: Repository) -> None:
    sha = repository.commit("Begin", run_sh="x\n")
    (repository.folder / "link").symlink_to("run.sh")
    (repository.folder / "run.sh").chmod(0o755)
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{sha},library")
    repository.git("add", "link", "run.sh")
    repository.git("commit", "--quiet", "--message=More")
    assert {(file.path, file.status) for file in _read(repository)[0].files} == {
        ("library", "A"),
        ("link", "A"),
        ("run.sh", "M"),
    }


def test_a_time_that_no_calendar_has(repository: Repository) -> None:
    tree = repository.git("write-tree")
    text = f"tree {tree}\nauthor A <a> 99999999999999 +0000\ncommitter A <a> 1750000000 +0000\n\nFar\n".encode()
    sha = repository.git("hash-object", "-t", "commit", "-w", "--stdin", "--literally", text=text)
    assert _read(repository, sha)[0].when.year in {1970, 2106}


@pytest.mark.parametrize(
    ("message", "parents", "silent"),
    [
        ("Merge branch 'x'", 2, True),
        ("Merge pull request #3 from a/b\n", 2, True),
        ("Merge branch 'x' of https://h/r into main\n\n# Conflicts:\n#\ta.txt", 2, True),
        ("", 2, True),
        ("Merge pull request #3 from a/b\n\nMake it quicker", 2, False),
        ("Join the two histories", 2, False),
        ("Merge branch 'x'", 1, False),
    ],
)
def test_merges_that_say_nothing(message: str, parents: int, silent: bool) -> None:
    when = datetime(2026, 1, 2, tzinfo=UTC)
    commit = Commit("a" * 40, ("b" * 40,) * parents, "Ada", when, message)
    assert commit.says_nothing is silent


def test_a_commit_of_more_files_than_are_looked_at(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commits, "_MOST_FILES", 3)
    repository.commit("Many", a="1\n2\n", b="1\n", c="1\n", d="1\n", e="1\n")
    (commit,) = _read(repository)
    assert ([file.path for file in commit.files], commit.more_files) == (["a", "b", "c"], 2)
    (memory,) = memories_of(replace(commit, more_files=20_000), "git:history").memories
    assert memory.text.endswith("added c (+1 -0)\nand 20000 more files")

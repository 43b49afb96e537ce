from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from cognitive_memory.core.memory import LoadState, Memory
from cognitive_memory.ingest import documents, folders, plain_text
from cognitive_memory.ingest.blocks import Block
from cognitive_memory.ingest.folders import LoadOptions, load_paths
from cognitive_memory.ingest.reports import LoadReport
from cognitive_memory.ingest.walking import Reason, walk
from cognitive_memory.project_memory import ProjectMemory
from tests.support.caseless import make_caseless
from tests.support.permissions import binding_permissions
from tests.support.plain_embedder import PlainEmbedder
from tests.support.sources import load_states, remove_source, set_load_states
from tests.support.trees import write_tree

LONG = "So many words are enough for a piece of its own. " * 6
OLD = time.time() - 1000


class Loader:
    def __init__(self, memory: ProjectMemory, project: Path) -> None:
        self.memory, self.project = memory, project

    def write(self, **files: str) -> None:
        """Files ("_" stands for the dot) that were not changed just now."""
        write_tree(self.project, {name.replace("_", "."): text for name, text in files.items()})
        self.age()

    def age(self) -> None:
        for path in self.project.rglob("*"):
            if path.is_file() and path.stat().st_mtime > OLD + 500:
                os.utime(path, (OLD, OLD))

    def load(self, *paths: str, **options: object) -> LoadReport:
        places = [self.project / path for path in paths or (".",)]
        return load_paths(self.memory, places, self.project, LoadOptions(**options))  # type: ignore[arg-type]

    def texts(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for memory in self.memory.memories(order="oldest"):
            found.setdefault(str(memory.source), []).append(memory.text)
        return found


@pytest.fixture
def loader(memory: ProjectMemory, project: Path) -> Loader:
    return Loader(memory, project)


def _counts(report: LoadReport) -> tuple[int, int, int, int]:
    memories = report.memories
    return memories.added, memories.unchanged, memories.updated, memories.removed


def test_files_become_memories_and_a_repeat_does_nothing(loader: Loader) -> None:
    loader.write(a_md="# A\n\nFirst.\n", b_txt="Second.\n")
    report = loader.load()
    assert (report.loaded, _counts(report)) == (["a.md", "b.txt"], (2, 0, 0, 0))
    assert loader.texts() == {"a.md": ["# A\n\nFirst."], "b.txt": ["Second."]}
    revision = loader.memory.storage.status().revision
    again = loader.load()
    assert (again.loaded, again.unchanged, _counts(again)) == ([], ["a.md", "b.txt"], (0, 0, 0, 0))
    assert loader.memory.storage.status().revision == revision


def test_an_unchanged_file_is_not_even_read(loader: Loader, project: Path) -> None:
    loader.write(a_md="text\n")
    loader.load()
    (project / "a.md").write_bytes(b"TEXT\n")
    os.utime(project / "a.md", (OLD, OLD))
    assert loader.load().unchanged == ["a.md"]
    assert loader.load(force=True).loaded == ["a.md"]


def test_a_file_that_was_changed_just_now_is_read_again(loader: Loader, project: Path) -> None:
    (project / "a.md").write_text("text\n")
    loader.load()
    status = (project / "a.md").stat()
    (project / "a.md").write_text("TEXT\n")
    os.utime(project / "a.md", ns=(status.st_atime_ns, status.st_mtime_ns))
    assert loader.load().loaded == ["a.md"]
    assert loader.texts() == {"a.md": ["TEXT"]}


def test_a_touched_file_is_read_but_its_memories_stay(loader: Loader, project: Path) -> None:
    loader.write(a_md="text\n")
    loader.load()
    revision = loader.memory.storage.status().revision
    os.utime(project / "a.md", (OLD - 5, OLD - 5))
    assert loader.load().unchanged == ["a.md"]
    assert loader.memory.storage.status().revision == revision


def test_a_changed_file_keeps_the_memories_of_what_stayed(loader: Loader, project: Path) -> None:
    loader.write(a_md=f"# A\n\n{LONG}\n\n## B\n\n{LONG}\n")
    loader.load()
    before = {memory.text: memory for memory in loader.memory.memories()}
    (project / "a.md").write_text(f"# A\n\n{LONG}\n\n## B\n\nNew. {LONG}\n")
    assert _counts(loader.load()) == (1, 0, 1, 1)
    after = {memory.text: memory for memory in loader.memory.memories()}
    (stayed,) = before.keys() & after.keys()
    # Only the day is another one: its vector stays.
    assert before[stayed].id == after[stayed].id
    assert before[stayed].content_hash == after[stayed].content_hash
    assert before[stayed].created_at < after[stayed].created_at


def test_a_memory_that_stays_keeps_its_pin(loader: Loader, project: Path) -> None:
    loader.write(a_md=f"# A\n\n{LONG}\n\n## B\n\n{LONG}\n")
    loader.load()
    last = next(memory for memory in loader.memory.memories() if memory.text.startswith("## B"))
    loader.memory.update(last.id, pinned=True)
    (project / "a.md").write_text(f"# A\n\nNew. {LONG}\n\n## B\n\n{LONG}\n")
    assert _counts(loader.load()) == (1, 0, 1, 1)
    (project / "a.md").write_text(f"# A\n\nNew. {LONG}\n\n\n## B\n\n{LONG}\n")
    assert _counts(loader.load()) == (0, 0, 2, 0)
    after = loader.memory.get(last.id)
    assert after.pinned
    assert after.metadata["lines"] != last.metadata["lines"]


def test_a_removed_file_is_forgotten_but_only_below_what_is_loaded(
    loader: Loader, project: Path
) -> None:
    write_tree(project, {"docs/a.md": "a", "docs/b.md": "b", "docs2/c.md": "c", "d.md": "d"})
    loader.load()
    for name in ("docs/b.md", "docs2/c.md", "d.md"):
        (project / name).unlink()
    report = loader.load("docs")
    assert (report.removed, _counts(report)) == (["docs/b.md"], (0, 0, 0, 1))
    assert loader.texts().keys() == {"docs/a.md", "docs2/c.md", "d.md"}
    assert loader.load().removed == ["d.md", "docs2/c.md"]
    assert loader.texts().keys() == {"docs/a.md"}


def test_memories_that_were_not_loaded_are_never_removed(loader: Loader, project: Path) -> None:
    from cognitive_memory.core.memory import NewMemory

    loader.memory.store(NewMemory(text="mine", source="docs/typed-by-hand.md"))
    (project / "docs").mkdir()
    assert loader.load().removed == []
    assert loader.texts() == {"docs/typed-by-hand.md": ["mine"]}


def test_what_is_ignored_later_is_forgotten(loader: Loader, project: Path) -> None:
    loader.write(a_md="a", b_md="b")
    loader.load()
    write_tree(project, {".heimdallignore": "b.md\n"})
    assert loader.load().removed == ["b.md"]


def test_what_an_older_reader_made_is_made_again_and_keeps_its_pin(
    memory: ProjectMemory, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loader = Loader(memory, project)
    (project / "docs").mkdir()
    (project / "docs" / "a.md").write_text(f"# Title\n\n{LONG}\n")
    embedder = PlainEmbedder()
    with embedder.open(memory.database) as embedding:
        with monkeypatch.context() as older:
            older.setattr(folders, "VERSION", 2)
            older.setattr(documents, "_place", lambda path: path.name)
            loader.load()
        (before,) = memory.memories()
        memory.update(before.id, pinned=True)
        assert (before.context, embedding.embed_pending()) == ("a.md", 1)
        assert loader.load().loaded == ["docs/a.md"]
        (after,) = memory.memories()
        assert (after.id, after.context, after.pinned) == (before.id, "docs/a.md", True)
        assert embedding.embed_pending() == 1


def test_a_dry_run_says_all_and_changes_nothing(loader: Loader, project: Path) -> None:
    loader.write(a_md="a", b_md="b", c_md="c")
    loader.load()
    (project / "a.md").write_text("changed")
    (project / "b.md").unlink()
    write_tree(project, {"d.md": "d"})
    before = (loader.texts(), loader.memory.storage.status().revision, load_states(loader.memory))
    report = loader.load(dry_run=True)
    assert (report.loaded, report.unchanged, report.removed) == (
        ["a.md", "d.md"],
        ["c.md"],
        ["b.md"],
    )
    assert _counts(report) == (2, 0, 0, 2)
    assert (
        loader.texts(),
        loader.memory.storage.status().revision,
        load_states(loader.memory),
    ) == before
    real = loader.load()
    assert (real.loaded, real.removed, _counts(real)) == (
        report.loaded,
        report.removed,
        _counts(report),
    )


def test_other_tags_load_again(loader: Loader) -> None:
    loader.write(a_md="a")
    loader.load()
    assert _counts(loader.load(tags=("x",))) == (0, 0, 1, 0)
    assert [memory.tags for memory in loader.memory.memories()] == [("x",)]


def test_left_out_files_are_counted_and_forgotten_if_they_were_loaded(
    loader: Loader, project: Path
) -> None:
    loader.write(a_md="a", b_md="b")
    loader.load()
    (project / "a.md").write_text("a" * 2000)
    (project / "b.md").write_bytes(b"\0")
    report = loader.load(max_size=1000)
    assert report.skipped == {Reason.TOO_LARGE: 1, Reason.BINARY: 1}
    assert report.notes == ["a.md has 2,000 bytes, more than the 1,000 allowed"]
    assert loader.texts() == {}
    assert loader.load(max_size=2000).loaded == ["a.md"]


@pytest.mark.parametrize("closed", [".", "docs", "docs/a.md"])
def test_what_cannot_be_read_now_is_kept(loader: Loader, project: Path, closed: str) -> None:
    write_tree(project, {"docs/a.md": "a", "b.md": "b"})
    loader.load()
    write_tree(project, {"docs/a.md": "changed"})
    (project / closed).chmod(0o300)
    with binding_permissions():
        report = loader.load()
    (project / closed).chmod(0o700)
    assert (report.removed, report.skipped) == ([], {Reason.UNREADABLE: 1})
    assert "could not be read" in report.notes[0]
    assert loader.texts() == {"b.md": ["b"], "docs/a.md": ["a"]}


def test_a_file_that_was_named_once_is_kept_up_to_date_with_its_folder(
    loader: Loader, project: Path
) -> None:
    write_tree(project, {"data.csv": "a,b\n"})
    assert loader.load().loaded == []
    assert loader.load("data.csv").loaded == ["data.csv"]
    assert loader.load().removed == []
    (project / "data.csv").write_text("c,d\n")
    assert loader.load().loaded == ["data.csv"]
    (project / "data.csv").unlink()
    assert loader.load().removed == ["data.csv"]


def test_interrupted_between_files_nothing_is_done_twice(loader: Loader, project: Path) -> None:
    write_tree(project, {f"{number}.md": f"text {number}" for number in range(9)})
    loader.age()

    def stop(done: int, total: int) -> None:
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_paths(loader.memory, [project], project, progress=stop)
    assert len(loader.texts()) == 4
    report = loader.load()
    assert (len(report.unchanged), len(report.loaded)) == (4, 5)


def test_progress_counts_files(loader: Loader, project: Path) -> None:
    loader.write(a_md="a", b_md="b")
    steps: list[tuple[int, int]] = []
    load_paths(
        loader.memory, [project], project, progress=lambda done, total: steps.append((done, total))
    )
    assert steps == [(0, 2), (1, 2), (2, 2)]


def test_removing_a_source_lets_it_be_loaded_again(loader: Loader) -> None:
    loader.write(a_md="a")
    loader.load()
    assert remove_source(loader.memory, "a.md") == 1
    assert loader.load().loaded == ["a.md"]


def _ids(memories: Sequence[Memory]) -> set[str]:
    return {memory.id for memory in memories}


def test_equal_texts_in_several_places_are_all_kept(loader: Loader) -> None:
    loader.write(a_md=f"# T\n\n{LONG}\n\n# T\n\n{LONG}\n", b_md=f"# T\n\n{LONG}\n")
    loader.load()
    assert [len(texts) for texts in loader.texts().values()] == [2, 1]
    assert len(_ids(list(loader.memory.memories()))) == 3


ASKED: LoadState = {"kind": "file", "asked": True}


@pytest.mark.parametrize("loaded", [".", "docs"])
@pytest.mark.parametrize(
    "source",
    [
        "../victim/secret.md",
        "docs/../../victim/secret.md",
        "./docs/../../victim/secret.md",
        "docs/link.md",
        "docs/folder/secret.md",
        "{absolute}",
        "docs//../../victim/secret.md",
        "docs/nul\0.md",
    ],
)
def test_what_the_database_says_was_asked_for_leads_to_no_other_file(
    loader: Loader, project: Path, source: str, loaded: str
) -> None:
    victim = project.parent / "victim"
    victim.mkdir()
    (victim / "secret.md").write_text("The secret of somebody else.")
    loader.write(**{"docs/a_md": "First."})
    (project / "docs" / "link.md").symlink_to(victim / "secret.md")
    (project / "docs" / "folder").symlink_to(victim)
    source = source.format(absolute=victim / "secret.md")
    set_load_states(loader.memory, {source: ASKED})
    report = loader.load(loaded)
    assert report.loaded == ["docs/a.md"]
    assert loader.texts() == {"docs/a.md": ["First."]}
    if loaded == "." and not Path(source).is_absolute():
        assert list(load_states(loader.memory)) == ["docs/a.md"], "what is wrong is forgotten"


def test_states_that_are_none(loader: Loader, project: Path) -> None:
    assert loader.load().loaded == []
    loader.write(a_md="First.")
    deep, long = "[" * 900 + "]" * 900, "9" * 5_000
    with sqlite3.connect(project.parent / "memory" / "memory.db") as connection:
        for number, state in enumerate(["[]", '"file"', "7", "null", deep, f'{{"size": {long}}}']):
            connection.execute("INSERT INTO load_states VALUES (?, ?)", (f"{number}.md", state))
    connection.close()
    assert loader.load().loaded == ["a.md"]


def test_one_bad_file_ends_no_load(loader: Loader, monkeypatch: pytest.MonkeyPatch) -> None:
    loader.write(a_txt="First.", bad_txt="Second.", c_txt="Third.")
    loader.load()
    read_text = plain_text.read_text

    def read(text: str) -> Iterator[Block]:
        if "bad" in text:
            raise ArithmeticError
        return read_text(text)

    monkeypatch.setattr(plain_text, "read_text", read)
    loader.write(a_txt="First again.", bad_txt="A bad one.", c_txt="Third again.")
    report = loader.load("a.txt", "bad.txt", "c.txt")
    assert report.loaded == ["a.txt", "c.txt"]
    assert report.skipped == {Reason.UNREADABLE: 1}
    assert report.notes == [
        "bad.txt could not be read: ArithmeticError; what was loaded of it before is kept"
    ]
    assert loader.texts()["bad.txt"] == ["Second."]


def test_a_file_that_became_a_pipe_or_a_link_is_not_waited_for(
    loader: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    loader.write(a_md="First.", b_md="Second.", c_md="Third.")
    seen = walk([loader.project], loader.project)
    monkeypatch.setattr(folders, "walk", lambda *_arguments: seen)
    for name in ("a.md", "b.md"):
        (loader.project / name).unlink()
    os.mkfifo(loader.project / "a.md")
    (loader.project / "b.md").symlink_to("/dev/zero")
    report = loader.load()
    assert report.loaded == ["c.md"]
    assert [note.split(" could")[0] for note in report.notes] == ["a.md", "b.md"]
    assert all("(it is no regular file)" in note for note in report.notes)


def test_a_file_is_loaded_once_however_its_name_is_written(
    loader: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    loader.write(README_md="# One")
    make_caseless(monkeypatch, loader.project)
    assert loader.load("readme.md").loaded == ["README.md"]
    loader.load()
    assert list(loader.texts()) == ["README.md"]


def test_what_was_loaded_under_a_name_that_no_folder_shows_goes(
    loader: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    loader.write(README_md="# One")
    loader.load("README.md")
    states = load_states(loader.memory)
    set_load_states(loader.memory, {"readme.md": states["README.md"]})
    make_caseless(monkeypatch, loader.project)
    assert loader.load().removed == ["readme.md"]

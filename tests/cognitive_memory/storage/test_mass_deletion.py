"""Deleting by tags, whether little or most of it goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cognitive_memory.core.memory import NewMemory
from cognitive_memory.project_memory import ProjectMemory
from cognitive_memory.retrieval import comparer, live_index
from cognitive_memory.retrieval.vector_file import VectorFile
from cognitive_memory.storage import connections, files, mass_deletion, reading
from cognitive_memory.storage.backup import problems_in
from cognitive_memory.storage.files import size_on_disk
from tests.support.capabilities import REMOVES_WHAT_IS_OPEN
from tests.support.plain_embedder import PlainEmbedder

COUNT = 40
Fill = Callable[[int], ProjectMemory]


@pytest.fixture
def fill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fill]:
    """Makes a memory of `COUNT` texts, so many of which have the tag "gone", in two embedding spaces."""
    monkeypatch.setattr(live_index, "WORTH_A_FILE", 16)
    monkeypatch.setattr(comparer, "MANY", 8)
    opened: list[ProjectMemory] = []

    def make(gone: int) -> ProjectMemory:
        embedder = PlainEmbedder()
        memory = embedder.open(tmp_path / "memory.db")
        opened.append(memory)
        texts = [f"text {number} {'unreadable' * (number % 7 == 0)}" for number in range(COUNT)]
        memory.store_many(
            NewMemory(text=text, tags=("gone", "both") if number < gone else ("kept", "both"))
            for number, text in enumerate(texts)
        )
        embedder.name = "plain/2"
        memory.store(NewMemory(text="one more"))
        for number in (0, COUNT - 1):
            (found,) = (item for item in memory.memories() if item.text == texts[number])
            memory.update(found.id, importance=0.9)
        return memory

    yield make
    for memory in opened:
        memory.close()


@pytest.mark.parametrize("gone", [1, 10, 30, COUNT])
def test_nothing_is_left_of_what_goes_and_all_of_what_stays(fill: Fill, gone: int) -> None:
    memory = fill(gone)
    before = memory.delete_by_tags(["gone", "nobody's"], dry_run=True)
    deleted = memory.delete_by_tags(["gone", "nobody's"])
    assert deleted == before
    assert deleted.count == len(deleted.first) == gone
    status = memory.storage.status()
    assert status.memories == COUNT + 1 - gone
    assert status.tags.get("gone") is None
    assert memory.delete_by_tags(["gone"]).count == 0
    texts = {item.text for item in memory.memories()}
    assert len(texts) == COUNT + 1 - gone
    with memory.storage.reading() as reader:
        changed = [item for item in memory.memories() if len(reader.history(item.id)) > 1]
    assert [item.text for item in changed] == [f"text {COUNT - 1} "] * (gone < COUNT)
    assert {hit.memory.text for hit in memory.recall("text", limit=100).hits} == texts
    memory.store(NewMemory(text="again", tags=("gone",)))  # what follows a change still does
    memory.delete_by_tags(["gone"])
    memory.embed_pending()
    assert problems_in(memory.database) == []


@pytest.mark.parametrize("gone", [10, 30])
def test_who_knows_the_vectors_forgets_those_that_went(fill: Fill, gone: int) -> None:
    memory = fill(gone)
    memory.embed_pending()
    other = PlainEmbedder(name="plain/2").open(memory.database)
    other.recall("text")
    memory.delete_by_tags(["gone"])
    found = {hit.memory.text for hit in other.recall("no shared word", limit=100).hits}
    assert found == {item.text for item in memory.memories() if item.embedded}
    saved = VectorFile(memory.database.with_suffix(".vectors")).read("plain/2")
    if REMOVES_WHAT_IS_OPEN:
        assert (saved is None) == (gone == 30)  # few are not worth a file
    other.close()


def test_all_or_nothing(fill: Fill) -> None:
    memory = fill(30)
    before = list(memory.memories())

    def begin() -> None:
        with memory.storage.writing() as writer:
            writer.delete_tagged(["gone"])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        begin()
    assert list(memory.memories()) == before
    assert memory.recall("text").hits
    assert problems_in(memory.database) == []


def test_of_very_many_the_first_are_told(fill: Fill, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_TOLD", 3)
    deleted = fill(30).delete_by_tags(["gone"])
    assert deleted.count == 30
    assert [item.text for item in deleted.first] == ["text 0 unreadable", "text 1 ", "text 2 "]


def test_space_is_given_back_where_most_goes(fill: Fill, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mass_deletion, "_WORTH_GIVING_BACK", 50)
    memory = fill(30)
    memory.store_many(NewMemory(text=f"{n} " * 1000, tags=("gone",)) for n in range(1000, 1200))
    size = size_on_disk(memory.database)
    memory.delete_by_tags(["gone"])
    assert size_on_disk(memory.database) < size / 2
    assert problems_in(memory.database) == []
    with PlainEmbedder(name="plain/2").open(memory.database) as again:
        assert again.storage.status().memories == 11


@pytest.fixture
def overwritten(monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite writes zeros over what it frees, as Debian's does."""
    monkeypatch.setattr(connections, "DURABLE", (*connections.DURABLE, "secure_delete = ON"))


@pytest.mark.usefixtures("overwritten")
def test_what_is_not_given_back_is_overwritten(fill: Fill) -> None:
    memory = fill(30)
    memory.store_many([NewMemory(text="the unspeakable word", tags=("gone",))])
    assert memory.delete_by_tags(["gone"]).count == 31
    memory.close()
    assert b"unspeakable" not in memory.database.read_bytes()


@pytest.mark.usefixtures("overwritten")
def test_what_is_given_back_is_not_written_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mass_deletion, "_WORTH_GIVING_BACK", 50)
    database = tmp_path / "memory.db"
    written: list[int] = []
    monkeypatch.setattr(
        mass_deletion, "give_back", lambda _: written.append(files.size(files.log_of(database)))
    )
    with PlainEmbedder().open(database) as memory:
        memory.store_many(
            NewMemory(text=f"{number} " * 5_000, tags=("gone",) if number else ())
            for number in range(100)
        )
    before = database.stat().st_size
    with PlainEmbedder().open(database) as memory:
        assert memory.delete_by_tags(["gone"]).count == 99
    assert 0 < written[0] < before / 2

"""What a memory said before is kept as long as it is, and no longer."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from cognitive_memory.core.history import Event, How
from cognitive_memory.core.memory import Memory, NewMemory, Origin
from cognitive_memory.project_memory import ProjectMemory
from cognitive_memory.storage.errors import DatabaseUnreadableError, UnknownMemoryError
from cognitive_memory.storage.history import MOST
from tests.support.sources import replace_source


def history(memory: ProjectMemory, of: Memory) -> list[Event]:
    with memory.storage.reading() as reader:
        return reader.history(of.id)


def hows(memory: ProjectMemory, of: Memory) -> list[str]:
    return [str(event.how) for event in history(memory, of)]


def test_each_change_is_told_with_what_was_said_before(memory: ProjectMemory) -> None:
    stored = memory.store(NewMemory(text="The limit is five", tags=("a",)))
    assert history(memory, stored) == [
        Event(at=stored.updated_at, how=How.STORED, before={}, after={"text": "The limit is five"})
    ]
    merged = memory.store(NewMemory(text="the limit is FIVE", tags=("b",), pinned=True))
    updated = memory.update(stored.id, text="The limit is six", metadata={"by": "me"})
    assert history(memory, stored) == [
        Event(
            at=updated.updated_at,
            how=How.UPDATED,
            before={"text": "The limit is five", "metadata": {}},
            after={"text": "The limit is six", "metadata": {"by": "me"}},
        ),
        Event(
            at=merged.updated_at,
            how=How.MERGED,
            before={"tags": ["a"], "pinned": False},
            after={"tags": ["a", "b"], "pinned": True},
        ),
        Event(at=stored.updated_at, how=How.STORED, before={}, after={"text": "The limit is five"}),
    ]


def test_what_changes_nothing_is_no_event(memory: ProjectMemory) -> None:
    stored = memory.store(NewMemory(text="a"))
    memory.store(NewMemory(text="A"))
    memory.update(stored.id, text="a")
    assert hows(memory, stored) == ["stored"]


def test_what_replaces_and_imports_is_told(memory: ProjectMemory, tmp_path: Path) -> None:
    stored = memory.store(NewMemory(text="one"))
    with ProjectMemory.open(tmp_path / "other.db") as other:
        other.import_lines(memory.export_lines(), own=True)
        memory.store(NewMemory(text="two", id=stored.id))
        other.import_lines(memory.export_lines(), own=True)
        assert hows(memory, stored) == ["replaced", "stored"]
        assert hows(other, stored) == ["imported", "stored"]
        assert history(other, stored)[0].before["text"] == "one"


def test_what_loaders_change_is_not_kept_but_what_users_change_of_it(memory: ProjectMemory) -> None:
    for importance in (0.2, 0.4):
        new = NewMemory(text="a", origin=Origin.DOCUMENT, importance=importance)
        replace_source(memory, "a.md", [new])
    (loaded,) = memory.memories()
    memory.update(loaded.id, pinned=True)
    assert hows(memory, loaded) == ["updated", "stored"]


def test_the_latest_changes_are_kept_and_no_more(memory: ProjectMemory) -> None:
    stored, other = memory.store(NewMemory(text="0")), memory.store(NewMemory(text="other"))
    memory.update(other.id, text="another")
    for number in range(1, MOST + 5):
        memory.update(stored.id, text=f"{number}")
    events = history(memory, stored)
    assert len(events) == MOST + 1
    assert [event.after["text"] for event in events] == [f"{n}" for n in range(MOST + 4, 3, -1)]
    assert hows(memory, other) == ["updated", "stored"]


@pytest.mark.parametrize("way", ["delete", "delete most", "delete by tags", "forget"])
def test_what_was_deleted_is_in_no_history(memory: ProjectMemory, way: str) -> None:
    if way == "delete by tags":  # which goes other ways where it is most of what there is
        memory.store_many([NewMemory(text="one"), NewMemory(text="two")])
    stored = memory.store(NewMemory(text="the password is xyzzy", tags=("a",)))
    memory.update(stored.id, text="the password is in the vault")
    if way != "forget":
        if way == "delete":
            memory.delete([stored.id])
        else:
            memory.delete_by_tags(["a"])
        with pytest.raises(UnknownMemoryError):
            history(memory, stored)
    else:
        with memory.storage.writing() as writer:
            assert writer.forget_history(stored.id) == 1
        assert hows(memory, stored) == ["stored"]
        assert history(memory, stored)[0].after == {"text": "the password is in the vault"}
    with closing(sqlite3.connect(memory.database)) as connection:
        assert connection.execute("SELECT count(*) FROM history").fetchone() == (0,)


@pytest.mark.parametrize(
    "change",
    [
        """UPDATE history SET before = '{"colour": 1}'""",
        "UPDATE history SET before = '['",
        "UPDATE history SET how = 'magic'",
    ],
)
def test_a_row_that_somebody_else_wrote_is_an_error(memory: ProjectMemory, change: str) -> None:
    stored = memory.store(NewMemory(text="a"))
    memory.update(stored.id, text="b")
    with closing(sqlite3.connect(memory.database)) as connection, connection:
        connection.execute(change)
    with pytest.raises(DatabaseUnreadableError, match=stored.id):
        history(memory, stored)

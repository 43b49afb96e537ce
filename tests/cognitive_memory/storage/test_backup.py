from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from threading import Event, Thread

import pytest

from cognitive_memory.core.memory import NewMemory
from cognitive_memory.project_memory import ProjectMemory
from cognitive_memory.storage import backup
from cognitive_memory.storage.backup import back_up, problems_in
from cognitive_memory.storage.errors import DatabaseUnreadableError, NewerSchemaError, StorageError
from cognitive_memory.storage.schema import probe
from tests.support.plain_embedder import PlainEmbedder


def texts(database: Path) -> set[str]:
    with PlainEmbedder().open(database) as memory:
        return {item.text for item in memory.memories()}


@pytest.fixture
def saved(memory: ProjectMemory, tmp_path: Path) -> Path:
    """A backup with "one" in it; the database has "two" besides."""
    memory.store(NewMemory(text="one"))
    back_up(memory.database, tmp_path / "saved.db")
    memory.store(NewMemory(text="two"))
    return tmp_path / "saved.db"


def test_backup_is_one_sound_file(saved: Path, memory: ProjectMemory) -> None:
    assert sorted(file.name for file in saved.parent.iterdir() if file.is_file()) == ["saved.db"]
    assert probe(saved) is not None
    assert texts(saved) == {"one"}


def test_backup_replaces_only_when_told(saved: Path, memory: ProjectMemory) -> None:
    before = saved.read_bytes()
    with pytest.raises(StorageError, match="there is a file already; nothing was changed; --force"):
        back_up(memory.database, saved)
    assert saved.read_bytes() == before
    back_up(memory.database, saved, force=True)
    assert texts(saved) == {"one", "two"}


def test_a_folder_that_is_missing_is_named(memory: ProjectMemory, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="check that it exists") as refused:
        back_up(memory.database, tmp_path / "missing" / "project.db")
    assert refused.value.database == str(tmp_path / "missing")


def test_backup_while_others_write(memory: ProjectMemory, tmp_path: Path) -> None:
    memory.store_many(NewMemory(text=f"{number}") for number in range(500))
    done = Event()

    def write() -> None:
        number = 0
        with PlainEmbedder().open(memory.database) as other:
            while not done.is_set():
                number += 1
                other.store(NewMemory(text=f"more {number}"))

    writer = Thread(target=write)
    writer.start()
    try:
        for number in range(3):
            back_up(memory.database, tmp_path / f"{number}.db")
    finally:
        done.set()
        writer.join()
    assert len(texts(tmp_path / "2.db")) >= 500


def test_damaged_database_is_not_backed_up(tmp_path: Path) -> None:
    database = tmp_path / "memory.db"
    with PlainEmbedder().open(database) as memory:
        memory.store_many(NewMemory(text=f"{number} " + "word " * 50) for number in range(900))
    with database.open("rb+") as file:
        file.seek(database.stat().st_size - 50_000)  # the schema is in the first pages
        file.write(b"\xff" * 40_000)
    with (
        PlainEmbedder().open(database) as memory,
        pytest.raises(DatabaseUnreadableError, match="no backup was made"),
    ):
        back_up(memory.database, tmp_path / "saved.db")
    assert [file.name for file in tmp_path.iterdir() if "saved" in file.name] == []


def test_restore_needs_leave_and_keeps_what_was_there(saved: Path, memory: ProjectMemory) -> None:
    with pytest.raises(StorageError, match="there is a database already; nothing was changed"):
        backup.restore(saved, memory.database)
    kept = backup.restore(saved, memory.database, force=True)
    assert kept is not None
    assert texts(kept) == {"one", "two"}
    assert texts(memory.database) == {"one"}
    assert texts(saved) == {"one"}


def test_open_memories_see_the_restored_state(saved: Path, memory: ProjectMemory) -> None:
    assert {hit.memory.text for hit in memory.recall("one two").hits} == {"one", "two"}
    before = memory.storage.status().revision
    backup.restore(saved, memory.database, force=True)
    assert memory.storage.status().revision > before
    assert {hit.memory.text for hit in memory.recall("one two").hits} == {"one"}
    memory.store(NewMemory(text="three"))
    assert texts(memory.database) == {"one", "three"}


def test_restore_into_a_new_project(saved: Path, tmp_path: Path, memory: ProjectMemory) -> None:
    target = tmp_path / "new" / "memory.db"
    assert backup.restore(saved, target) is None
    assert texts(target) == {"one"}
    with PlainEmbedder().open(target) as restored:
        assert restored.project_id == memory.project_id


@pytest.mark.parametrize("content", [b"no database at all " * 100, b"\xff" * 8192])
def test_restore_over_a_damaged_database(saved: Path, tmp_path: Path, content: bytes) -> None:
    target = tmp_path / "damaged.db"
    target.write_bytes(content)
    kept = backup.restore(saved, target, force=True)
    assert kept is not None
    assert kept.read_bytes() == content
    assert texts(target) == {"one"}


def missing(saved: Path) -> None:
    saved.unlink()


def empty(saved: Path) -> None:
    saved.write_bytes(b"")


def something_else(saved: Path) -> None:
    saved.unlink()
    with closing(sqlite3.connect(saved)) as connection:
        connection.execute("CREATE TABLE songs (title)")


def damaged(saved: Path) -> None:
    saved.write_bytes(saved.read_bytes()[: -8192 * 3] + bytes(8192 * 3))


def cut_short(saved: Path) -> None:
    saved.write_bytes(saved.read_bytes()[: 8192 * 2])


def nonsense(saved: Path) -> None:
    saved.write_bytes(b"no database at all")


def newer(saved: Path) -> None:
    with closing(sqlite3.connect(saved)) as connection:
        connection.execute("PRAGMA user_version = 99")


@pytest.mark.parametrize(
    ("spoil", "kind", "match"),
    [
        (missing, StorageError, "there is no such file"),
        (empty, DatabaseUnreadableError, "it is empty"),
        (something_else, DatabaseUnreadableError, "tables: songs"),
        (damaged, DatabaseUnreadableError, "it is damaged"),
        (cut_short, DatabaseUnreadableError, "another backup"),
        (nonsense, DatabaseUnreadableError, "another backup"),
        (newer, NewerSchemaError, "schema version 99"),
    ],
)
def test_bad_backup_changes_nothing(
    saved: Path,
    memory: ProjectMemory,
    spoil: Callable[[Path], None],
    kind: type[StorageError],
    match: str,
) -> None:
    spoil(saved)
    with pytest.raises(kind, match=match) as refused:
        backup.restore(saved, memory.database, force=True)
    assert "'heimdall restore' brings back" not in str(refused.value)
    assert str(saved) in str(refused.value)
    assert texts(memory.database) == {"one", "two"}
    assert [item.name for item in memory.database.parent.iterdir() if "replaced" in item.name] == []


def test_integrity_finds_what_does_not_fit(memory: ProjectMemory, tmp_path: Path) -> None:
    memory.store(NewMemory(text="one", tags=("x",)))
    back_up(memory.database, tmp_path / "copy.db")
    harm = {
        "number of memories": "UPDATE project SET memories = 7",
        "number of vectors": "UPDATE models SET embeddings = 7",
        "tags": "DELETE FROM memory_tags",
        "keyword index": "DELETE FROM memory_words_data WHERE id > 10",
        "what it belongs to in memories is missing": "PRAGMA foreign_keys = OFF; INSERT INTO memory_tags VALUES ('y', 99)",
    }
    for named, script in harm.items():
        copy = tmp_path / f"{named}.db"
        copy.write_bytes((tmp_path / "copy.db").read_bytes())
        with PlainEmbedder().open(copy) as opened:
            assert problems_in(opened.database) == []
            with closing(sqlite3.connect(copy)) as connection:
                connection.executescript(script)
            assert any(named in problem for problem in problems_in(opened.database)), named

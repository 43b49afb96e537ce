"""Databases on volumes that allow no write-ahead log, and of an SQLite that leaves its log behind."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from cognitive_memory.core.memory import NewMemory
from cognitive_memory.project_memory import ProjectMemory
from cognitive_memory.storage import connections, files, known
from cognitive_memory.storage.backup import back_up, problems_in, restore
from cognitive_memory.storage.errors import AlteredDatabaseError
from cognitive_memory.storage.schema import prepare
from tests.support.hostile_databases import deleting_journal
from tests.support.other_sqlite import keeping_log, without_log

pytestmark = pytest.mark.skipif(os.name == "nt", reason="POSIX ways to lock")


def store(database: Path, *texts: str) -> None:
    with ProjectMemory.open(database) as memory:
        memory.store_many([NewMemory(text=text) for text in texts], embed=False)


def texts(database: Path) -> set[str]:
    with ProjectMemory.open(database) as memory:
        return {found.text for found in memory.memories()}


class TestWithoutALog:
    @pytest.fixture(autouse=True)
    def volume(self, monkeypatch: pytest.MonkeyPatch) -> None:
        without_log(monkeypatch)

    def test_memories_are_kept_and_what_is_read_is_locked(self, database: Path) -> None:
        store(database, "one")
        assert known.has_journal(database)
        assert connections._read_only_mode(database) == "mode=ro"
        assert not files.log_of(database).exists()
        back_up(database, database.with_name("saved.db"))
        restore(database.with_name("saved.db"), database, force=True)
        assert texts(database) == {"one"}

    def test_the_journal_of_who_writes_and_of_who_was_killed_is_sqlites_own(
        self, database: Path
    ) -> None:
        store(database, "one")
        journal = files.beside(database, files.JOURNAL)
        with closing(sqlite3.connect(database, isolation_level=None)) as writer:
            writer.execute("PRAGMA cache_size = 5")
            writer.execute("BEGIN IMMEDIATE")
            writer.execute("UPDATE memories SET text = hex(zeroblob(200000))")
            files.check(database)
            left = {path: path.read_bytes() for path in (database, journal)}
            writer.execute("ROLLBACK")
        for path, content in left.items():
            path.write_bytes(content)
        assert texts(database) == {"one"}
        assert not journal.exists(), "it was played back"

    def test_one_that_names_another_file_is_refused(self, database: Path, tmp_path: Path) -> None:
        store(database, "one")
        (tmp_path / "precious").touch()
        deleting_journal(database, tmp_path / "precious")
        with pytest.raises(AlteredDatabaseError, match="rollback journal"):
            prepare(database)
        assert (tmp_path / "precious").exists()


def test_a_database_that_has_its_log_again_is_known_for_that(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        without_log(patch)
        store(database, "one")
    store(database, "two")
    assert not known.has_journal(database)
    files.beside(database, files.JOURNAL).touch()
    with pytest.raises(AlteredDatabaseError, match="rollback journal"):
        prepare(database)


def test_a_log_that_stays_is_no_hindrance(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keeping_log(monkeypatch)
    store(database, "one")
    assert files.log_of(database).exists(), "as Apple's SQLite leaves it"
    assert files.size(files.log_of(database)) == 0
    store(database, "two")
    back_up(database, database.with_name("saved.db"))
    restore(database.with_name("saved.db"), database, force=True)
    assert texts(database) == {"one", "two"}
    assert problems_in(database) == []

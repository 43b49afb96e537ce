from __future__ import annotations

import hashlib
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier

import pytest

from cognitive_memory.core.memory import NewMemory
from cognitive_memory.project_memory import ProjectMemory
from cognitive_memory.storage import ddl, migrations
from cognitive_memory.storage.ddl import APPLICATION_ID
from cognitive_memory.storage.errors import DatabaseUnreadableError, NewerSchemaError, StorageError
from cognitive_memory.storage.making import PAGE_SIZE
from cognitive_memory.storage.migrations import Migration, carried, statements
from cognitive_memory.storage.schema import accept_log, prepare, probe

NEXT = carried()[-1].version + 1


def upgrade(monkeypatch: pytest.MonkeyPatch, step: Migration) -> None:
    """As after an upgrade: this release has one step more than the one that made the database."""
    steps = (*carried(), step)
    monkeypatch.setattr(migrations, "carried", lambda: steps)
    monkeypatch.setitem(ddl.DIGESTS, step.version, "")


def ask(database: Path, query: str) -> object:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(query).fetchone()[0]


def everything(directory: Path) -> dict[str, str]:
    return {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in directory.iterdir()
    }


def test_new_database_is_as_documented(database: Path) -> None:
    prepared = prepare(database, project_id="p")
    assert (prepared.project_id, prepared.version, prepared.backup) == ("p", NEXT - 1, None)
    assert ask(database, "PRAGMA journal_mode") == "wal"
    assert ask(database, "PRAGMA page_size") == PAGE_SIZE
    assert ask(database, "PRAGMA application_id") == APPLICATION_ID
    tables = "SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite%'"
    assert ask(database, tables) == ask(database, f"{tables} AND strict")


def test_existing_database_keeps_its_id(database: Path) -> None:
    first = prepare(database)
    assert prepare(database, project_id="another").project_id == first.project_id


def test_several_at_once_make_one(database: Path) -> None:
    start = Barrier(8)

    def make(_: int) -> str:
        start.wait()
        return prepare(database).project_id

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(make, range(8)))) == 1


def test_each_version_has_the_digest_of_what_the_migrations_make() -> None:
    made = {step.version: ddl.digest(ddl.made(step.version)) for step in carried()}
    assert made == ddl.DIGESTS, "a released version never changes; a new one adds its digest"
    assert ("table", "secret", "secret", ddl.SECRET_TABLE) in ddl.made(1)


def test_tables_that_another_sqlite_writes_otherwise(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not the digest alone decides: SQLite itself writes the tables of its full-text index."""
    prepare(database)
    monkeypatch.setitem(ddl.DIGESTS, NEXT - 1, "of an earlier SQLite")
    assert prepare(database).version == NEXT - 1


def test_migrations_are_numbered_without_a_gap() -> None:
    assert [step.version for step in carried()] == list(range(1, NEXT))
    assert all(step.statements for step in carried())


def test_triggers_are_one_statement() -> None:
    script = "-- a\nCREATE TABLE a (b);\nCREATE TRIGGER c AFTER INSERT ON a BEGIN\n  DELETE FROM a;\n  DELETE FROM a;\nEND;\n-- z\n"
    assert [text.split()[-1] for text in statements(script)] == ["(b);", "END;"]


def test_unfinished_statement_is_an_error() -> None:
    with pytest.raises(ValueError, match="has no end: 'SELECT 1'"):
        list(statements("SELECT 1"))


class TestMigration:
    STEP = Migration(
        NEXT, ("ALTER TABLE project ADD COLUMN more TEXT", "UPDATE project SET more = 'yes'")
    )

    @pytest.fixture
    def old(self, database: Path) -> Path:
        with ProjectMemory.open(database) as memory:
            memory.store(NewMemory(text="kept"), embed=False)
        return database

    def test_old_state_is_kept_and_said(
        self, old: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        upgrade(monkeypatch, self.STEP)
        prepared = prepare(old)
        assert prepared.version == NEXT
        assert ask(old, "SELECT more FROM project") == "yes"
        assert ask(old, "SELECT text FROM memories") == "kept"
        assert prepared.backup is not None
        assert str(prepared.backup) in caplog.text
        assert probe(prepared.backup) == NEXT - 1
        assert ask(prepared.backup, "SELECT text FROM memories") == "kept"

    def test_several_at_once_migrate_once(self, old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        upgrade(monkeypatch, self.STEP)
        start = Barrier(4)

        def migrate(_: int) -> Path | None:
            start.wait()
            return prepare(old).backup

        with ThreadPoolExecutor(4) as pool:
            assert sum(backup is not None for backup in pool.map(migrate, range(4))) == 1

    def test_failing_migration_changes_nothing(
        self, old: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        broken = Migration(
            NEXT, ("UPDATE project SET project_id = 'gone'", "SELECT * FROM nowhere")
        )
        with monkeypatch.context() as patched:
            upgrade(patched, broken)
            with pytest.raises(StorageError, match="no such table: nowhere"):
                prepare(old)
        assert probe(old) == NEXT - 1
        assert [file.name for file in old.parent.glob("*.db")] == [old.name]
        assert ask(old, "SELECT project_id FROM project") != "gone"
        with ProjectMemory.open(old) as memory:
            assert [item.text for item in memory.memories()] == ["kept"]

    @pytest.mark.parametrize("wal", [False, True])
    def test_newer_one_is_refused_unharmed(self, old: Path, wal: bool) -> None:
        with closing(sqlite3.connect(old, isolation_level=None)) as connection:
            connection.execute(f"PRAGMA user_version = {NEXT}")
            if wal:
                accept_log(old)  # as the release that writes it does
            else:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                connection.close()
            before = everything(old.parent)
            with pytest.raises(
                NewerSchemaError, match=f"schema version {NEXT}.* knows up to {NEXT - 1}.*upgrade"
            ):
                ProjectMemory.open(old)
            after = everything(old.parent)
        # The index of the write-ahead log is shared memory: SQLite notes readers in it.
        assert {name: digest for name, digest in after.items() if not name.endswith("-shm")} == {
            name: digest for name, digest in before.items() if not name.endswith("-shm")
        }


class TestOtherFiles:
    def refused(self, database: Path, match: str) -> None:
        before = everything(database.parent)
        with pytest.raises(DatabaseUnreadableError, match=match) as caught:
            ProjectMemory.open(database)
        assert str(database) in str(caught.value)
        assert everything(database.parent) == before

    @pytest.fixture(autouse=True)
    def directory(self, database: Path) -> None:
        database.parent.mkdir()

    def test_no_database(self, database: Path) -> None:
        database.write_bytes(b"something else entirely " * 500)
        self.refused(database, "file is not a database")

    def test_another_program_s_database(self, database: Path) -> None:
        with closing(sqlite3.connect(database)) as connection:
            connection.execute("CREATE TABLE cognitive_memories (id)")
        self.refused(database, "something else .tables: cognitive_memories.*heimdall migrate")

    def test_cut_off(self, database: Path) -> None:
        prepare(database)
        with database.open("rb+") as file:
            file.truncate(PAGE_SIZE + 100)
        self.refused(database, "damaged|malformed")

    def test_empty_file_becomes_a_database(self, database: Path) -> None:
        database.touch()
        assert prepare(database).version == NEXT - 1

    def test_directory_in_its_place(self, database: Path) -> None:
        database.mkdir()
        with pytest.raises(StorageError, match="it is no file"):
            prepare(database)

    def test_file_in_place_of_its_directory(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(StorageError, match=r"can't be (looked at|made)"):
            prepare(tmp_path / "file" / "a.db")


@pytest.mark.parametrize(
    "query",
    [
        "SELECT type, count(*) FROM memories GROUP BY type",
        "SELECT source, count(*) FROM memories WHERE source IS NOT NULL GROUP BY source",
        "SELECT count(*) FROM memories WHERE pinned = 1",
        "SELECT count(*) FROM embeddings WHERE model = 1 AND failure IS NOT NULL",
        "SELECT key FROM memories WHERE revision > 5",
        "SELECT key FROM memories WHERE content_hash = x'00'",
        "SELECT memory FROM embeddings WHERE revision > 5",
    ],
)
def test_what_is_asked_often_is_answered_by_an_index(database: Path, query: str) -> None:
    prepare(database)
    with closing(sqlite3.connect(database)) as connection:
        (plan,) = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}")]
    # A partial index is walked through where it has nothing but what is counted.
    assert (
        "USING COVERING INDEX" in plan
        or "INDEX memories_pinned" in plan
        or "INDEX embeddings_impossible" in plan
    )


def test_a_database_that_another_process_migrates_meanwhile_is_not_altered(tmp_path: Path) -> None:
    *before, last = carried()
    path = tmp_path / "memory.db"
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as other,
        closing(sqlite3.connect(path, isolation_level=None)) as connection,
    ):
        other.execute("PRAGMA journal_mode = WAL")
        for step in before:
            _apply(other, step)

        def migrate(statement: str) -> None:
            if "FROM sqlite_schema" in statement:
                connection.set_trace_callback(None)
                _apply(other, last)

        connection.set_trace_callback(migrate)
        assert ddl.check(connection, path) == last.version - 1
        assert ddl.check(connection, path) == last.version


def _apply(connection: sqlite3.Connection, step: Migration) -> None:
    for statement in step.statements:
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {step.version}")

"""Taking over databases of others: the memories come, nothing else does, and nothing is lost."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections import namedtuple
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from cognitive_memory.core.memory import Memory, NewMemory, Origin
from cognitive_memory.project_memory import ProjectMemory
from cognitive_memory.storage import adoption, backup, files
from cognitive_memory.storage.adoption import adopt
from cognitive_memory.storage.backup import back_up, problems_in
from cognitive_memory.storage.errors import (
    AlteredDatabaseError,
    DatabaseFullError,
    DatabaseUnreadableError,
    NewerSchemaError,
    StorageError,
    UnknownDatabaseError,
)
from cognitive_memory.storage.schema import prepare
from tests.support.hostile_databases import (
    ENDLESS,
    HOSTILE_SCHEMAS,
    a_strangers,
    alter,
    deleting_journal,
    forget,
)


def memories(database: Path) -> dict[str, Memory]:
    with ProjectMemory.open(database) as memory:
        assert problems_in(memory.database) == []
        return {item.text: item for item in memory.memories()}


def rows(database: Path) -> int:
    with closing(sqlite3.connect(database)) as connection:
        return int(connection.execute("SELECT count(*) FROM memories").fetchone()[0])


def test_all_that_a_memory_says_comes_over(database: Path) -> None:
    with ProjectMemory.open(database) as memory:
        new = NewMemory(
            text="theirs",
            context="where",
            type="concept",  # type: ignore[arg-type]
            tags=("a", "b"),
            source="README.md",
            importance=0.9,
            pinned=True,
            metadata={"deep": [1, {"x": None}]},
        )
        old = memory.store(new, embed=False)
        project_id = memory.project_id
    forget(database)
    adopted = adopt(database)
    assert adopted.rescued == adoption.Rescued(memories=1)
    found = memories(database)["theirs"]
    assert found.origin is Origin.ADOPTED
    for name in (
        "id",
        "context",
        "type",
        "tags",
        "source",
        "importance",
        "pinned",
        "metadata",
        "created_at",
        "updated_at",
    ):
        assert getattr(found, name) == getattr(old, name), name
    assert prepare(database).project_id != project_id
    (kept,) = adopted.kept
    assert (rows(kept), kept.parent) == (1, database.parent)
    assert sorted(file.name for file in database.parent.iterdir()) == sorted(
        [database.name, kept.name]
    )


def test_what_was_this_user_s_own_keeps_its_origin(database: Path) -> None:
    a_strangers(database, "mine")
    alter(database, *HOSTILE_SCHEMAS["a table more"])
    adopt(database, project_id="p", own=True)
    assert memories(database)["mine"].origin is Origin.STORED
    assert prepare(database).project_id == "p"


def test_two_data_directories_on_one_project(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a machine and in a container: none of them locks the other out."""
    with ProjectMemory.open(database) as memory:
        memory.store(NewMemory(text="mine"), embed=False)
    monkeypatch.setenv("HEIMDALL_DATA_DIR", str(tmp_path / "other"))
    with pytest.raises(UnknownDatabaseError):
        prepare(database)
    assert adopt(database, own=True) == adoption.Adopted(True, None, [], noted=True)
    assert set(memories(database)) == {"mine"}
    monkeypatch.delenv("HEIMDALL_DATA_DIR")
    assert set(memories(database)) == {"mine"}
    assert [file.name for file in database.parent.iterdir()] == [database.name]


def test_what_is_in_the_log_comes_too(database: Path) -> None:
    with ProjectMemory.open(database) as memory:
        memory.store(NewMemory(text="in the file"), embed=False)
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("UPDATE memories SET text = 'in the log'")
        log = files.log_of(database).read_bytes()
        before = database.read_bytes()
    database.write_bytes(before)
    files.log_of(database).write_bytes(log)
    forget(database)
    files.log_of(database).write_bytes(log)
    adopted = adopt(database)
    assert set(memories(database)) == {"in the log"}
    assert any(file.name.endswith("db-wal") for file in adopted.kept)


def test_nothing_to_do(database: Path) -> None:
    assert not adopt(database).found
    prepare(database)
    before = database.read_bytes()
    assert adopt(database) == adoption.Adopted(True, None, [])
    assert database.read_bytes() == before


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("what", [what for what in HOSTILE_SCHEMAS if "never was" not in what])
def test_hostile_schemas(database: Path, what: str, known: bool) -> None:
    """The rows come over where the table is an ordinary one; whatever was there does not act, then or later."""
    a_strangers(database, "one", "two")
    if known:
        database.unlink()
        with ProjectMemory.open(database) as memory:
            memory.store_many([NewMemory(text="one"), NewMemory(text="two")], embed=False)
    alter(database, *HOSTILE_SCHEMAS[what])
    before = database.read_bytes()
    adopted = adopt(database)
    assert adopted.rescued is not None
    assert (adopted.rescued.memories, adopted.rescued.left_out) == (2, 0)
    assert adopted.rescued.foreign
    assert adopted.kept[0].read_bytes() == before
    with ProjectMemory.open(database) as memory:
        more = memory.store(NewMemory(text="three"), embed=False)
        assert memory.get(more.id).text == "three"
        memory.delete([more.id])
        assert {item.text for item in memory.memories()} == {"one", "two"}


NO_TABLE_OF_MEMORIES = {
    "an endless view": (
        "ALTER TABLE memories RENAME TO was",
        (
            f"CREATE VIEW memories AS {ENDLESS} SELECT i AS key, i AS id, 'x' AS text, '' AS context, 'concept' AS type, "  # noqa: S608
            "'[]' AS tags, NULL AS source, 'stored' AS origin, 1 AS importance, 1 AS pinned, 1 AS created_at, 1 AS updated_at, "
            "'{}' AS metadata FROM n"
        ),
    ),
    "a virtual table": (
        "DROP TABLE memories",
        (
            "CREATE VIRTUAL TABLE memories USING fts5(key, id, text, context, type, tags, source, origin, importance, pinned, "
            "created_at, updated_at, metadata)"
        ),
    ),
    "a computed column": (
        "ALTER TABLE memories DROP COLUMN origin",
        "ALTER TABLE memories ADD COLUMN origin TEXT AS (hex(zeroblob(100000000)))",
    ),
    "no columns of ours": (
        "DROP TABLE memories",
        "CREATE TABLE memories (key INTEGER PRIMARY KEY) STRICT",
    ),
    "no table": ("DROP TABLE memories",),
}


@pytest.mark.parametrize("what", NO_TABLE_OF_MEMORIES)
def test_no_table_of_memories(database: Path, what: str) -> None:
    a_strangers(database, "one")
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        names = connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'trigger'"
        ).fetchall()
        for (name,) in names:
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(
            "UPDATE sqlite_schema SET sql = replace(sql, \"CHECK (origin IN ('stored', 'document', 'commit', 'captured', "
            "'adopted'))\", '') WHERE name = 'memories'"
        )
    alter(database, *NO_TABLE_OF_MEMORIES[what])
    before = database.read_bytes()
    with pytest.raises(DatabaseUnreadableError, match="memories is not one that heimdall made"):
        adopt(database)
    assert database.read_bytes() == before
    assert [file.name for file in database.parent.iterdir()] == [database.name]


BAD_ROWS = {
    "a type that is none": "type = 'order'",
    "blank": "text = ' '",
    "tags that are no list": "tags = '{}'",
    "tags that are no JSON": "tags = 'a'",
    "a deep document": "metadata = replace(hex(zeroblob(100000)), '00', '[')",
    "a number of very many digits": "metadata = '{\"a\": ' || replace(hex(zeroblob(5000)), '00', '9') || '}'",
    "importance beyond all": "importance = 9e999",
    "a moment that no calendar has": "created_at = 9223372036854775807",
    "a pin of another kind": "pinned = 7",
    "text that is no text": "text = CAST(x'ff' AS TEXT)",
    "an id that is none": "id = 'none'",
    "a lone surrogate": "text = CAST(x'eda080' AS TEXT)",
}


READABLE = {"blank", "a pin of another kind", "an id that is none"}
"""What makes no difference to who reads it."""


@pytest.mark.parametrize("what", BAD_ROWS)
def test_bad_rows_stay_behind_and_are_named(database: Path, what: str) -> None:
    a_strangers(database, "good", "bad")
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.execute("DROP TRIGGER memory_reworded")
        connection.execute("DROP TRIGGER memory_retagged")
        connection.execute(f"UPDATE memories SET {BAD_ROWS[what]} WHERE text = 'bad'")  # noqa: S608
    adopted = adopt(database)
    assert adopted.rescued is not None
    assert (adopted.rescued.memories, adopted.rescued.left_out) == (1, 1)
    (reason,) = adopted.rescued.reasons
    assert reason.startswith("row 2: ")
    assert reason.isprintable()
    assert set(memories(database)) == {"good"}


@pytest.mark.parametrize("what", [what for what in BAD_ROWS if what not in READABLE])
def test_bad_rows_of_one_s_own_are_an_error_that_names_the_way_out(
    database: Path, what: str
) -> None:
    """The schema is sound, and what only SQLite's files know of a row is not."""
    with ProjectMemory.open(database) as memory:
        memory.store_many([NewMemory(text="good"), NewMemory(text="bad")], embed=False)
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        triggers = connection.execute(
            "SELECT name, sql FROM sqlite_schema WHERE name IN ('memory_reworded', 'memory_retagged')"
        ).fetchall()
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(f"UPDATE memories SET {BAD_ROWS[what]} WHERE text = 'bad'")  # noqa: S608
        for _, sql in triggers:
            connection.execute(sql)
    with ProjectMemory.open(database) as memory, pytest.raises(StorageError) as caught:
        list(memory.memories())
    assert "project adopt" in str(caught.value)
    adopted = adopt(database)
    assert adopted.rescued is not None
    assert (adopted.rescued.memories, adopted.rescued.left_out) == (1, 1)
    assert memories(database)["good"].origin is Origin.STORED


def test_a_row_beyond_all_measure(database: Path) -> None:
    a_strangers(database, "good", "bad")
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("DROP TRIGGER memory_reworded")
        connection.execute("UPDATE memories SET text = hex(zeroblob(40000000)) WHERE text = 'bad'")
    with pytest.raises(StorageError, match="too big"):
        adopt(database)
    assert rows(database) == 2


def test_a_tree_whose_branches_grow_together(database: Path) -> None:
    """Pages that lead to one page many times would be rows without end."""
    a_strangers(database, *(f"{number} " + "word " * 100 for number in range(200)))
    with closing(sqlite3.connect(database)) as connection:
        (root,) = connection.execute(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'memories'"
        ).fetchone()
    content = bytearray(database.read_bytes())
    start = (root - 1) * 8192
    assert content[start] == 5, "a page that leads to pages"
    cells = int.from_bytes(content[start + 3 : start + 5])
    first = int.from_bytes(content[start + 12 : start + 14])
    child = content[start + first : start + first + 4]
    for number in range(cells):
        at = start + 12 + 2 * number
        cell = start + int.from_bytes(content[at : at + 2])
        content[cell : cell + 4] = child
    database.write_bytes(content)
    with pytest.raises(DatabaseUnreadableError, match=r"disorder|malformed"):
        adopt(database)
    assert database.read_bytes() == content


def test_a_journal_is_put_aside_and_never_played(database: Path, tmp_path: Path) -> None:
    victim = tmp_path / "precious"
    victim.write_text("precious")
    a_strangers(database, "one")
    deleting_journal(database, victim)
    adopted = adopt(database)
    assert adopted.rescued is not None
    assert set(memories(database)) == {"one"}
    for file in [*adopted.kept, *database.parent.iterdir()]:
        if file.suffix == ".db":
            assert rows(file) == 1
    assert victim.exists()


def test_a_journal_beside_one_s_own_is_all_that_goes(database: Path, tmp_path: Path) -> None:
    with ProjectMemory.open(database) as memory:
        memory.store(NewMemory(text="mine"), embed=False)
    deleting_journal(database, tmp_path / "x")
    files.beside(database, files.INDEX).symlink_to(tmp_path / "y")
    adopted = adopt(database)
    assert (adopted.rescued, len(adopted.kept)) == (None, 2)
    assert memories(database)["mine"].origin is Origin.STORED


@pytest.mark.parametrize(
    "make",
    [lambda path: path.symlink_to("/etc/passwd"), lambda path: os.mkfifo(path, 0o600), os.mkdir],
)
def test_what_is_no_file_is_left_to_the_user(database: Path, make: Callable[[Path], None]) -> None:
    database.parent.mkdir()
    make(database)
    with pytest.raises(AlteredDatabaseError, match="move it away"):
        adopt(database)
    assert os.path.lexists(database)


def test_a_newer_one(database: Path) -> None:
    a_strangers(database)
    alter(database, "PRAGMA user_version = 99")
    with pytest.raises(NewerSchemaError):
        adopt(database)


def test_no_room(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_strangers(database, "one")
    usage = namedtuple("usage", "free")  # noqa: PYI024
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage(1000))
    with pytest.raises(DatabaseFullError, match="are needed"):
        adopt(database)
    assert rows(database) == 1


def test_a_sparse_file_of_any_size(database: Path) -> None:
    """It says that it is as large as no disk is; nothing is copied of it."""
    a_strangers(database)
    os.truncate(database, 1 << 42)
    with pytest.raises(StorageError):
        adopt(database)


EARLY = Path(__file__).parents[2] / "support" / "early_database.sql"


def test_a_database_of_before_there_were_secrets(database: Path) -> None:
    """Early databases have no origins, and JSON functions in their schema, which some versions of SQLite do not trust."""
    database.parent.mkdir()
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript(EARLY.read_text())
    with pytest.raises(UnknownDatabaseError):
        prepare(database)
    adopted = adopt(database)
    assert adopted.rescued is not None
    assert (adopted.rescued.memories, adopted.rescued.left_out) == (1, 0)
    assert set(memories(database)) == {"early"}


def test_a_backup_from_elsewhere_is_taken_in_the_same_way(database: Path, tmp_path: Path) -> None:
    saved = tmp_path / "saved.db"
    a_strangers(saved, "theirs")
    alter(saved, *HOSTILE_SCHEMAS["a trigger that keeps what is deleted"])
    assert backup.restore(saved, database) is None
    assert memories(database)["theirs"].origin is Origin.ADOPTED
    with ProjectMemory.open(database) as memory:
        memory.delete([item.id for item in memory.memories()])
        assert memory.storage.status().memories == 0
    backup.restore(saved, database, force=True, own=True)
    assert memories(database)["theirs"].origin is Origin.STORED


def test_restoring_over_a_database_of_others_keeps_that(database: Path, tmp_path: Path) -> None:
    with ProjectMemory.open(tmp_path / "mine.db") as memory:
        memory.store(NewMemory(text="mine"), embed=False)
        back_up(memory.database, tmp_path / "saved.db")
    victim = tmp_path / "precious"
    victim.write_text("precious")
    a_strangers(database, "theirs")
    deleting_journal(database, victim)
    kept = backup.restore(tmp_path / "saved.db", database, force=True)
    assert kept is not None
    assert rows(kept) == 1
    assert set(memories(database)) == {"mine"}
    assert victim.exists()


@pytest.mark.slow
@pytest.mark.parametrize("step", ["link", "rename", "replace"])
@pytest.mark.parametrize("after", [False, True])
def test_a_kill_before_and_after_each_step(
    database: Path, step: str, after: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever was there is there under some name, and adopting again ends well."""
    a_strangers(database, "one")
    pid = os.fork()
    if not pid:
        real = getattr(os, step)

        def dying(source: str, target: str, **more: object) -> None:
            if str(database) not in {str(source), str(target)} and "-wal" not in str(source):
                return real(source, target, **more)
            if after:
                real(source, target, **more)
            os.kill(os.getpid(), signal.SIGKILL)
            return None

        monkeypatch.setattr(os, step, dying)
        adopt(database)
        os._exit(0)
    os.waitpid(pid, 0)
    kept = [file for file in database.parent.glob("*.adopted.*.db") if rows(file)]
    found = adopt(database).found
    assert found
    assert set(memories(database)) == {"one"}
    assert kept or rows(next(database.parent.glob("*.adopted.*.db")))

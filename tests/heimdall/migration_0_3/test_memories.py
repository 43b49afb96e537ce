from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from cognitive_memory.core.memory import NewMemory
from cognitive_memory.project.find import Project
from cognitive_memory.project.init import init_project
from cognitive_memory.project_memory import ProjectMemory
from heimdall.migration_0_3 import memories
from heimdall.migration_0_3.memories import KEPT_NAME, migrate
from heimdall.migration_0_3.original import is_legacy
from heimdall.migration_0_3.report import Options, Outcome
from tests.heimdall.conftest import OriginalDatabase
from tests.heimdall.migration_0_3.test_rows import DECISION, LESSON
from tests.support.hostile_databases import ENDLESS, alter, deleting_journal, reads
from tests.support.other_sqlite import keeping_log

PLAIN, DRY, REMOVE = Options(), Options(dry_run=True), Options(remove=True)


@pytest.fixture
def project(root: Path) -> Project:
    return Project(root)


def texts(project: Project) -> dict[str, str]:
    with ProjectMemory.open(project.database) as memory:
        return {found.id: found.text for found in memory.memories()}


def everything_in(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def rows(database: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(database)) as connection:
        return [tuple(row) for row in connection.execute("SELECT * FROM memories ORDER BY id")]


def test_ours_takes_the_place_and_the_original_is_kept(
    original: OriginalDatabase, project: Project
) -> None:
    database = original(more=1_234)
    before = rows(database)
    step = migrate(database, project, PLAIN)
    assert (step.outcome, step.target) == (Outcome.MIGRATED, str(project.database)), step.detail
    assert step.source == str(project.folder / KEPT_NAME)
    assert "1239 memories, 2 connections" in step.detail
    assert (
        "not taken: 1 memories without a text, 1 retrieval statistics, 4 vectors (made anew)"
        in step.detail
    )
    assert rows(project.folder / KEPT_NAME) == before
    found = texts(project)
    assert len(found) == 1_239
    assert found[DECISION] == "Wir nehmen SQLite im WAL-Modus. 日本語 ✓"
    assert {path.name for path in project.folder.iterdir()} == {
        KEPT_NAME,
        "cognitive_memory.db",
        "migrated.json",
    }


def test_what_was_deleted_or_changed_here_since_stays_so(
    original: OriginalDatabase, project: Project
) -> None:
    migrate(original(), project, PLAIN)
    with ProjectMemory.open(project.database) as memory:
        memory.delete([DECISION])
        memory.update(LESSON, text="Said better.")
    migrate(project.folder / KEPT_NAME, project, PLAIN)
    found = texts(project)
    assert DECISION not in found
    assert found[LESSON] == "Said better."


def test_into_a_memory_that_is_in_use(original: OriginalDatabase, project: Project) -> None:
    """The original's database in its other place, beside one of ours that has been used."""
    with ProjectMemory.open(project.database) as memory:
        own = memory.store(memories_of("Our own."))
        elsewhere = original("data/cognitive_memory.db")
        step = migrate(elsewhere, project, PLAIN)
    assert step.outcome is Outcome.MIGRATED
    assert elsewhere.exists()
    found = texts(project)
    assert (found[own.id], len(found)) == ("Our own.", 6)
    assert migrate(elsewhere, project, PLAIN).outcome is Outcome.PRESENT


def memories_of(text: str) -> NewMemory:
    return NewMemory(text=text)


def test_after_our_database_was_deleted_it_comes_over_again(
    original: OriginalDatabase, project: Project
) -> None:
    migrate(original(), project, PLAIN)
    project.database.unlink()
    assert migrate(project.folder / KEPT_NAME, project, PLAIN).outcome is Outcome.MIGRATED
    assert len(texts(project)) == 5


def test_it_is_removed_only_after_it_came_over(
    original: OriginalDatabase, project: Project
) -> None:
    step = migrate(original(), project, REMOVE)
    assert step.removed
    assert len(texts(project)) == 5
    assert not (project.folder / KEPT_NAME).exists()


def test_on_windows_the_original_is_closed_before_it_is_renamed(
    original: OriginalDatabase, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memories, "WINDOWS", True)
    assert migrate(original(), project, PLAIN).outcome is Outcome.MIGRATED


def test_the_id_of_the_project_is_that_of_its_settings(
    original: OriginalDatabase, project: Project
) -> None:
    init_project(project.root, project_id="01234567-89ab-4cde-8f01-23456789abcd")
    migrate(original(), project, PLAIN)
    with ProjectMemory.open(project.database) as memory:
        assert memory.project_id == "01234567-89ab-4cde-8f01-23456789abcd"


def test_a_database_in_use_is_left_alone(
    original: OriginalDatabase, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memories, "_BUSY_SECONDS", 0.1)
    database = original()
    with closing(sqlite3.connect(database)) as other:
        other.execute("SELECT count(*) FROM memories").fetchone()
        step = migrate(database, project, REMOVE)
        assert step.outcome is Outcome.FAILED
        assert "another process uses it; stop the assistants" in step.detail
        other.execute("UPDATE memories SET access_count = 77")
        other.commit()
    assert migrate(database, project, PLAIN).outcome is Outcome.MIGRATED
    assert {row[7] for row in rows(project.folder / KEPT_NAME)} == {77}


def test_what_a_crash_left_in_the_write_ahead_log_comes_too(
    original: OriginalDatabase, project: Project
) -> None:
    database = original()
    with closing(sqlite3.connect(database)) as writer:
        writer.execute("UPDATE memories SET content = 'Only in the log.' WHERE id = 'note-1'")
        writer.commit()
        crashed = {
            path.name: path.read_bytes()
            for path in project.folder.iterdir()
            if path.suffix != ".db-shm"
        }
    shutil.rmtree(project.folder)
    project.folder.mkdir()
    for name, content in crashed.items():
        (project.folder / name).write_bytes(content)
    assert f"{database.name}-wal" in crashed
    assert migrate(database, project, DRY).outcome is Outcome.PLANNED
    assert migrate(database, project, PLAIN).outcome is Outcome.MIGRATED
    assert "Only in the log." in texts(project).values()
    assert {path.name for path in project.folder.iterdir()} == {
        KEPT_NAME,
        "cognitive_memory.db",
        "migrated.json",
    }


def test_a_link_to_a_database_elsewhere(original: OriginalDatabase, project: Project) -> None:
    """A repository may have it, to bring another project's memories into its own folder."""
    real = original("elsewhere/real.db")
    before = rows(real)
    project.folder.mkdir()
    project.database.symlink_to(real)
    step = migrate(project.database, project, PLAIN)
    assert (step.outcome, "it is a symbolic link" in step.detail) == (Outcome.FAILED, True)
    assert rows(real) == before
    assert project.database.is_symlink()


def damage(database: Path) -> bytes:
    content = bytearray(database.read_bytes())
    for start in range(4096, len(content), 4096):
        content[start : start + 16] = b"\xff" * 16
    database.write_bytes(content)
    return bytes(content)


def test_a_damaged_database_is_left_as_it_is(original: OriginalDatabase, project: Project) -> None:
    database = original(more=300)
    assert is_legacy(database)
    before = damage(database)
    step = migrate(database, project, REMOVE)
    assert step.outcome is Outcome.FAILED
    assert "damaged" in step.detail
    assert database.read_bytes()[4096:] == before[4096:], "the header says WAL or not"
    assert sorted(path.name for path in project.folder.iterdir()) == ["cognitive_memory.db"]


def test_an_older_kept_file_is_not_replaced(original: OriginalDatabase, project: Project) -> None:
    database = original()
    kept = project.folder / KEPT_NAME
    kept.write_text("somebody's")
    step = migrate(database, project, PLAIN)
    assert kept.read_text() == "somebody's"
    assert step.source == str(project.folder / "cognitive_memory.heimdall-0.3.2.db")
    assert memories.kept_originals(project) == [Path(step.source), kept]


def test_notes_that_can_not_be_read_cost_a_look(
    original: OriginalDatabase, project: Project
) -> None:
    migrate(original(), project, PLAIN)
    (project.folder / "migrated.json").write_text("[")
    assert migrate(project.folder / KEPT_NAME, project, PLAIN).outcome is Outcome.PRESENT
    assert len(json.loads((project.folder / "migrated.json").read_text())) == 1


def test_what_is_no_database_is_not_legacy(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no database")
    assert not is_legacy(tmp_path / "text")
    assert not is_legacy(tmp_path)
    assert not is_legacy(tmp_path / "gone")
    shutil.rmtree(tmp_path)


@pytest.mark.parametrize("options", [PLAIN, DRY])
def test_a_journal_that_would_delete_a_file(
    original: OriginalDatabase, project: Project, tmp_path: Path, options: Options
) -> None:
    """As a repository may bring it: SQLite obeys it whenever the database is opened to be written."""
    database = original()
    victim = tmp_path / "precious"
    victim.write_text("precious")
    deleting_journal(database, victim)
    assert not is_legacy(database)
    step = migrate(database, project, options)
    assert (step.outcome, "rollback journal" in step.detail) == (Outcome.FAILED, True)
    assert victim.exists()
    reads(database)  # what SQLite does by itself
    assert not victim.exists()


@pytest.mark.parametrize("options", [PLAIN, DRY])
def test_what_does_not_answer_in_time(
    original: OriginalDatabase, project: Project, options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("memories", "original"):
        monkeypatch.setattr(f"heimdall.migration_0_3.{module}.seconds_for", lambda _: 0.0)
    database = original(more=2_000)
    step = migrate(database, project, options)
    assert (step.outcome, "did not answer in time" in step.detail) == (Outcome.FAILED, True)
    assert rows(database)


HUGE = "printf('%.*c', 900000000, 'x')"
COMPUTED = {
    "a virtual column": (f"ALTER TABLE memories ADD COLUMN more TEXT AS ({HUGE})",),
    "a column in the place of one": (
        "ALTER TABLE memories DROP COLUMN tags",
        f"ALTER TABLE memories ADD COLUMN tags TEXT AS ({HUGE})",
    ),
    "a stored column": (
        "DROP TABLE retrieval_stats",
        "CREATE TABLE retrieval_stats (a, b AS (a) STORED)",
    ),
    "a column of connections": (
        f"ALTER TABLE memory_connections ADD COLUMN more TEXT AS ({HUGE})",
    ),
    "an endless view": (
        "DROP TABLE retrieval_stats",
        f"CREATE VIEW Retrieval_Stats AS {ENDLESS} SELECT i FROM n",  # noqa: S608
    ),
    "a virtual table": (
        "DROP TABLE memory_connections",
        "CREATE VIRTUAL TABLE memory_connections USING fts5(source_id, target_id)",
    ),
}


@pytest.mark.parametrize("options", [PLAIN, DRY])
@pytest.mark.parametrize("kind", COMPUTED)
def test_what_is_computed_is_refused(
    original: OriginalDatabase, project: Project, options: Options, kind: str
) -> None:
    database = original()
    alter(database, *COMPUTED[kind])
    step = migrate(database, project, options)
    assert (step.outcome, "heimdall 0.3 never made" in step.detail) == (Outcome.FAILED, True), step
    assert not is_legacy(database)
    assert database.exists()


@pytest.mark.parametrize("options", [PLAIN, DRY])
def test_a_check_of_the_files_is_not_made(
    original: OriginalDatabase, project: Project, options: Options
) -> None:
    database = original()
    changed = f"replace(sql, 'content TEXT NOT NULL', 'content TEXT NOT NULL CHECK ({HUGE})')"
    changed = changed.replace("'%.*c'", "''%.*c''").replace("'x'", "''x''")
    alter(database, f"UPDATE sqlite_schema SET sql = {changed} WHERE name = 'memories'")  # noqa: S608
    with closing(sqlite3.connect(database)) as connection:
        (sql,) = connection.execute(
            "SELECT sql FROM sqlite_schema WHERE name = 'memories'"
        ).fetchone()
    assert "900000000" in sql
    step = migrate(database, project, options)
    assert step.outcome in {Outcome.MIGRATED, Outcome.PLANNED}, step


@pytest.mark.parametrize("options", [PLAIN, DRY])
def test_a_row_that_is_larger_than_any_memory(
    original: OriginalDatabase, project: Project, options: Options
) -> None:
    database = original()
    alter(database, "UPDATE memories SET content = hex(zeroblob(35000000)) WHERE id = 'note-1'")
    step = migrate(database, project, options)
    assert (step.outcome, step.removed) == (Outcome.FAILED, False)
    assert "too big" in step.detail


def test_leaving_the_write_ahead_log_makes_no_journal(original: OriginalDatabase) -> None:
    """A process that is killed would leave it, and what is beside a database is refused."""
    database = original()
    with memories._alone_with(database) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("memory",)
        assert database.read_bytes()[18:20] == b"\1\1", "no write-ahead log"


@pytest.mark.parametrize("options", [PLAIN, REMOVE])
def test_an_sqlite_that_leaves_its_log_behind(
    original: OriginalDatabase, project: Project, options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Apple's does."""
    keeping_log(monkeypatch)
    database = original()
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA user_version = 7")
        connection.commit()
    assert database.with_name(f"{database.name}-wal").stat().st_size
    step = migrate(database, project, options)
    assert step.outcome is Outcome.MIGRATED, step.detail
    assert step.removed == options.remove
    assert DECISION in texts(project)

"""What the original's database holds, and how that is told from other databases."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from heimdall.migration_0_3.original import Original, is_original, open_to_read
from tests.heimdall.conftest import OriginalDatabase


def test_what_does_not_come_over_is_counted(original: OriginalDatabase, root: Path) -> None:
    with open_to_read(original()) as connection:
        content = Original(connection, root)
        assert len(list(content.memories())) == 5
        assert content.summary() == (
            "5 memories, 2 connections in their metadata; not taken: "
            "1 memories without a text, 1 retrieval statistics, 4 vectors (made anew)"
        )


def test_the_digest_tells_what_changed(original: OriginalDatabase, root: Path) -> None:
    database = original()
    with closing(sqlite3.connect(database)) as connection:
        content = Original(connection, root)
        before = content.digest()
        connection.execute("UPDATE memories SET access_count = 9")
        assert content.digest() == before
        connection.execute("UPDATE memories SET content = content || '!' WHERE id = 'note-1'")
        assert content.digest() != before


def test_a_database_of_an_early_release(tmp_path: Path) -> None:
    """Before migrations 002 to 006 there were no connections, statistics or vectors."""
    database = tmp_path / "early.db"
    sql = (Path(__file__).parent / "heimdall_0_3" / "memories.sql").read_text("utf-8")
    create = sql[
        sql.index("CREATE TABLE memories") : sql.index(";", sql.index("CREATE TABLE memories"))
    ]
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(create.replace(", cognitive_embedding TEXT", ""))
        connection.execute("CREATE TABLE schema_migrations (version TEXT PRIMARY KEY)")
        connection.execute(
            "INSERT INTO memories (id, content, memory_type, hierarchy_level, dimensions, timestamp) "
            "VALUES ('a', 'Early.', 'episodic', 2, '{}', 1.7e9)"
        )
        connection.commit()
    assert is_original(database)
    with open_to_read(database) as connection:
        content = Original(connection, tmp_path)
        assert [memory.text for memory in content.memories()] == ["Early."]
        assert content.summary() == "1 memories"


@pytest.mark.parametrize("sql", ["CREATE TABLE memories (id)", "CREATE TABLE other (id)", ""])
def test_other_databases_are_none(tmp_path: Path, sql: str) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection:
        connection.execute("CREATE TABLE schema_migrations (version)")
        connection.execute(sql)
        connection.commit()
    assert not is_original(tmp_path / "other.db")

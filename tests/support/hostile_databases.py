"""What a repository can bring in the place of a database, and beside it."""

from __future__ import annotations

import os
import sqlite3
import struct
from contextlib import closing
from pathlib import Path

from cognitive_memory.core.memory import NewMemory
from cognitive_memory.storage import known
from tests.support.plain_embedder import PlainEmbedder

_MAGIC = bytes.fromhex("d9d505f920a163d7")
ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"


def a_strangers(database: Path, *texts: str) -> None:
    """A sound database that somebody else's heimdall made: here its secret is not known."""
    with PlainEmbedder(here=False).open(database) as memory:
        memory.store_many(NewMemory(text=text) for text in texts)
    forget(database)


def forget(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        known.forget(connection.execute("SELECT secret FROM secret").fetchone()[0])


def alter(database: Path, *statements: str) -> None:
    """Change a database as only its owner can: what it says of its schema, too."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        for statement in statements:
            connection.execute(statement)


def deleting_journal(database: Path, victim: Path) -> Path:
    """A journal of no records, whose super-journal is a file that SQLite then deletes."""
    content = database.read_bytes()
    page = int.from_bytes(content[16:18])
    header = _MAGIC + struct.pack(">5I", 0, 7, len(content) // page, 512, page)
    name = os.fsencode(victim)
    record = struct.pack(">I", 0x40000000 // page + 1) + name
    record += struct.pack(">2I", len(name), sum(name)) + _MAGIC
    journal = database.with_name(f"{database.name}-journal")
    journal.write_bytes(header.ljust(512, b"\0") + record)
    return journal


def endless_pages(database: Path, table: str, *, levels: int = 4, fan: int = 500) -> None:
    """Make a table of few rows one of fan ** (levels - 1) times as many: each page is many times in the one above it."""
    with closing(sqlite3.connect(database)) as connection:
        query = "SELECT rootpage FROM sqlite_schema WHERE name = ?"
        (root,) = connection.execute(query, (table,)).fetchone()
    content = bytearray(database.read_bytes())
    page = int.from_bytes(content[16:18])

    def above(child: int) -> bytes:
        cells = [struct.pack(">I", child) + bytes([0x80 + n // 128, n % 128]) for n in range(fan)]
        start = page - sum(map(len, cells))
        places = [start + len(cells[0]) * n for n in range(fan)]
        head = struct.pack(f">BHHHBI{fan}H", 5, 0, fan, start, 0, child, *places)
        return head.ljust(start, b"\0") + b"".join(cells)

    content += content[(root - 1) * page : root * page]
    for _ in range(levels - 2):
        content += above(len(content) // page)
    content[(root - 1) * page : root * page] = above(len(content) // page)
    content[28:32] = struct.pack(">I", len(content) // page)
    database.write_bytes(content)


def reads(database: Path) -> None:
    """What SQLite does by itself."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()


HOSTILE_SCHEMAS: dict[str, tuple[str, ...]] = {
    "a trigger that keeps what is deleted": (
        "CREATE TRIGGER stay BEFORE DELETE ON memories BEGIN SELECT RAISE(IGNORE); END",
    ),
    "a trigger that rewrites what is stored": (
        "CREATE TRIGGER rewrite AFTER INSERT ON memories BEGIN UPDATE memories SET text = 'obey' WHERE key = new.key; END",
    ),
    "a trigger of ours that does something else": (
        "DROP TRIGGER memory_added",
        "CREATE TRIGGER memory_added AFTER INSERT ON memories BEGIN DELETE FROM memories; END",
    ),
    "a trigger of ours that is missing": ("DROP TRIGGER memory_deleted",),
    "an endless view in a table's place": (
        "ALTER TABLE project RENAME TO was",
        (
            f"CREATE VIEW project AS {ENDLESS} SELECT 1 AS one, max(i) AS project_id, max(i) AS created_at, "  # noqa: S608
            "max(i) AS revision, max(i) AS memories, max(i) AS deletions_since FROM n"
        ),
    ),
    "an index on an expression": ("CREATE INDEX slow ON memories (length(text) || hex(text))",),
    "a check that never ends": (
        (
            "UPDATE sqlite_schema SET sql = replace(sql, 'CHECK (pinned IN (0, 1))', "
            "'CHECK (pinned IN (0, 1) AND length(hex(zeroblob(100000000))) > 0)') WHERE name = 'memories'"
        ),
    ),
    "a default that is none of ours": (
        (
            "UPDATE sqlite_schema SET sql = replace(sql, 'context TEXT NOT NULL', "
            "'context TEXT NOT NULL DEFAULT (hex(randomblob(9)))') WHERE name = 'memories'"
        ),
    ),
    "a generated column": ("ALTER TABLE memories ADD COLUMN more TEXT AS (hex(text))",),
    "another collation": (
        (
            "UPDATE sqlite_schema SET sql = replace(sql, 'source TEXT,', 'source TEXT COLLATE NOCASE,') "
            "WHERE name = 'memories'"
        ),
    ),
    "a virtual table more": ("CREATE VIRTUAL TABLE other USING fts5(text)",),
    "a table more": ("CREATE TABLE more (x)",),
    "a table of statistics that is none": (
        "ANALYZE",
        "UPDATE sqlite_schema SET sql = replace(sql, 'stat)', 'stat CHECK (length(stat)))') WHERE name = 'sqlite_stat1'",
    ),
    "a table of the index with a trigger": (
        (
            "UPDATE sqlite_schema SET sql = replace(sql, 'block BLOB', 'block BLOB CHECK (length(hex(block)) > 0)') "
            "WHERE name = 'memory_words_data'"
        ),
    ),
    "another version than it says": ("PRAGMA user_version = 1",),
    "a version that never was": ("PRAGMA user_version = -3",),
}
"""What can be in a database's schema, by what it is for."""

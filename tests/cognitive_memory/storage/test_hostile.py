"""Databases that came with a folder, or came back altered: nothing happens, and the error names the way out."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from cognitive_memory.core.memory import NewMemory, Origin
from cognitive_memory.core.recall import RecallFilter
from cognitive_memory.project_memory import ProjectMemory
from cognitive_memory.storage import files, schema
from cognitive_memory.storage.adoption import adopt
from cognitive_memory.storage.backup import back_up, problems_in
from cognitive_memory.storage.errors import (
    AlteredDatabaseError,
    DatabaseUnreadableError,
    NoAnswerError,
    StorageError,
    UnknownDatabaseError,
)
from cognitive_memory.storage.hardening import bounded
from cognitive_memory.storage.schema import peek, prepare
from tests.support.hostile_databases import (
    ENDLESS,
    HOSTILE_SCHEMAS,
    a_strangers,
    alter,
    deleting_journal,
    endless_pages,
    reads,
)

pytestmark = pytest.mark.usefixtures("at_once")


@pytest.fixture
def own(database: Path) -> Path:
    """A database of this user's, with one memory."""
    with ProjectMemory.open(database) as memory:
        memory.store(NewMemory(text="mine"), embed=False)
    return database


def ask(database: Path, query: str) -> int:
    with closing(sqlite3.connect(database)) as connection:
        return int(connection.execute(query).fetchone()[0])


def state(directory: Path) -> dict[str, tuple[int, bytes]]:
    return {
        file.name: (file.lstat().st_mode, file.read_bytes() if file.is_file() else b"")
        for file in directory.iterdir()
    }


def refused(database: Path, match: str, kind: type[StorageError] = AlteredDatabaseError) -> None:
    before = state(database.parent)
    for use in (prepare, peek, ProjectMemory.open):
        with pytest.raises(kind, match=match) as caught:
            use(database)
        assert str(database) in str(caught.value)
    assert state(database.parent) == before


class TestJournal:
    @pytest.fixture
    def victim(self, tmp_path: Path) -> Path:
        (tmp_path / "elsewhere").mkdir()
        victim = tmp_path / "elsewhere" / "precious.txt"
        victim.write_text("precious")
        return victim

    @pytest.mark.parametrize("whose", ["own", "a stranger's"])
    @pytest.mark.parametrize("relative", [False, True])
    def test_no_file_is_deleted(
        self, database: Path, victim: Path, whose: str, relative: bool
    ) -> None:
        a_strangers(database, "theirs")
        if whose == "own":
            database.unlink()
            prepare(database)
        path = Path(os.path.relpath(victim)) if relative else victim
        journal = deleting_journal(database, path)
        refused(database, r"-journal beside it is a rollback journal.*project adopt")
        assert victim.read_text() == "precious"
        # That is what it would have done.
        reads(database)
        assert (victim.exists(), journal.exists()) == (False, False)

    def test_beside_an_open_memory(self, own: Path, victim: Path) -> None:
        with ProjectMemory.open(own) as memory:
            memory.storage._connections._idle.clear()
            deleting_journal(own, victim)
            with pytest.raises(AlteredDatabaseError, match="rollback journal"):
                memory.storage.status()
        assert victim.exists()

    def test_an_empty_one_too(self, own: Path) -> None:
        own.with_name(f"{own.name}-journal").touch()
        refused(own, "rollback journal")

    def test_without_a_database(self, database: Path) -> None:
        database.parent.mkdir()
        database.with_name(f"{database.name}-journal").write_bytes(b"x" * 600)
        refused(database, "rollback journal")


class TestFilesInTheirPlace:
    @pytest.mark.parametrize("suffix", ["", "-wal", "-shm"])
    def test_links(self, own: Path, tmp_path: Path, suffix: str) -> None:
        """A link would lead to another project's memories, or write into any file."""
        target = tmp_path / "target"
        shutil.copy(own, target)
        before = target.read_bytes()
        link = own.with_name(own.name + suffix)
        link.unlink(missing_ok=True)
        link.symlink_to(target)
        refused(own, "symbolic link")
        assert target.read_bytes() == before

    @pytest.mark.parametrize("suffix", ["", "-wal", "-shm", "-journal"])
    def test_links_that_lead_nowhere(self, own: Path, tmp_path: Path, suffix: str) -> None:
        link = own.with_name(own.name + suffix)
        link.unlink(missing_ok=True)
        link.symlink_to(tmp_path / "nowhere")
        refused(own, "symbolic link")
        assert not (tmp_path / "nowhere").exists()

    @pytest.mark.parametrize("suffix", ["", "-wal", "-shm", "-journal"])
    @pytest.mark.parametrize("make", [os.mkdir, lambda path: os.mkfifo(path, 0o600)])
    def test_what_is_no_file(self, own: Path, suffix: str, make: object) -> None:
        place = own.with_name(own.name + suffix)
        place.unlink(missing_ok=True)
        assert callable(make)
        make(place)
        refused(own, "no file")

    def test_a_log_without_its_database(self, own: Path) -> None:
        """It would be played into the new one, with whatever is in it."""
        with ProjectMemory.open(own) as memory:
            memory.store(NewMemory(text="in the log"), embed=False)
            log = files.log_of(own).read_bytes()
        own.unlink()
        files.log_of(own).write_bytes(log)
        refused(own, "is there without it")

    def test_a_second_hard_link_is_none_of_these(self, own: Path, tmp_path: Path) -> None:
        os.link(own, tmp_path / "second")
        assert prepare(own).version


@pytest.mark.parametrize("what", HOSTILE_SCHEMAS)
def test_an_altered_schema(own: Path, what: str) -> None:
    alter(own, *HOSTILE_SCHEMAS[what])
    match = "something else" if "never was" in what else r"schema is not the one .*project adopt"
    refused(own, match, DatabaseUnreadableError)
    assert ask(own, "SELECT count(*) FROM sqlite_schema") > 0, "SQLite itself reads it"


@pytest.mark.parametrize("what", HOSTILE_SCHEMAS)
def test_an_altered_schema_in_the_log(own: Path, tmp_path: Path, what: str) -> None:
    """The file is as it was; the log beside it says otherwise."""
    with closing(sqlite3.connect(own, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        for statement in HOSTILE_SCHEMAS[what]:
            connection.execute(statement)
        log = files.log_of(own).read_bytes()
        before = own.read_bytes()
    own.write_bytes(before)
    files.log_of(own).write_bytes(log)
    with pytest.raises(DatabaseUnreadableError):
        prepare(own)


def test_a_view_that_never_ends_in_place_of_the_secret(database: Path) -> None:
    a_strangers(database, "theirs")
    alter(
        database,
        "DROP TABLE secret",
        f"CREATE VIEW secret AS {ENDLESS} SELECT max(i) AS secret FROM n",  # noqa: S608
    )
    refused(database, "not one that your heimdall made", UnknownDatabaseError)


def test_a_schema_without_end(database: Path) -> None:
    """More entries than can be read in the time that there is: SQLite reads all of them before it answers anything."""
    a_strangers(database)
    alter(
        database,
        f"INSERT INTO sqlite_schema {ENDLESS} SELECT 'table', 't' || i, 't' || i, 0, 'CREATE TABLE t' || i || '(x)' "  # noqa: S608
        "FROM n LIMIT 20000",
    )
    with pytest.raises(StorageError):
        prepare(database)


class TestUnknown:
    def test_it_is_not_opened(self, database: Path) -> None:
        a_strangers(database, "theirs")
        refused(
            database,
            r"not one that your heimdall made.*nothing was stored.*project adopt",
            UnknownDatabaseError,
        )

    def test_a_secret_of_its_own_invention(self, own: Path) -> None:
        for value in ("x'00'", "randomblob(32)", "zeroblob(32)"):
            alter(
                own,
                "PRAGMA ignore_check_constraints = ON",
                f"UPDATE secret SET secret = {value}",  # noqa: S608
            )
            refused(own, "not one that your heimdall made", UnknownDatabaseError)
        alter(own, "DELETE FROM secret")
        refused(own, "not one that your heimdall made", UnknownDatabaseError)

    def test_in_a_folder_that_the_environment_trusts(
        self, database: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        a_strangers(database, "theirs")
        monkeypatch.setenv("HEIMDALL_TRUST", str(database.parent.parent))
        with ProjectMemory.open(database) as memory:
            assert [item.text for item in memory.memories()] == ["theirs"]
        alter(database, *HOSTILE_SCHEMAS["a trigger that keeps what is deleted"])
        refused(database, "schema is not the one")

    def test_own_ones_may_be_moved_and_copied(self, own: Path, tmp_path: Path) -> None:
        shutil.copytree(own.parent, tmp_path / "copy")
        own.parent.rename(tmp_path / "moved")
        for place in ("copy", "moved"):
            with ProjectMemory.open(tmp_path / place / own.name) as memory:
                assert memory.storage.status().memories == 1


def test_analyze_by_the_tool_of_sqlite_is_harmless(own: Path) -> None:
    reads(own)
    with closing(sqlite3.connect(own)) as connection:
        connection.execute("ANALYZE")
        assert connection.execute("SELECT count(*) FROM sqlite_stat1").fetchone()[0]
    with ProjectMemory.open(own) as memory:
        assert memory.storage.status().memories == 1


def test_a_copied_backup_works_on(own: Path, tmp_path: Path) -> None:
    """By hand, in place of 'heimdall restore': a backup has no write-ahead log, ours always have one."""
    with ProjectMemory.open(own) as memory:
        back_up(memory.database, tmp_path / "saved.db")
    shutil.copy(tmp_path / "saved.db", own)
    with ProjectMemory.open(own) as memory:
        memory.store(NewMemory(text="more"), embed=False)
        assert files.log_of(own).exists()
        assert problems_in(memory.database) == []


def interrupted(code: str, *arguments: str) -> str:
    """What a process says that gets a Ctrl-C soon after it has printed a line."""
    with subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        return process.communicate(timeout=900)[1]


class TestPagesWithoutEnd:
    @pytest.fixture
    def endless(self, own: Path) -> Path:
        endless_pages(own, "memories")
        return own

    @pytest.mark.slow
    def test_a_question_comes_to_an_end(self, endless: Path) -> None:
        with (
            ProjectMemory.open(endless) as memory,
            pytest.raises(
                NoAnswerError, match=r"; nothing was changed; .heimdall restore.*adopt --own"
            ),
            memory.storage.reading() as reader,
        ):
            reader.keys(RecallFilter(origins=frozenset({Origin.CAPTURED})))

    @pytest.mark.slow
    def test_ctrl_c_ends_it(self, endless: Path) -> None:
        code = (
            "import sys; from pathlib import Path\n"
            "from cognitive_memory.project_memory import ProjectMemory\n"
            "with ProjectMemory.open(Path(sys.argv[1])) as memory, memory.storage.reading() as reader:\n"
            "    print('begun', flush=True)\n"
            "    reader.connection.execute('SELECT max(length(text)) FROM memories').fetchone()\n"
        )
        assert "KeyboardInterrupt" in interrupted(code, str(endless))

    def test_it_is_not_said_to_be_sound(self, endless: Path) -> None:
        before = endless.read_bytes()
        with pytest.raises(DatabaseUnreadableError, match=r"restore.*adopt --own"):
            adopt(endless)
        assert endless.read_bytes() == before


def test_what_takes_too_long_is_asked_once(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []

    def slow(database: Path) -> None:
        looks.append(database)
        raise NoAnswerError(str(database), "slow", "wait")

    monkeypatch.setattr(schema, "_probe", slow)
    with pytest.raises(NoAnswerError):
        prepare(own)
    assert len(looks) == 1


def test_what_takes_too_long_is_ended(tmp_path: Path) -> None:
    with (
        closing(sqlite3.connect(":memory:")) as connection,
        pytest.raises(sqlite3.OperationalError, match="interrupted"),
        bounded(connection, 0.1),
    ):
        connection.execute(f"{ENDLESS} SELECT max(i) FROM n").fetchone()  # noqa: S608


@pytest.mark.slow
def test_ctrl_c_ends_it(tmp_path: Path) -> None:
    code = (
        "import sqlite3; from cognitive_memory.storage.hardening import bounded\n"  # noqa: S608
        "connection = sqlite3.connect(':memory:')\n"
        "with bounded(connection, 600):\n"
        "    print('begun', flush=True)\n"
        f"    connection.execute('{ENDLESS} SELECT max(i) FROM n').fetchone()\n"
    )
    assert "KeyboardInterrupt" in interrupted(code)

"""The notes of which databases are ours, in a data directory that others may write to."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from cognitive_memory.core.memory import NewMemory
from cognitive_memory.project_memory import ProjectMemory
from cognitive_memory.storage import files, known
from cognitive_memory.storage.adoption import Adopted, adopt
from cognitive_memory.storage.backup import problems_in
from cognitive_memory.storage.errors import ForeignLogError
from cognitive_memory.storage.schema import peek, prepare
from tests.support.capabilities import needs_modes

SECRET = bytes(range(32))
OTHER = bytes(32)


@pytest.fixture
def note() -> Path:
    known.note(SECRET)
    return known._directory() / sha256(SECRET).hexdigest()


def of(secret: bytes) -> str:
    return sha256(secret).hexdigest()


def test_a_note_is_the_owner_s_alone_and_holds_no_secret(note: Path) -> None:
    assert known.is_known(SECRET)
    assert not known.is_known(OTHER)
    assert SECRET not in note.read_bytes()
    assert os.name == "nt" or note.stat().st_mode & 0o777 == 0o600


def test_forgetting(note: Path) -> None:
    known.forget(SECRET)
    known.forget(SECRET)
    assert not known.is_known(SECRET)
    assert not note.exists()


@pytest.mark.parametrize("how", ["rename", "link", "symlink"])
def test_a_note_under_another_name_says_nothing(note: Path, how: str) -> None:
    """Who may write to the directory may move, copy and link what is there, but not write a file of ours."""
    other = note.with_name(of(OTHER))
    if how == "rename":
        note.rename(other)
    elif how == "link":
        os.link(note, other)
    else:
        other.symlink_to(note)
    assert not known.is_known(OTHER)


@pytest.mark.skipif(os.name == "nt", reason="POSIX modes")
class TestFolder:
    def test_nobody_else_may_remove_what_is_in_it(self, note: Path) -> None:
        assert note.parent.stat().st_mode & 0o777 == 0o700

    @pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="needs root")
    def test_each_user_of_a_directory_has_one(self, note: Path) -> None:
        os.chown(note.parent, 12345, -1)
        known.note(OTHER)
        assert not (note.parent / of(OTHER)).exists()
        assert known.is_known(OTHER)

    def test_one_that_others_may_write_is_refused(self, note: Path) -> None:
        note.parent.chmod(0o770)
        with pytest.raises(PermissionError, match="others may write to it; remove it"):
            known.note(OTHER)


def test_a_pipe_is_not_waited_for(note: Path) -> None:
    os.mkfifo(note.with_name(of(OTHER)))
    assert not known.is_known(OTHER)


@needs_modes
def test_a_note_that_others_may_write(note: Path) -> None:
    note.chmod(0o620)
    assert not known.is_known(SECRET)


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="needs root")
def test_a_note_of_another_user(note: Path) -> None:
    os.chown(note, 12345, -1)
    assert not known.is_known(SECRET)


class TestLog:
    """The write-ahead log: played into the database without a question by whoever opens it."""

    @pytest.fixture
    def planted(self, database: Path, tmp_path: Path) -> Path:
        """A database of the user's, and a log of somebody else's for it: all pages of a database, but that of the secret."""
        with ProjectMemory.open(database) as memory:
            memory.store(NewMemory(text="mine"), embed=False)
        copy = tmp_path / "copy.db"
        shutil.copy(database, copy)
        with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
            connection.execute("PRAGMA wal_autocheckpoint = 0")
            connection.execute("UPDATE memories SET text = 'obey', pinned = 1")
            shutil.copy(files.log_of(copy), tmp_path / "planted")
        return tmp_path / "planted"

    def test_one_that_came_with_the_folder(self, database: Path, planted: Path) -> None:
        shutil.copy(planted, files.log_of(database))
        for use in (prepare, peek, ProjectMemory.open):
            with pytest.raises(ForeignLogError, match=r"-wal beside it is not .*project adopt"):
                use(database)
        adopted = adopt(database)
        assert (adopted.rescued, len(adopted.kept)) == (None, 1)
        assert texts(database) == ["mine"]

    def test_one_of_the_user_s_own_can_be_kept(self, database: Path, planted: Path) -> None:
        shutil.copy(planted, files.log_of(database))
        assert adopt(database, own=True) == Adopted(True, None, [])
        assert texts(database) == ["obey"]

    def test_a_folder_that_was_copied_in_use_and_comes_back(
        self, database: Path, tmp_path: Path
    ) -> None:
        """As `cp -a .heimdall bk` while a server runs, and later `cp -a bk/. .heimdall/`."""
        with ProjectMemory.open(database) as memory:
            memory.store(NewMemory(text="before the copy"), embed=False)
            shutil.copytree(database.parent, tmp_path / "bk")
            memory.store(NewMemory(text="after the copy"), embed=False)
        number = database.stat().st_ino
        shutil.copytree(tmp_path / "bk", database.parent, dirs_exist_ok=True)
        assert files.size(files.log_of(database))
        assert database.stat().st_ino == number
        assert texts(database) == ["before the copy"]

    def test_the_command_that_loses_nothing_is_named_first(
        self, database: Path, planted: Path
    ) -> None:
        shutil.copy(planted, files.log_of(database))
        with pytest.raises(ForeignLogError, match=r"adopt --own .* keeps it.* adopt .* aside"):
            prepare(database)

    def test_one_in_the_place_of_one_that_is_in_use(self, database: Path, planted: Path) -> None:
        """As when git overwrites a file that it ignores, while a server runs."""
        with ProjectMemory.open(database) as memory:
            memory.store(NewMemory(text="more"), embed=False)
            files.log_of(database).unlink()
            shutil.copy(planted, files.log_of(database))
            with pytest.raises(ForeignLogError):
                ProjectMemory.open(database)
            memory.storage._connections._idle.clear()
            with pytest.raises(ForeignLogError):
                memory.storage.status()

    def test_one_that_gets_the_number_of_the_one_before(
        self, database: Path, planted: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Filesystems give the number of a removed file to the next one."""
        numbers: list[int] = []
        real = files.inode

        def of(path: Path) -> int:
            number = real(path)
            if path == files.log_of(database) and number:
                numbers.append(number)
                return numbers[0]
            return number

        monkeypatch.setattr(files, "inode", of)
        with ProjectMemory.open(database) as memory:
            memory.store(NewMemory(text="more"), embed=False)
        shutil.copy(planted, files.log_of(database))
        with pytest.raises(ForeignLogError):
            ProjectMemory.open(database)

    def test_what_a_killed_process_left_is_ours(self, database: Path, tmp_path: Path) -> None:
        pid = os.fork()
        if not pid:
            memory = ProjectMemory.open(database)
            memory.store(NewMemory(text="stored before the kill"), embed=False)
            os.kill(os.getpid(), signal.SIGKILL)
        os.waitpid(pid, 0)
        assert files.size(files.log_of(database))
        shutil.copytree(database.parent, tmp_path / "copy")
        assert texts(tmp_path / "copy" / database.name) == ["stored before the kill"]
        assert texts(database) == ["stored before the kill"]
        assert not files.log_of(database).exists()

    def test_where_the_environment_trusts_the_folder(
        self, database: Path, planted: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shutil.copy(planted, files.log_of(database))
        monkeypatch.setenv("HEIMDALL_TRUST", str(database.parent.parent))
        assert texts(database) == ["obey"]


def texts(database: Path) -> list[str]:
    with ProjectMemory.open(database) as memory:
        assert problems_in(memory.database) == []
        return [item.text for item in memory.memories()]

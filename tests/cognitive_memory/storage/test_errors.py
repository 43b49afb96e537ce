"""Databases that can't be used, and disks that are full: nothing that was acknowledged is lost."""

from __future__ import annotations

import os
import pickle
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from cognitive_memory.core.memory import NewMemory
from cognitive_memory.project_memory import ProjectMemory
from cognitive_memory.storage import connections
from cognitive_memory.storage.backup import problems_in
from cognitive_memory.storage.errors import (
    DatabaseBusyError,
    DatabaseFullError,
    DatabaseReadOnlyError,
    DatabaseUnreadableError,
    StorageError,
    UnknownMemoryError,
)
from heimdall import HeimdallError
from tests.support.filesystems import remount, tmpfs
from tests.support.other_user import other_users
from tests.support.plain_embedder import PlainEmbedder
from tests.support.real_model import ROOT


def test_busy_database_is_named(memory: ProjectMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    memory.store(NewMemory(text="before"))
    monkeypatch.setattr(connections, "BUSY_SECONDS", 0.05)
    with (
        PlainEmbedder().open(memory.database) as hurried,
        closing(sqlite3.connect(memory.database)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseBusyError, match="another process has been writing") as caught:
            hurried.store(NewMemory(text="too late"))
        assert caught.value.database == str(memory.database)
        assert [item.text for item in hurried.memories()] == ["before"]
        other.rollback()
        hurried.store(NewMemory(text="now"))


def test_full_disk_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    with (
        tmpfs(tmp_path / "small", "size=2500k") as disk,
        PlainEmbedder(here=False).open(disk / "memory.db") as memory,
    ):
        stored: list[str] = []

        def fill() -> None:
            while True:
                stored.append(memory.store(NewMemory(text=os.urandom(2000).hex())).id)

        with pytest.raises(DatabaseFullError, match=r"the disk is full.*make room"):
            fill()
        assert len(stored) > 10
        assert {item.id for item in memory.memories()} == set(stored)
        remount(disk, "size=10m")
        assert problems_in(memory.database) == []
        stored.append(memory.store(NewMemory(text="there is room again")).id)
        assert {item.id for item in memory.memories()} == set(stored)


def test_read_only_database_is_named(tmp_path: Path) -> None:
    user, _ = other_users()
    folder = tmp_path / "shared"
    with PlainEmbedder().open(folder / "memory.db") as memory:
        memory.store(NewMemory(text="readable"))
    code = (
        "import sys; from pathlib import Path\n"
        "from cognitive_memory.project_memory import ProjectMemory\n"
        "from cognitive_memory.core.memory import NewMemory\n"
        "with ProjectMemory.open(Path(sys.argv[1])) as memory:\n"
        "    print([item.text for item in memory.memories()], memory.recall('readable').hits[0].memory.text)\n"
        "    try: memory.store(NewMemory(text='no'))\n"
        "    except Exception as error: print(type(error).__name__, error)\n"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT), "HEIMDALL_FETCH": "never"}
    done = user.run([sys.executable, "-c", code, str(folder / "memory.db")], environment)
    assert done.stderr == ""
    first, second = done.stdout.splitlines()
    assert first == "['readable'] readable"
    assert second.startswith(
        f"{DatabaseReadOnlyError.__name__} {folder / 'memory.db'}: it can't be written to"
    )


def test_damage_found_while_reading_is_named(database: Path) -> None:
    with PlainEmbedder(here=False).open(database) as memory:
        for number in range(900):
            memory.store(NewMemory(text=f"{number} " + "word " * 100))
    size = database.stat().st_size
    with database.open("rb+") as file:
        file.seek(size - 110_000)  # the schema is in the first pages
        file.write(b"\xff" * 100_000)
    with PlainEmbedder(here=False).open(database) as memory:
        with pytest.raises(DatabaseUnreadableError, match="heimdall restore"):
            list(memory.memories())
        assert problems_in(memory.database)


def test_closed_memory_says_so(memory: ProjectMemory) -> None:
    other = PlainEmbedder().open(memory.database)
    other.close()
    with pytest.raises(StorageError, match="it was closed"):
        other.storage.status()


@pytest.mark.parametrize(
    "error",
    [StorageError("a", "b", "c"), DatabaseBusyError("a", "b", "c"), UnknownMemoryError(("x", "y"))],
)
def test_errors_survive_pickling(error: HeimdallError) -> None:
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 (made here)
    assert type(copy) is type(error)
    assert vars(copy) == vars(error)
    assert str(copy) == str(error)


@pytest.mark.skipif(os.name == "nt", reason="POSIX limits")
def test_a_full_disk_can_be_read(database: Path, tmp_path: Path) -> None:
    """No file may grow: neither the index of a log, nor a note in the data directory."""
    with ProjectMemory.open(database) as memory:
        memory.store(NewMemory(text="mine"), embed=False)
    code = (
        "import resource, sys; from pathlib import Path\n"
        "from cognitive_memory.project.errors import ProjectError\n"
        "from cognitive_memory.project.init import init_project\n"
        "from cognitive_memory.project_memory import ProjectMemory\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
        "for _ in range(2):\n"
        "    with ProjectMemory.open(Path(sys.argv[1])) as memory:\n"
        "        print(memory.storage.status().memories)\n"
        "try:\n"
        "    init_project(Path(sys.argv[2]))\n"
        "except ProjectError as error:\n"
        "    print(error)\n"
    )
    (tmp_path / "new").mkdir()
    command = [sys.executable, "-c", code, str(database), str(tmp_path / "new")]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False, timeout=900)
    assert done.stdout.startswith("1\n1\n"), done.stderr
    assert f"{tmp_path / 'new' / '.heimdall'}" in done.stdout
    assert "check the free space" in done.stdout
    with ProjectMemory.open(database) as memory:
        memory.store(NewMemory(text="more"), embed=False)
        assert memory.storage.status().memories == 2

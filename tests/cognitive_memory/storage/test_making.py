"""New databases: complete before they have their name, one for all who make one at once, and known."""

from __future__ import annotations

import contextlib
import errno
import os
import random
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cognitive_memory.core.memory import NewMemory
from cognitive_memory.project_memory import ProjectMemory
from cognitive_memory.storage import files, known, making
from cognitive_memory.storage.backup import back_up, problems_in
from cognitive_memory.storage.errors import StorageError
from cognitive_memory.storage.schema import prepare

pytestmark = pytest.mark.skipif(os.name == "nt", reason="POSIX modes and signals")


def notes() -> list[Path]:
    """Of databases, without those of their logs."""
    folder = known._directory()
    return [file for file in folder.iterdir() if not file.suffix] if folder.is_dir() else []


def test_only_its_owner_may_read_it(database: Path) -> None:
    umask = os.umask(0o002)
    try:
        with ProjectMemory.open(database) as memory:
            memory.store(NewMemory(text="mine"), embed=False)
            modes = {
                file.name: stat.S_IMODE(file.stat().st_mode)
                for file in (database, files.log_of(database), *notes()[0].parent.iterdir())
            }
            back_up(memory.database, database.with_name("saved.db"))
    finally:
        os.umask(umask)
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(database.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(database.with_name("saved.db").stat().st_mode) == 0o600


def test_nothing_else_is_left(database: Path) -> None:
    prepare(database)
    assert [file.name for file in database.parent.iterdir()] == [database.name]
    assert len(notes()) == 1


def test_who_is_later_uses_what_is_there(database: Path) -> None:
    assert making.make(database, "first")
    assert not making.make(database, "second")
    assert prepare(database).project_id == "first"
    assert len(notes()) == 1, "what never got the name is not remembered"


def test_where_files_can_not_be_linked(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr("os.link", refuse)
    assert making.make(database, "first")
    assert not making.make(database, "second")
    assert prepare(database).project_id == "first"


def test_what_a_killed_process_left_is_swept(database: Path) -> None:
    database.parent.mkdir()
    left = database.parent / "making.host.1-00000000.tmp"
    left.mkdir()
    (left / database.name).write_bytes(b"half")
    os.utime(left, (1e9, 1e9))
    prepare(database)
    assert not left.exists()


def test_a_directory_that_can_not_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=r"can't be (looked at|made)"):
        prepare(tmp_path / "file" / "a.db")


_OPEN_AND_STORE = """
import os, sys
from pathlib import Path
from cognitive_memory.core.memory import NewMemory
from tests.support.plain_embedder import PlainEmbedder
for name in sys.argv[2:]:
    with PlainEmbedder(here=False).open(Path(sys.argv[1])) as memory:
        memory.store(NewMemory(text=name))
        print(name, flush=True)
"""


def forked(work: Callable[[], None]) -> int:
    """A child process that has everything imported already."""
    pid = os.fork()
    if pid:
        return pid
    with contextlib.suppress(BaseException):
        work()
        os._exit(0)
    os._exit(1)


def store(database: Path, text: str) -> None:
    with ProjectMemory.open(database) as memory:
        memory.store(NewMemory(text=text), embed=False)


@pytest.mark.slow
def test_eight_processes_at_once(database: Path) -> None:
    commands = [[sys.executable, "-c", _OPEN_AND_STORE, str(database), str(n)] for n in range(8)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE) for command in commands]
    assert [process.wait(timeout=900) for process in running] == [0] * 8
    for process in running:
        assert process.stdout is not None
        process.stdout.close()
    with ProjectMemory.open(database) as memory:
        assert {item.text for item in memory.memories()} == set("01234567")
        assert problems_in(memory.database) == []
    assert len(notes()) == 1


@pytest.mark.slow
def test_kills_at_any_place(tmp_path: Path) -> None:
    """Eight processes make one database, and are killed at random: nobody after them is locked out, nothing is lost."""
    dice = random.Random(7)
    killed = turn = 0
    while turn < 10 or not killed:
        turn += 1
        database = tmp_path / f"{turn}" / ".heimdall" / "cognitive_memory.db"
        children = [
            forked(lambda database=database, number=number: store(database, f"of {number}"))  # type: ignore[misc]
            for number in range(8)
        ]
        time.sleep(dice.uniform(0, 0.15))
        for pid in children[::2]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        ended = {number: os.waitpid(pid, 0)[1] for number, pid in enumerate(children)}
        assert [ended[number] for number in range(1, 8, 2)] == [0] * 4
        with ProjectMemory.open(database) as memory:
            there = {item.text for item in memory.memories()}
            assert {f"of {number}" for number, status in ended.items() if status == 0} <= there
            assert problems_in(memory.database) == []
        killed += any(os.WIFSIGNALED(status) for status in ended.values())


@pytest.mark.slow
@pytest.mark.parametrize(
    "place",
    [
        "cognitive_memory.storage.known.note",
        "cognitive_memory.storage.files.take_name",
        "shutil.rmtree",
    ],
)
@pytest.mark.parametrize("after", [False, True])
def test_a_kill_before_and_after_each_step(database: Path, place: str, after: bool) -> None:
    module, _, name = place.rpartition(".")

    def make() -> None:
        target = sys.modules[module]
        real = getattr(target, name)

        def dying(*arguments: object, **more: object) -> None:
            if after:
                real(*arguments, **more)
            os.kill(os.getpid(), signal.SIGKILL)

        setattr(target, name, dying)
        prepare(database)

    _, status = os.waitpid(forked(make), 0)
    assert os.WIFSIGNALED(status)
    store(database, "afterwards")
    with ProjectMemory.open(database) as memory:
        assert memory.storage.status().memories == 1

from __future__ import annotations

import errno
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from heimdall.models import locking
from heimdall.models.locking import advisory_lock
from heimdall.models.transfer.progress import Progress
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow


class Notes(Progress):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def test_one_at_a_time_between_threads(tmp_path: Path) -> None:
    inside: list[int] = []
    overlaps: list[int] = []

    def work() -> None:
        with advisory_lock(tmp_path / "x.lock", 600, progress=Notes()):
            inside.append(1)
            overlaps.append(len(inside))
            time.sleep(0.02)
            inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert overlaps == [1, 1, 1, 1]


def test_waiting_ends_when_the_holder_has_done_the_work(tmp_path: Path) -> None:
    with (
        advisory_lock(tmp_path / "x.lock", 600, progress=Notes()),
        advisory_lock(tmp_path / "x.lock", 600, lambda: True, Notes()),
    ):
        pass


def test_waiting_is_announced_bounded_and_names_path_and_owner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locking, "_ANNOUNCE_SECONDS", 0.0)
    path = tmp_path / "x.lock"
    ready, notes = tmp_path / "ready", Notes()
    program = (
        "import pathlib, sys, time; from heimdall.models.locking import advisory_lock\n"
        "with advisory_lock(pathlib.Path(sys.argv[1]), 600):\n"
        "    pathlib.Path(sys.argv[2]).touch(); time.sleep(600)"
    )
    root = Path(__file__).resolve().parents[3]
    holder = subprocess.Popen([sys.executable, "-c", program, str(path), str(ready)], cwd=root)
    try:
        wait_until(ready.exists, holder)
        with advisory_lock(path, 0.6, progress=notes):
            pass
    finally:
        holder.kill()
        holder.wait()
    waiting, giving_up = notes.notes
    assert f"process {holder.pid} on " in waiting
    assert str(path) in waiting
    assert "going on without" in giving_up
    with advisory_lock(path, 600, progress=notes):
        assert len(notes.notes) == 2, "the lock of a killed process is free at once"


@pytest.mark.parametrize("name", ["EBADF", "ENOSYS", "ENOLCK", "EOPNOTSUPP", "EIO"])
def test_where_locks_are_refused_the_work_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """uv#18061, #18073: flock on NFSv4 gives EBADF."""

    def refused(*_: object) -> None:
        raise OSError(getattr(errno, name), "refused")

    monkeypatch.setattr(locking, "_try_lock", refused)
    notes = Notes()
    with advisory_lock(tmp_path / "x.lock", 600, progress=notes) as held:
        assert not held
    assert notes.notes[0].startswith(f"can't lock {tmp_path / 'x.lock'}")
    assert notes.notes[0].endswith("refused); going on without")

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from heimdall.models.errors import SourceError
from heimdall.models.transfer.child_process import Fetcher
from heimdall.models.transfer.progress import Progress
from tests.support.capabilities import needs_proc
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[4]


class Told(Progress):
    def __init__(self) -> None:
        self.total: int | None = -1
        self.done = 0

    def start(self, _what: str, total: int | None, _done: int = 0) -> None:
        self.total = total

    def advance(self, count: int) -> None:
        self.done += count


def fetcher(directory: Path, code: str, **options: float) -> Fetcher:
    """A program that is Python code; it finds a folder `a` in its working directory."""
    (directory / "a").mkdir(exist_ok=True)
    code = f"import os, sys, time; os.chdir({str(directory)!r}); {code}"
    command = [sys.executable, "-c", code]
    settings = {"limit": 1 << 20, "stall_seconds": 30.0, **options}
    return Fetcher(command, os.environ, directory, "it", **settings)  # type: ignore[arg-type]


def test_what_it_prints_and_how_it_ends(tmp_path: Path) -> None:
    code, output = fetcher(
        tmp_path, "print('out'); print('err', file=sys.stderr); sys.exit(3)"
    ).run(Progress())
    assert code == 3
    assert set(output.split()) == {"out", "err"}


def test_its_bytes_are_told_as_they_come(tmp_path: Path) -> None:
    told = Told()
    code = (
        "print('Progress 0 of 2000', flush=True); open('a/x', 'wb').write(bytes(2000)); "
        "time.sleep(0.5); open('a/y', 'wb').write(bytes(5000)); time.sleep(600)"
    )
    assert fetcher(tmp_path, code, enough=7000).run(told)[0] == 0
    assert (told.total, told.done) == (2000, 2000), "what is unpacked besides does not count"


def test_what_moves_from_one_folder_to_another_is_counted_once(tmp_path: Path) -> None:
    told = Told()
    code = (
        "open('a/x', 'wb').write(bytes(700_000)); time.sleep(0.4); os.mkdir('b'); "
        "open('b/x', 'wb').write(bytes(700_001)); time.sleep(600)"
    )
    assert fetcher(tmp_path, code, limit=800_000, enough=700_001).run(told)[0] == 0
    assert (told.total, told.done) == (None, 700_001)


def test_one_that_brings_too_much_is_ended(tmp_path: Path) -> None:
    code = "open('a/x', 'wb').write(bytes(2_000_000)); time.sleep(600)"
    with pytest.raises(SourceError, match="larger than the 1048576 bytes") as caught:
        fetcher(tmp_path, code).run(Progress())
    assert not caught.value.transient


def test_one_that_brought_enough_is_ended_as_a_success(tmp_path: Path) -> None:
    code = "open('a/x', 'wb').write(bytes(1000)); time.sleep(600)"
    assert fetcher(tmp_path, code, enough=1000).run(Progress())[0] == 0


def test_one_that_stands_still_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("heimdall.models.transfer.child_process._OWN_SECONDS", 0.0)
    with pytest.raises(SourceError, match="sent only 0 bytes") as caught:
        fetcher(tmp_path, "time.sleep(600)", stall_seconds=0.5).run(Progress())
    assert caught.value.transient


def test_one_that_takes_too_long_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("heimdall.models.transfer.child_process._LONGEST_SECONDS", 0.3)
    with pytest.raises(SourceError, match="longer than an hour"):
        fetcher(tmp_path, "time.sleep(600)").run(Progress())


GRANDCHILD = (
    "import subprocess; "
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); "
    "open('a/pids.new', 'w').write(f'{os.getpid()} {child.pid}'); os.rename('a/pids.new', 'a/pids'); "
)


def is_gone(pid: str) -> bool:
    try:
        # Nobody may be left to take a zombie's exit code in a container.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].startswith("Z")
    except (ProcessLookupError, FileNotFoundError):
        return True


@needs_proc
def test_what_it_started_ends_with_it(tmp_path: Path) -> None:
    code = f"{GRANDCHILD} open('a/x', 'wb').write(bytes(1000)); time.sleep(600)"
    assert fetcher(tmp_path, code, enough=1000).run(Progress())[0] == 0
    pids = (tmp_path / "a/pids").read_text().split()
    wait_until(lambda: all(map(is_gone, pids)))


@needs_proc
@pytest.mark.parametrize("how", ["SIGKILL", "SIGTERM", "SIGINT"])
def test_it_never_outlives_us(tmp_path: Path, how: str) -> None:
    program = fetcher(tmp_path, f"{GRANDCHILD} time.sleep(600)").command[2]
    ours = (
        "import os, pathlib, sys\n"
        "from heimdall.models.transfer.child_process import Fetcher\n"
        "from heimdall.models.transfer.progress import Progress\n"
        f"command = [sys.executable, '-c', {program!r}]\n"
        f"directory = pathlib.Path({str(tmp_path)!r})\n"
        "Fetcher(command, os.environ, directory, 'it', 1000, 60.0).run(Progress())\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", ours],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.DEVNULL,
    )
    note = tmp_path / "a/pids"
    wait_until(note.exists, process)
    process.send_signal(signal.Signals[how])
    process.wait()
    pids = note.read_text().split()
    wait_until(lambda: all(map(is_gone, pids)))

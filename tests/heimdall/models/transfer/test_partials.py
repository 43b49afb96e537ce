from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from heimdall.models.transfer.partials import claim
from tests.support.capabilities import needs_fork, needs_proc, needs_removal, needs_users


def left_behind(directory: Path, name: str, content: bytes) -> Path:
    path = directory / name
    path.write_bytes(content)
    return path


def dead_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def own_prefix(directory: Path) -> str:
    """`<key>.<host>` as this machine names it."""
    with claim(directory, "key") as partial:
        return partial.path.name.rsplit(".", 2)[0]


def test_a_finished_download_leaves_nothing(tmp_path: Path) -> None:
    with claim(tmp_path, "key") as partial:
        partial.append(b"abc")
        partial.append(b"def")
        assert partial.size == 6
        assert partial.sha256 == hashlib.sha256(b"abcdef").hexdigest()
        partial.close()
        partial.path.rename(tmp_path / "published")
    assert [path.name for path in tmp_path.iterdir()] == ["published"]
    assert (tmp_path / "published").read_bytes() == b"abcdef"


def test_an_interrupted_download_is_continued_by_the_next(tmp_path: Path) -> None:
    with contextlib.suppress(KeyboardInterrupt), claim(tmp_path, "key") as partial:
        partial.append(b"abc")
        raise KeyboardInterrupt
    with claim(tmp_path, "other") as other:
        assert other.size == 0
    with claim(tmp_path, "key") as partial:
        assert partial.size == 3
        partial.append(b"def")
        assert partial.sha256 == hashlib.sha256(b"abcdef").hexdigest()
    assert not list(tmp_path.iterdir())


def test_nothing_is_kept_of_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="boom"), claim(tmp_path, "key"):
        raise ValueError("boom")
    assert not list(tmp_path.iterdir())


def test_a_dead_process_part_is_claimed_a_living_ones_is_not(tmp_path: Path) -> None:
    prefix = own_prefix(tmp_path)
    dead = left_behind(tmp_path, f"{prefix}.{dead_pid()}-0a.part", b"dead")
    living = left_behind(tmp_path, f"{prefix}.{os.getppid()}-0b.part", b"living longer")
    with claim(tmp_path, "key") as partial:
        assert partial.size == len(b"dead")
        assert not dead.exists()
    assert living.read_bytes() == b"living longer"


def test_a_part_of_a_process_before_us_with_our_number_is_continued(tmp_path: Path) -> None:
    prefix = own_prefix(tmp_path)
    left_behind(tmp_path, f"{prefix}.{os.getpid()}-0a.part", b"before a restart")
    with claim(tmp_path, "key") as partial:
        assert partial.size == len(b"before a restart")
        with claim(tmp_path, "key") as other:
            assert other.size == 0, "this one we made"


@needs_proc
def test_a_process_that_nobody_has_asked_how_it_ended_is_dead(tmp_path: Path) -> None:
    prefix = own_prefix(tmp_path)
    ended = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    assert ended.stdout is not None
    with ended, ended.stdout as output:
        output.read()
        while b") Z" not in Path(f"/proc/{ended.pid}/stat").read_bytes():
            time.sleep(0.01)
        left_behind(tmp_path, f"{prefix}.{ended.pid}-0a.part", b"dead")
        with claim(tmp_path, "key") as partial:
            assert partial.size == len(b"dead")


def test_with_the_lock_any_part_is_continued_and_one_at_most_stays(tmp_path: Path) -> None:
    names = ("key.elsewhere.1-0a.part", "key.third.7-0b.part", "key.third.8-0c.part")
    for number, name in enumerate(names, 1):
        left_behind(tmp_path, name, b"12345"[:number])
    with contextlib.suppress(SystemExit), claim(tmp_path, "key", alone=True) as partial:
        assert partial.size == len(names)
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
            [names[-1], partial.path.name]
        )
        raise SystemExit
    with claim(tmp_path, "key", alone=True) as partial:
        assert partial.size == len(names)
        assert len(list(tmp_path.iterdir())) == 1
    assert not list(tmp_path.iterdir())


def test_with_the_lock_a_living_ones_part_is_continued_and_stays(tmp_path: Path) -> None:
    """Its number may be another process' by now; if not, the lock lies."""
    name = f"{own_prefix(tmp_path)}.{os.getppid()}-0a.part"
    theirs = left_behind(tmp_path, name, b"123")
    with claim(tmp_path, "key", alone=True) as partial:
        assert partial.size == 3
    assert theirs.read_bytes() == b"123"


def test_whom_a_lying_lock_takes_for_dead_is_not_disturbed(tmp_path: Path) -> None:
    theirs = left_behind(tmp_path, "key.elsewhere.1-0a.part", b"right ")
    with (
        theirs.open("r+b", buffering=0) as still_writing,
        claim(tmp_path, "key", alone=True) as own,
    ):
        still_writing.seek(0, os.SEEK_END)
        still_writing.write(b"bytes")
        assert theirs.read_bytes() == b"right bytes"
        assert own.path.read_bytes() == b"right "


def test_a_part_of_another_host_is_claimed_when_it_has_not_grown_for_long(tmp_path: Path) -> None:
    foreign = left_behind(tmp_path, "key.elsewhere.1-0a.part", b"foreign")
    with claim(tmp_path, "key") as partial:
        assert partial.size == 0
    os.utime(foreign, (1, 1))
    with claim(tmp_path, "key") as partial:
        assert partial.size == len(b"foreign")


def test_two_claimants_never_share_one(tmp_path: Path) -> None:
    left_behind(tmp_path, "key.free-00.part", b"one")
    with claim(tmp_path, "key") as first, claim(tmp_path, "key") as second:
        assert (first.size, second.size) == (3, 0)
        assert first.path != second.path


@needs_removal
def test_who_only_seems_to_be_dead_never_shares_the_file(tmp_path: Path) -> None:
    """In another process namespace with the same host name, on a suspended machine, after a clock that jumped."""
    prefix = own_prefix(tmp_path)
    theirs = left_behind(tmp_path, f"{prefix}.{dead_pid()}-0a.part", b"right ")
    with theirs.open("r+b", buffering=0) as still_writing, claim(tmp_path, "key") as partial:
        assert partial.size == len(b"right ")
        partial.append(b"bytes")
        still_writing.write(b"WRONG ")
        still_writing.truncate(3)
        partial.close()
        partial.path.rename(tmp_path / "published")
    assert (tmp_path / "published").read_bytes() == b"right bytes"
    assert [path.name for path in tmp_path.iterdir()] == ["published"]


@needs_users
def test_a_part_of_a_living_process_of_another_user_stays(tmp_path: Path) -> None:
    prefix = own_prefix(tmp_path)
    first = left_behind(tmp_path, f"{prefix}.1-0a.part", b"process 1 lives, and may be root's")
    with claim(tmp_path, "key") as partial:
        assert partial.size == 0
    assert first.exists()


@pytest.mark.slow
@needs_fork
def test_a_forked_child_that_ends_writes_nothing(tmp_path: Path) -> None:
    program = (
        "import os, pathlib, sys; from heimdall.models.transfer.partials import claim\n"
        "with claim(pathlib.Path(sys.argv[1]), 'key') as partial:\n"
        "    partial.append(b'once')\n"
        "    pid = os.fork()\n"
        "    if pid == 0: partial._stream.close(); os._exit(0)\n"
        "    os.waitpid(pid, 0)\n"
        "    partial.append(b', only')\n"
        "    partial.close()\n"
        "    print(partial.path.read_bytes().decode())"
    )
    root = Path(__file__).resolve().parents[4]
    command = [sys.executable, "-c", program, str(tmp_path)]
    done = subprocess.run(command, cwd=root, capture_output=True, encoding="utf-8", check=True)
    assert done.stdout == "once, only\n"


def test_the_longest_part_is_preferred(tmp_path: Path) -> None:
    left_behind(tmp_path, "key.free-00.part", b"1")
    left_behind(tmp_path, "key.free-01.part", b"333")
    left_behind(tmp_path, "key.free-02.part", b"22")
    with claim(tmp_path, "key") as partial:
        assert partial.size == 3


def test_starting_over(tmp_path: Path) -> None:
    left_behind(tmp_path, "key.free-00.part", b"stale")
    with claim(tmp_path, "key") as partial:
        partial.restart()
        partial.append(b"new")
        partial.close()
        assert partial.path.read_bytes() == b"new"
        assert partial.sha256 == hashlib.sha256(b"new").hexdigest()

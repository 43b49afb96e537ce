from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from cognitive_memory.qdrant.silence import REST, Silence
from tests.support.capabilities import needs_modes

URL = "http://a:6333"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "qdrant"


def test_it_holds_for_the_machine_and_for_one_node(directory: Path) -> None:
    Silence(directory, URL).begin()
    assert Silence(directory, URL).lasts()
    assert not Silence(directory, "http://b:6333").lasts()
    Silence(directory, URL).end()
    assert not Silence(directory, URL).lasts()
    assert list(directory.iterdir()) == []


@pytest.mark.parametrize("age", [REST + 1, -3600.0])
def test_it_ends_also_when_the_clock_was_set_back(directory: Path, age: float) -> None:
    silence = Silence(directory, URL)
    silence.begin()
    (file,) = directory.iterdir()
    then = time.time() - age
    os.utime(file, (then, then))
    assert not silence.lasts()
    silence.begin()
    assert silence.lasts()


@needs_modes
def test_what_others_may_write_is_not_believed(directory: Path) -> None:
    Silence(directory, URL).begin()
    (file,) = directory.iterdir()
    file.chmod(0o666)
    assert not Silence(directory, URL).lasts()
    if os.geteuid() == 0:
        file.chmod(0o600)
        os.chown(file, 12345, 12345)
        assert not Silence(directory, URL).lasts()


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_a_link_or_pipe_is_left_alone(directory: Path, tmp_path: Path, kind: str) -> None:
    Silence(directory, URL).begin()
    (file,) = directory.iterdir()
    file.unlink()
    target = tmp_path / "target"
    target.touch()
    os.utime(target, (1, 1))
    if kind == "link":
        file.symlink_to(target)
    else:
        os.mkfifo(file)
    silence = Silence(directory, URL)
    assert not silence.lasts()
    silence.begin()
    assert target.stat().st_mtime == 1
    assert silence.lasts()  # this process remembers by itself
    assert not Silence(directory, URL).lasts()


def test_without_a_directory_the_process_remembers(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    silence = Silence(tmp_path / "file", URL)
    silence.begin()
    assert silence.lasts()
    silence.end()
    assert not silence.lasts()

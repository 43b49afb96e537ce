from __future__ import annotations

import os
import socket
import threading
from pathlib import Path

import pytest

from heimdall.models.regular_file import NotRegularError, read_regular
from tests.support.capabilities import needs_proc


@pytest.mark.parametrize("most", [0, 3, 4, 5])
def test_no_more_than_asked_is_read(tmp_path: Path, most: int) -> None:
    (tmp_path / "a").write_bytes(b"1234")
    content, status = read_regular(tmp_path / "a", most)
    assert content == b"1234"[: most + 1]
    assert status.st_size == 4


def test_what_is_no_regular_file_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "endless").symlink_to("/dev/zero")
    (tmp_path / "link").symlink_to("folder")
    (tmp_path / "loop").symlink_to("loop")
    with socket.socket(socket.AF_UNIX) as server:
        # a socket's address is short, whatever the folder's name
        monkeypatch.chdir(tmp_path)
        server.bind("socket")
        for name in (
            "pipe",
            "folder",
            "endless",
            "link",
            "loop",
            "socket",
            "/dev/zero",
            "/dev/tty",
        ):
            if name != "/dev/tty" or Path(name).exists():
                with pytest.raises((NotRegularError, OSError)):
                    read_regular(tmp_path / name, 10)
    with pytest.raises(NotRegularError, match="it is no regular file"):
        read_regular(tmp_path / "pipe", 10)


def test_a_file_that_grows_has_an_end(tmp_path: Path) -> None:
    path, stop = tmp_path / "log", threading.Event()

    def grow() -> None:
        with path.open("ab") as stream:
            while not stop.is_set():
                stream.write(b"x" * 100_000)

    path.write_bytes(b"")
    thread = threading.Thread(target=grow)
    thread.start()
    try:
        while path.stat().st_size < 300_000:
            pass
        assert len(read_regular(path, 200_000)[0]) == 200_001
    finally:
        stop.set()
        thread.join()


@needs_proc
def test_a_file_whose_size_nobody_knows(tmp_path: Path) -> None:
    content, status = read_regular(Path("/proc/self/maps"), 100)
    assert (len(content), status.st_size) == (101, 0)


def test_a_large_hole_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "a").open("wb") as stream:
        stream.truncate(3_000_000_000)
    assert len(read_regular(tmp_path / "a", 1000)[0]) == 1001

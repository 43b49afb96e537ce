from __future__ import annotations

import errno
import hashlib
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from heimdall.models import files
from heimdall.models.files import CHUNK, chunks_of, draft, sha256_of, write_atomically, written_out


def test_a_file_is_hashed_and_read_in_chunks(tmp_path: Path) -> None:
    content = os.urandom(CHUNK + 1)
    (tmp_path / "file").write_bytes(content)
    assert sha256_of(tmp_path / "file") == hashlib.sha256(content).hexdigest()
    assert [len(chunk) for chunk in chunks_of(io.BytesIO(content))] == [CHUNK, 1]


def test_the_new_file_takes_the_old_ones_place(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with draft(path) as beside:
        beside.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [OSError("full"), KeyboardInterrupt()])
def test_what_is_not_finished_leaves_nothing(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def fill() -> None:
        with draft(path) as beside:
            beside.write_text("part")
            raise error

    with pytest.raises(type(error)):
        fill()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_can_not_be_made_is_named_and_not_its_draft(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "file"
    with pytest.raises(FileNotFoundError) as refused, draft(path):
        pass
    assert refused.value.filename == str(path)


def test_text_keeps_its_line_ends(tmp_path: Path) -> None:
    write_atomically(tmp_path / "file", "größe\r\n1\n")
    assert (tmp_path / "file").read_bytes() == "größe\r\n1\n".encode()


def test_a_file_that_is_there_stays_if_it_is_to(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"first", replace=False)
    write_atomically(path, b"second", replace=False)
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]


def test_a_filesystem_without_links_gets_the_file_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", refuse)
    write_atomically(tmp_path / "file", b"first", replace=False)
    write_atomically(tmp_path / "file", b"second", replace=False)
    assert (tmp_path / "file").read_bytes() == b"first"


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="modes are POSIX's")
def test_modes(tmp_path: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path; from heimdall.models.files import write_atomically\n"
        "os.umask(0o022); top = Path(sys.argv[1])\n"
        "write_atomically(top / 'plain', 'x'); write_atomically(top / 'secret', 'x', mode=0o600)"
    )
    subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], cwd=Path(__file__).parents[3], check=True
    )
    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in tmp_path.iterdir()}
    assert modes == {"plain": "0o644", "secret": "0o600"}


def test_a_directory_that_is_not_there_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_atomically(tmp_path / "no" / "file", "x")


def test_a_name_that_a_virus_scanner_holds_is_asked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows: the first renames are refused."""
    refusals = [PermissionError(13, "in use")] * 2
    replace = Path.replace

    def held(self: Path, target: Path) -> Path:
        if refusals:
            raise refusals.pop()
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", held)
    monkeypatch.setattr(files, "_PATIENCE_SECONDS", (0.0, 0.0, 0.0))
    files.write_atomically(tmp_path / "file", "new")
    assert (tmp_path / "file").read_text() == "new"
    refusals = [PermissionError(13, "in use")] * 4
    with pytest.raises(PermissionError):
        files.write_atomically(tmp_path / "file", "newer")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.skipif(os.name == "nt", reason="there is no fcntl")
@pytest.mark.parametrize("knows", [True, False])
def test_on_macos_the_drive_itself_is_flushed_where_the_volume_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, knows: bool
) -> None:
    import fcntl

    calls: list[object] = []

    def answer(descriptor: int, command: int) -> int:
        calls.append(command)
        if not knows:
            raise OSError(errno.ENOTSUP, "not supported")
        return 0

    monkeypatch.setattr(fcntl, "F_FULLFSYNC", 51, raising=False)
    monkeypatch.setattr(fcntl, "fcntl", answer)
    monkeypatch.setattr(os, "fsync", lambda _: calls.append("fsync"))
    write_atomically(tmp_path / "file", "text")
    assert calls == ([51] if knows else [51, "fsync"])


@pytest.mark.skipif(not hasattr(os, "posix_fadvise"), reason="the system can't be told")
def test_what_is_written_is_brought_to_the_disk_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content, path, told = os.urandom(20 << 20), tmp_path / "file", []

    def tell(_: int, offset: int, size: int, __: int) -> None:
        assert path.stat().st_size == offset + size, "only what is written already"
        told.append((offset, size))

    monkeypatch.setattr(os, "posix_fadvise", tell)
    with path.open("wb") as stream:
        for chunk in written_out(chunks_of(io.BytesIO(content)), stream):
            stream.write(chunk)
    assert told == [(0, 8 << 20), (8 << 20, 8 << 20)]
    assert path.read_bytes() == content

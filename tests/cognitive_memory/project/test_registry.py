from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cognitive_memory.project.find import Project
from cognitive_memory.project.registry import FOLDER, forget, known_projects, remember
from tests.support.places import DATA
from tests.support.real_model import ROOT


@pytest.fixture
def notes(home: Path) -> Path:
    return home / DATA / FOLDER


def roots() -> list[Path]:
    return [known.project.root for known in known_projects()]


def test_nothing_is_known_at_first(notes: Path) -> None:
    assert known_projects() == []
    assert not notes.exists()


def test_remembered_forgotten_and_in_order_of_use(tmp_path: Path, notes: Path) -> None:
    first, second = Project(tmp_path / "first"), Project(tmp_path / "second")
    first.root.mkdir()
    remember(first)
    (note,) = notes.iterdir()
    os.utime(note, (1_000_000_000, 1_000_000_000))
    remember(second)
    assert roots() == [second.root, first.root]
    assert [known.gone for known in known_projects()] == [True, False]
    for note in notes.iterdir():
        os.utime(note, (2_000_000, note.stat().st_mtime - 100))
    remember(first)
    assert roots() == [first.root, second.root]
    assert len(list(notes.iterdir())) == 2
    assert forget(second)
    assert not forget(second)
    assert roots() == [first.root]


@pytest.mark.skipif(os.name == "nt", reason="names are text on Windows")
def test_a_path_that_is_no_text(tmp_path: Path) -> None:
    project = Project(tmp_path / os.fsdecode(b"caf\xe9"))
    remember(project)
    assert roots() == [project.root]


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b'{"root": 3}', b'{"root": "/elsewhere"}', b"\xff", b"null", b"[" * 60_000],
)
def test_a_bad_note_hides_no_other(tmp_path: Path, notes: Path, content: bytes) -> None:
    remember(Project(tmp_path))
    (notes / "0123456789abcdef.json").write_bytes(content)
    assert roots() == [tmp_path]


@pytest.mark.skipif(os.name == "nt", reason="POSIX pipes, links and modes")
class TestNotesOfOthers:
    """In a data directory that a group shares."""

    @pytest.mark.parametrize("what", ["pipe", "device", "writable"])
    def test_they_do_not_count(self, tmp_path: Path, notes: Path, what: str) -> None:
        remember(Project(tmp_path))
        (note,) = notes.iterdir()
        if what == "writable":
            note.chmod(0o664)
        else:
            note.unlink()
            os.mkfifo(note) if what == "pipe" else note.symlink_to("/dev/zero")
        assert roots() == []
        remember(Project(tmp_path))
        assert roots() == [tmp_path]

    def test_no_link_is_followed(self, tmp_path: Path, notes: Path) -> None:
        remember(Project(tmp_path))
        (note,) = notes.iterdir()
        victim = tmp_path / "victim"
        victim.write_bytes(note.read_bytes())
        os.utime(victim, (1_000_000_000, 1_000_000_000))
        note.unlink()
        note.symlink_to(victim)
        remember(Project(tmp_path))
        assert victim.stat().st_mtime == 1_000_000_000
        assert roots() == [tmp_path]

    def test_a_umask_of_a_group(self, tmp_path: Path) -> None:
        umask = os.umask(0o002)
        try:
            remember(Project(tmp_path))
        finally:
            os.umask(umask)
        assert roots() == [tmp_path]


@pytest.mark.slow
def test_many_processes_lose_nothing(tmp_path: Path, notes: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from cognitive_memory.project.find import Project\n"
        "from cognitive_memory.project.registry import known_projects, remember\n"
        "for number in range(40):\n"
        "    remember(Project(Path('/p') / sys.argv[1] / str(number)))\n"
        "    remember(Project(Path('/p/all') / str(number)))\n"
        "    known_projects()"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HEIMDALL_FETCH": "never"}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(number)],
            env=environment,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        for number in range(4)
    ]
    assert [process.communicate(timeout=900)[1] for process in processes] == [""] * 4
    expected = {
        Path("/p") / name / str(number)
        for name in ("0", "1", "2", "3", "all")
        for number in range(40)
    }
    assert set(roots()) == expected
    assert len(list(notes.iterdir())) == len(expected)


def test_a_shared_directory_that_can_not_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("HEIMDALL_DATA_DIR", str(tmp_path / "file"))
    with pytest.raises(OSError, match="file"):
        remember(Project(tmp_path))
    assert known_projects() == []

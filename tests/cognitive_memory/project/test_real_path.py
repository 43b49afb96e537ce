from __future__ import annotations

import os
from pathlib import Path
from unicodedata import normalize

import pytest

from cognitive_memory.project.find import find_project
from cognitive_memory.project.real_path import real_path, spelled
from tests.support.capabilities import TELLS_CASES, needs_cases
from tests.support.caseless import make_caseless

NAME = normalize("NFD", "Übersicht.md")


@pytest.fixture
def caseless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    top = tmp_path / "Volume"
    (top / "My Project" / ".git").mkdir(parents=True)
    for name in ("README.md", NAME):
        (top / "My Project" / name).write_text("text")
    if TELLS_CASES:
        make_caseless(monkeypatch, top)
    return top


@needs_cases
def test_where_names_are_told_apart_each_is_its_own(tmp_path: Path) -> None:
    for name in ("a", "A", "ä", normalize("NFD", "ä")):
        (tmp_path / name).mkdir()
        assert real_path(tmp_path / name) == tmp_path / name
    (tmp_path / "x").touch()
    os.link(tmp_path / "x", tmp_path / "X")
    assert real_path(tmp_path / "X") == tmp_path / "X", "another name of the same file"
    (tmp_path / "there").touch()
    for gone in ("There", "gone/B"):
        assert real_path(tmp_path / gone) == tmp_path / gone
    assert real_path("/") == Path("/")


@needs_cases
def test_a_name_is_spelled_as_the_disk_has_it(caseless: Path) -> None:
    project = caseless / "My Project"
    for name in ("readme.md", "README.MD", "README.md"):
        assert real_path(project / name) == project / "README.md"
        assert real_path(caseless / "MY PROJECT" / name) == project / "README.md"
    for form in ("NFC", "NFD"):
        assert real_path(project / normalize(form, "übersicht.md")) == project / NAME
    (caseless.parent / "link").symlink_to(project)
    assert real_path(caseless.parent / "link") == project
    assert spelled(caseless.parent / "link") == caseless.parent / "link"
    assert spelled(caseless / "my project") == project


def test_a_project_is_the_same_however_it_is_written(
    caseless: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find_project(caseless / "my project").root == caseless / "My Project"
    monkeypatch.setenv("HEIMDALL_PROJECT", str(caseless / "MY PROJECT"))
    assert find_project().root == caseless / "My Project"


def test_macos_is_asked_about_folders_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To open and close a database would drop SQLite's locks."""
    fcntl = pytest.importorskip("fcntl")
    (tmp_path / "volume").mkdir()
    (tmp_path / "volume" / "file").touch()
    asked, folder = [], (tmp_path / "volume").stat()

    def answer(descriptor: int, command: int, buffer: bytes) -> bytes:
        asked.append((command, len(buffer), os.path.samestat(os.fstat(descriptor), folder)))
        return os.fsencode(tmp_path / "Volume").ljust(len(buffer), b"\0")

    monkeypatch.setattr(fcntl, "F_GETPATH", 50, raising=False)
    monkeypatch.setattr(fcntl, "fcntl", answer)
    assert real_path(tmp_path / "volume") == tmp_path / "Volume"
    assert real_path(tmp_path / "volume" / "file") == tmp_path / "Volume" / "file"
    assert asked == [(50, 1024, True)] * 2
    assert real_path(tmp_path / "gone") == tmp_path / "Volume" / "gone"

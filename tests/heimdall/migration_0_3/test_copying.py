from __future__ import annotations

import os
from pathlib import Path

import pytest

from heimdall.migration_0_3 import copying
from heimdall.migration_0_3.report import MigrationError, Options, Outcome
from tests.support.capabilities import needs_modes


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    (tree / "deep" / "deeper").mkdir(parents=True)
    (tree / "deep" / "file").write_bytes(b"content")
    (tree / "link").symlink_to("deep/file")
    return tree


@needs_modes
def test_a_file_comes_with_its_time_and_with_the_umask(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"content")
    source.chmod(0o600)
    os.utime(source, (1e9, 1e9))
    copying.copy(source, tmp_path / "below" / "target")
    status = (tmp_path / "below" / "target").stat()
    assert (status.st_mtime, status.st_mode & 0o777) == (1e9, 0o644)
    assert [path.name for path in (tmp_path / "below").iterdir()] == ["target"]


def test_a_taken_name_stays(tmp_path: Path, tree: Path) -> None:
    (tmp_path / "taken").write_text("mine")
    with pytest.raises(MigrationError, match="is there already, and is not replaced"):
        copying.copy(tree / "deep/file", tmp_path / "taken")
    assert (tmp_path / "taken").read_text() == "mine"
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "own").touch()
    with pytest.raises(MigrationError, match="is there already"):
        copying.copy(tree, tmp_path / "folder")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "taken", "tree"]


def test_a_tree_with_its_links(tmp_path: Path, tree: Path) -> None:
    copy = tmp_path / "new" / "copy"
    copying.copy(tree, copy)
    assert copying.digests(copy) == copying.digests(tree)
    assert (copy / "link").read_bytes() == b"content"
    assert (copy / "deep" / "deeper").is_dir()


@pytest.mark.parametrize("leads_to", ["../outside", "/etc/hostname"])
def test_links_that_lead_out_are_refused(tmp_path: Path, tree: Path, leads_to: str) -> None:
    (tree / "out").symlink_to(leads_to)
    with pytest.raises(MigrationError, match="leads out of"):
        copying.copy(tree, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_pipes_are_refused(tmp_path: Path, tree: Path) -> None:
    os.mkfifo(tree / "pipe")
    with pytest.raises(MigrationError, match="is no file, folder or link"):
        copying.copy(tree, tmp_path / "copy")


def test_what_dead_processes_left_is_swept(tmp_path: Path) -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    with copying.temporary(tmp_path) as own:
        own.mkdir()
        dead = own.with_name(own.name.replace(f".{os.getpid()}-", f".{child}-"))
        dead.mkdir()
        (dead / "half").touch()
        (tmp_path / "migrating.tmp").touch()
        assert copying.unfinished(tmp_path) == [dead]
        copying.sweep(tmp_path)
        assert not dead.exists()
        assert own.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["migrating.tmp"]


def test_a_folder_comes_over_once(tmp_path: Path, tree: Path) -> None:
    target = tmp_path / "target"
    assert copying.migrate("qdrant", tree, target, Options(dry_run=True)).outcome is Outcome.PLANNED
    assert copying.migrate("qdrant", tree, target, Options()).outcome is Outcome.MIGRATED
    assert copying.migrate("qdrant", tree, target, Options()).outcome is Outcome.PRESENT
    (target / "deep" / "file").write_bytes(b"changed")
    assert copying.migrate("qdrant", tree, target, Options(remove=True)).outcome is Outcome.LEFT
    assert (tree / "deep" / "file").exists()
    (target / "deep" / "file").write_bytes(b"content")
    assert copying.migrate("qdrant", tree, target, Options(remove=True)).removed
    assert not tree.exists()
    assert (target / "link").read_bytes() == b"content"


def test_a_link_to_a_folder_is_copied_as_what_it_leads_to(tmp_path: Path, tree: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tree)
    step = copying.migrate("qdrant", link, tmp_path / "target", Options(remove=True))
    assert (step.outcome, step.removed) == (Outcome.MIGRATED, True), step.detail
    assert (tmp_path / "target" / "deep" / "file").read_bytes() == b"content"
    assert not link.is_symlink(), "the link is removed"
    assert (tree / "deep" / "file").exists(), "what it leads to stays"


def test_what_macos_puts_into_a_folder_is_no_difference(tmp_path: Path, tree: Path) -> None:
    copying.copy(tree, tmp_path / "copy")
    (tmp_path / "copy" / ".DS_Store").touch()
    step = copying.migrate("models", tree, tmp_path / "copy", Options())
    assert step.outcome is Outcome.PRESENT

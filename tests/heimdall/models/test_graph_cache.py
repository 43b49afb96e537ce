from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest

from heimdall.models import graph_cache, prune, receipts
from heimdall.models.inspect import Whereabouts, verify
from heimdall.models.manifest import PinnedModel
from heimdall.models.store import Store
from tests.support.small_model import SmallModel

NAME = "thing-1"


def write(directory: Path, content: bytes = b"made") -> None:
    (directory / "a.bin").write_bytes(content)
    (directory / "b.bin").write_bytes(b"more")


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    (tmp_path / "set").mkdir()
    return tmp_path / "set" / graph_cache.DERIVED


def content(shelf: Path) -> list[Path]:
    return sorted(path for path in shelf.iterdir() if path.name != ".lock")


@pytest.fixture
def tree(small: SmallModel, pinned: PinnedModel, models_dir: Path) -> Path:
    store = Store(models_dir)
    store.prepare()
    for file in pinned.files:
        store.receive(file, [small.files[file.path]])
    return store.publish(pinned)


def test_only_sets_of_a_store_have_a_shelf(tree: Path, small: SmallModel, tmp_path: Path) -> None:
    assert graph_cache.shelf(tree) == tree.parent / "derived"
    (tmp_path / "receipt.json").write_text("{}")
    assert graph_cache.shelf(tmp_path / "models") is None


def test_what_is_made_is_found(shelf: Path) -> None:
    assert graph_cache.find(shelf, NAME) is None
    made = graph_cache.make(shelf, NAME, write)
    assert made == graph_cache.find(shelf, NAME) == shelf / NAME
    assert sorted(path.name for path in made.iterdir()) == ["a.bin", "b.bin", receipts.RECEIPT]
    assert content(shelf) == [made]
    assert graph_cache.find(shelf, "thing-2") is None


def lengthen(directory: Path) -> None:
    (directory / "a.bin").write_bytes(b"longer than before")


def rewrite(directory: Path) -> None:
    (directory / "a.bin").write_bytes(b"MADE")


def take_away(directory: Path) -> None:
    (directory / "b.bin").unlink()


def add(directory: Path) -> None:
    (directory / "c.bin").touch()


def spoil_the_receipt(directory: Path) -> None:
    (directory / receipts.RECEIPT).write_text("[]")


@pytest.mark.parametrize(
    "change", [lengthen, rewrite, take_away, add, spoil_the_receipt], ids=lambda f: f.__name__
)
def test_what_was_touched_is_not_found_and_made_again(shelf: Path, change: object) -> None:
    made = graph_cache.make(shelf, NAME, write)
    assert callable(change)
    change(made)
    assert graph_cache.find(shelf, NAME) is None
    assert graph_cache.make(shelf, NAME, write) == graph_cache.find(shelf, NAME)
    assert (made / "a.bin").read_bytes() == b"made"
    assert content(shelf) == [made]


def test_of_what_fails_nothing_is_left(shelf: Path) -> None:
    def fail(directory: Path) -> None:
        write(directory)
        raise ValueError("it does not fit")

    with pytest.raises(ValueError, match="does not fit"):
        graph_cache.make(shelf, NAME, fail)
    assert content(shelf) == []


def make_in_a_process(shelf: Path, number: int) -> None:
    with contextlib.suppress(BlockingIOError):
        made = graph_cache.make(
            shelf, NAME, lambda directory: write(directory, b"%d" % number * 100_000)
        )
        found = (made / "a.bin").read_bytes()
        assert found[:1] * 100_000 == found


def test_processes_that_make_the_same_at_once_get_a_whole_one_or_none(shelf: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [
        context.Process(target=make_in_a_process, args=(shelf, number)) for number in range(6)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 6
    assert content(shelf) == [graph_cache.find(shelf, NAME)]


def test_only_one_makes_at_a_time(shelf: Path) -> None:
    def write_and_try(directory: Path) -> None:
        write(directory)
        with pytest.raises(BlockingIOError, match="another process is making"):
            graph_cache.make(shelf, NAME, write)

    assert graph_cache.make(shelf, NAME, write_and_try) == graph_cache.find(shelf, NAME)


def write_and_die(directory: Path) -> None:
    write(directory)
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_what_a_killed_process_left_goes_with_the_next_making(shelf: Path) -> None:
    context = multiprocessing.get_context("spawn")
    worker = context.Process(target=graph_cache.make, args=(shelf, NAME, write_and_die))
    worker.start()
    worker.join()
    assert len(content(shelf)) == 1
    assert graph_cache.find(shelf, NAME) is None
    assert list(graph_cache.check(shelf)) == []
    made = graph_cache.make(shelf, NAME, write)
    assert content(shelf) == [made]


@pytest.mark.parametrize("kind", ["file", "link"])
def test_what_is_in_the_way_is_replaced(shelf: Path, tmp_path: Path, kind: str) -> None:
    shelf.mkdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept").touch()
    if kind == "file":
        (shelf / NAME).touch()
    else:
        (shelf / NAME).symlink_to(elsewhere)
    assert graph_cache.make(shelf, NAME, write) == graph_cache.find(shelf, NAME)
    assert (elsewhere / "kept").exists()


def test_nothing_is_made_for_a_set_that_is_gone(shelf: Path) -> None:
    shelf.parent.rmdir()
    with pytest.raises(FileNotFoundError):
        graph_cache.make(shelf, NAME, write)
    assert not shelf.parent.exists()


def test_what_nobody_used_for_long_goes_when_another_version_is_made(shelf: Path) -> None:
    old, used = graph_cache.make(shelf, "old", write), graph_cache.make(shelf, "used", write)
    long_ago = time.time() - graph_cache.UNUSED_SECONDS - 10
    for path in (old / receipts.RECEIPT, used / receipts.RECEIPT):
        os.utime(path, (long_ago, long_ago))
    assert graph_cache.find(shelf, "used") == used  # which notes it
    new = graph_cache.make(shelf, "new", write)
    assert content(shelf) == sorted([used, new])


def test_repairing_a_set_discards_what_was_made_from_it(
    tree: Path, pinned: PinnedModel, models_dir: Path
) -> None:
    shelf = graph_cache.shelf(tree)
    assert shelf
    graph_cache.make(shelf, NAME, write)
    Store(models_dir).publish(pinned)
    assert not shelf.exists()


def test_verify_hashes_it_too(tree: Path, pinned: PinnedModel) -> None:
    shelf = graph_cache.shelf(tree)
    assert shelf
    made = graph_cache.make(shelf, NAME, write)
    found = Whereabouts(pinned, tree, "shared", verified=True)
    assert [finding.path for finding in verify(found)][-2:] == [
        f"derived/{NAME}/a.bin",
        f"derived/{NAME}/b.bin",
    ]
    assert {finding.state for finding in verify(found)} == {"ok"}
    status = (made / "a.bin").stat()
    (made / "a.bin").write_bytes(b"MADE")
    os.utime(made / "a.bin", ns=(status.st_atime_ns, status.st_mtime_ns))
    assert graph_cache.find(shelf, NAME) == made  # nothing but its bytes tells
    assert [finding.path for finding in verify(found) if finding.state != "ok"] == [
        f"derived/{NAME}/a.bin"
    ]
    for receipt in ("{}", '{"sha256": {}}', '{"sha256": 3}'):
        (made / receipts.RECEIPT).write_text(receipt)
        assert "can't be used" in next(
            finding.detail for finding in verify(found) if finding.state != "ok"
        )


def test_it_goes_with_its_set(
    tree: Path, pinned: PinnedModel, models_dir: Path, tmp_path: Path
) -> None:
    store = Store(models_dir)
    shelf = graph_cache.shelf(tree)
    assert shelf
    graph_cache.make(shelf, NAME, write)
    store.note_user(pinned, str(tmp_path / "an environment that is gone"))
    found = prune.judge(store)
    (of_the_set,) = (verdict for verdict in found if verdict.kind == "set")
    assert not of_the_set.keep
    assert of_the_set.size == sum(path.stat().st_size for path in (shelf / NAME).iterdir())
    prune.carry_out(store, found)
    assert not tree.parent.exists()

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest

from heimdall.models import graph_cache, prune, receipts
from heimdall.models.manifest import PinnedModel
from heimdall.models.package import Package
from heimdall.models.pinned_set import PinnedSet
from heimdall.models.store import Store
from heimdall.models.verify import verify
from tests.support.small_model import SmallModel

pytestmark = pytest.mark.slow

NAME = "thing-1"


def write(directory: Path, content: bytes = b"made") -> None:
    (directory / "a.bin").write_bytes(content)
    (directory / "b.bin").write_bytes(b"more")


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    (tmp_path / "set").mkdir()
    return tmp_path / "set" / graph_cache.FOLDER


def content(cache: Path) -> list[Path]:
    return sorted(path for path in cache.iterdir() if path.name != ".lock")


@pytest.fixture
def tree(small: SmallModel, pinned: PinnedModel, models_dir: Path) -> Path:
    store = Store(models_dir)
    store.prepare()
    for file in pinned.files:
        store.receive(file, [small.files[file.path]])
    made = PinnedSet(pinned, store)
    made.publish()
    return made.tree


def test_only_sets_of_a_store_have_one(tree: Path, small: SmallModel, tmp_path: Path) -> None:
    assert graph_cache.places(tree) == (tree.parent / "derived",)
    (tmp_path / "receipt.json").write_text("{}")
    assert graph_cache.places(tmp_path / "models") == ()


def test_what_is_made_is_found(cache: Path) -> None:
    assert graph_cache.find(cache, NAME) is None
    made = graph_cache.make(cache, NAME, write)
    assert made == graph_cache.find(cache, NAME) == cache / NAME
    assert sorted(path.name for path in made.iterdir()) == ["a.bin", "b.bin", receipts.RECEIPT]
    assert content(cache) == [made]
    assert graph_cache.find(cache, "thing-2") is None
    for finders in (".DS_Store", "._a.bin"):
        (made / finders).touch()
    assert graph_cache.find(cache, NAME) == made
    assert not [problem for _, problem in graph_cache.check(cache) if problem]


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
def test_what_was_touched_is_not_found_and_made_again(cache: Path, change: object) -> None:
    made = graph_cache.make(cache, NAME, write)
    assert callable(change)
    change(made)
    assert graph_cache.find(cache, NAME) is None
    assert graph_cache.make(cache, NAME, write) == graph_cache.find(cache, NAME)
    assert (made / "a.bin").read_bytes() == b"made"
    assert content(cache) == [made]


def test_of_what_fails_nothing_is_left(cache: Path) -> None:
    def fail(directory: Path) -> None:
        write(directory)
        raise ValueError("it does not fit")

    with pytest.raises(ValueError, match="does not fit"):
        graph_cache.make(cache, NAME, fail)
    assert content(cache) == []


def make_in_a_process(cache: Path, number: int) -> None:
    with contextlib.suppress(BlockingIOError):
        made = graph_cache.make(
            cache, NAME, lambda directory: write(directory, b"%d" % number * 100_000)
        )
        found = (made / "a.bin").read_bytes()
        assert found[:1] * 100_000 == found


def test_processes_that_make_the_same_at_once_get_a_whole_one_or_none(cache: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [
        context.Process(target=make_in_a_process, args=(cache, number)) for number in range(6)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 6
    assert content(cache) == [graph_cache.find(cache, NAME)]


def test_only_one_makes_at_a_time(cache: Path) -> None:
    def write_and_try(directory: Path) -> None:
        write(directory)
        with pytest.raises(BlockingIOError, match="another process is making"):
            graph_cache.make(cache, NAME, write)

    assert graph_cache.make(cache, NAME, write_and_try) == graph_cache.find(cache, NAME)


def write_and_die(directory: Path) -> None:
    write(directory)
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_what_a_killed_process_left_goes_with_the_next_making(cache: Path) -> None:
    context = multiprocessing.get_context("spawn")
    worker = context.Process(target=graph_cache.make, args=(cache, NAME, write_and_die))
    worker.start()
    worker.join()
    assert len(content(cache)) == 1
    assert graph_cache.find(cache, NAME) is None
    assert list(graph_cache.check(cache)) == []
    made = graph_cache.make(cache, NAME, write)
    assert content(cache) == [made]


@pytest.mark.parametrize("kind", ["file", "link"])
def test_what_is_in_the_way_is_replaced(cache: Path, tmp_path: Path, kind: str) -> None:
    cache.mkdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept").touch()
    if kind == "file":
        (cache / NAME).touch()
    else:
        (cache / NAME).symlink_to(elsewhere)
    assert graph_cache.make(cache, NAME, write) == graph_cache.find(cache, NAME)
    assert (elsewhere / "kept").exists()


def test_nothing_is_made_for_a_set_that_is_gone(cache: Path) -> None:
    cache.parent.rmdir()
    with pytest.raises(FileNotFoundError):
        graph_cache.make(cache, NAME, write)
    assert not cache.parent.exists()


def test_what_nobody_used_for_long_goes_when_another_version_is_made(cache: Path) -> None:
    old, used = graph_cache.make(cache, "old", write), graph_cache.make(cache, "used", write)
    long_ago = time.time() - graph_cache.UNUSED_SECONDS - 10
    for path in (old / receipts.RECEIPT, used / receipts.RECEIPT):
        os.utime(path, (long_ago, long_ago))
    assert graph_cache.find(cache, "used") == used  # which notes it
    new = graph_cache.make(cache, "new", write)
    assert content(cache) == sorted([used, new])


def test_repairing_a_set_discards_what_was_made_from_it(
    tree: Path, pinned: PinnedModel, models_dir: Path
) -> None:
    (cache,) = graph_cache.places(tree)
    graph_cache.make(cache, NAME, write)
    PinnedSet(pinned, Store(models_dir)).publish()
    assert not [*cache.glob("[!.]*")]


def test_verify_hashes_it_too(tree: Path, pinned: PinnedModel, models_dir: Path) -> None:
    (cache,) = graph_cache.places(tree)
    made = graph_cache.make(cache, NAME, write)
    store = Store(models_dir)
    assert [finding.path for finding in verify(PinnedSet(pinned, store))][-2:] == [
        f"derived/{NAME}/a.bin",
        f"derived/{NAME}/b.bin",
    ]
    assert {finding.state for finding in verify(PinnedSet(pinned, store))} == {"ok"}
    status = (made / "a.bin").stat()
    (made / "a.bin").write_bytes(b"MADE")
    os.utime(made / "a.bin", ns=(status.st_atime_ns, status.st_mtime_ns))
    assert graph_cache.find(cache, NAME) == made  # nothing but its bytes tells
    assert [
        finding.path for finding in verify(PinnedSet(pinned, store)) if finding.state != "ok"
    ] == [f"derived/{NAME}/a.bin"]
    for receipt in ("{}", '{"sha256": {}}', '{"sha256": 3}'):
        (made / receipts.RECEIPT).write_text(receipt)
        assert "can't be used" in next(
            finding.detail for finding in verify(PinnedSet(pinned, store)) if finding.state != "ok"
        )


def test_it_goes_with_its_set(
    tree: Path, pinned: PinnedModel, models_dir: Path, tmp_path: Path
) -> None:
    store = Store(models_dir)
    (cache,) = graph_cache.places(tree)
    graph_cache.make(cache, NAME, write)
    gone = Package("heimdall", str(tmp_path / "an environment that is gone"))
    PinnedSet(replace(pinned, package=gone), store).note_user()
    found = prune.judge(store)
    (of_the_set,) = (verdict for verdict in found if verdict.kind == "set")
    assert not of_the_set.keep
    assert of_the_set.size == sum(path.stat().st_size for path in (cache / NAME).iterdir())
    prune.carry_out(store, found)
    assert not tree.parent.exists()

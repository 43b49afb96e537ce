from __future__ import annotations

import errno
import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from heimdall.models.errors import IntegrityError
from heimdall.models.files import write_atomically
from heimdall.models.manifest import PinnedModel
from heimdall.models.own_receipts import verify_tree
from heimdall.models.package import Package
from heimdall.models.store import Store, matches
from tests.support.small_model import SmallModel


@pytest.fixture
def store(models_dir: Path) -> Store:
    store = Store(models_dir)
    store.prepare()
    return store


def fill(store: Store, pinned: PinnedModel, small: SmallModel) -> None:
    for file in pinned.files:
        store.receive(file, [small.files[file.path]])


def test_a_set_and_the_visible_tree_are_links_to_the_blobs(
    store: Store, pinned: PinnedModel, small: SmallModel
) -> None:
    fill(store, pinned, small)
    tree = store.publish(pinned)
    small.assert_tree(tree)
    store.show(pinned)
    small.assert_tree(store.models_dir)
    for file in pinned.files:
        assert (tree / file.path).samefile(store.blob(file))
        assert (store.models_dir / file.path).samefile(store.blob(file))
    assert store.complete(pinned)
    assert not list(store.partial.iterdir())


@pytest.mark.parametrize("umask", [0o002, 0o077])
def test_all_may_read_and_nobody_else_may_write_whatever_the_umask(
    store: Store, pinned: PinnedModel, small: SmallModel, umask: int
) -> None:
    previous = os.umask(umask)
    try:
        fill(store, pinned, small)
        tree = store.publish(pinned)
    finally:
        os.umask(previous)
    for path in (*(tree / file.path for file in pinned.files), tree.parent / "receipt.json"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert stat.S_IMODE(tree.parent.stat().st_mode) == 0o755
    assert store.complete(pinned)


@pytest.mark.parametrize("refusal", [errno.EPERM, errno.EXDEV, errno.ENOTSUP, errno.EMLINK])
def test_without_hard_links_files_are_copied(
    store: Store,
    pinned: PinnedModel,
    small: SmallModel,
    monkeypatch: pytest.MonkeyPatch,
    refusal: int,
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(refusal, os.strerror(refusal))

    fill(store, pinned, small)
    monkeypatch.setattr(os, "link", refuse)
    tree = store.publish(pinned)
    small.assert_tree(tree)
    assert store.complete(pinned)
    first = (tree.parent / "receipt.json").read_bytes()
    store.publish(pinned)
    assert (tree.parent / "receipt.json").read_bytes() == first, (
        "publishing twice gives the same receipt"
    )


def test_other_errors_of_linking_are_raised(
    store: Store, pinned: PinnedModel, small: SmallModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    fill(store, pinned, small)
    monkeypatch.setattr(os, "link", fail)
    with pytest.raises(OSError, match="No space"):
        store.publish(pinned)
    assert not store.complete(pinned)


@pytest.mark.parametrize("change", ["short", "long", "other"])
def test_wrong_bytes_are_never_published(
    store: Store, pinned: PinnedModel, small: SmallModel, change: str
) -> None:
    file = pinned.files[0]
    right = small.files[file.path]
    wrong = {"short": right[:-1], "long": right + b"x", "other": bytes([right[0] ^ 1]) + right[1:]}[
        change
    ]
    with pytest.raises(IntegrityError) as caught:
        store.receive(file, [wrong])
    assert caught.value.what == file.path
    assert store.missing(pinned.files) == list(pinned.files)
    assert not list(store.partial.iterdir())
    assert not list(store.blobs.iterdir())


def test_a_damaged_blob_counts_as_missing_and_is_replaced_not_changed(
    store: Store, pinned: PinnedModel, small: SmallModel
) -> None:
    fill(store, pinned, small)
    tree = store.publish(pinned)
    file = pinned.files[-1]
    with (tree / file.path).open("r+b") as stream:
        stream.write(b"XXXX")
    assert store.missing(pinned.files) == [file]
    with (tree / file.path).open("rb") as reader:
        store.receive(file, [small.files[file.path]])
        store.publish(pinned)
        assert reader.read(4) == b"XXXX", "whoever had the old file open keeps it"
    assert verify_tree(tree, pinned)


def test_a_foreign_file_in_the_way_is_kept(
    store: Store, pinned: PinnedModel, small: SmallModel
) -> None:
    foreign = store.models_dir / "model.safetensors"
    foreign.write_bytes(b"somebody's own")
    fill(store, pinned, small)
    store.publish(pinned)
    store.show(pinned)
    small.assert_tree(store.models_dir)
    kept = list(store.models_dir.glob("model.safetensors.kept-*"))
    assert [path.read_bytes() for path in kept] == [b"somebody's own"]


def test_the_users_note_is_written_once(store: Store, pinned: PinnedModel, tmp_path: Path) -> None:
    for name in ("manifest.json", "manifest.json", "other.json"):
        user = Package("heimdall", str(tmp_path / name))
        store.note_user(replace(pinned, package=user))
    assert len(list((store.root / "users").iterdir())) == 2


def test_matches_looks_at_every_byte(
    tmp_path: Path, pinned: PinnedModel, small: SmallModel
) -> None:
    file = pinned.files[0]
    path = tmp_path / "file"
    assert not matches(path, file)
    path.write_bytes(small.files[file.path])
    assert matches(path, file)
    path.write_bytes(bytes(file.size))
    assert not matches(path, file)


def test_a_failed_atomic_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "note"
    write_atomically(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(path, "\ud800")
    assert path.read_text() == "old"
    assert [*tmp_path.glob("note*")] == [path]

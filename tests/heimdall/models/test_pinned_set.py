from __future__ import annotations

import errno
import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from heimdall.models.manifest import PinnedModel
from heimdall.models.own_receipts import verify_tree
from heimdall.models.package import Package
from heimdall.models.pinned_set import PinnedSet
from heimdall.models.receipts import StoredSet
from heimdall.models.store import Store
from heimdall.models.view import lay_out
from tests.support.capabilities import needs_modes, needs_removal
from tests.support.small_model import SmallModel


@pytest.fixture
def made(models_dir: Path, pinned: PinnedModel, small: SmallModel) -> PinnedSet:
    """A set whose blobs are there."""
    store = Store(models_dir)
    store.prepare()
    for file in pinned.files:
        store.receive(file, [small.files[file.path]])
    return PinnedSet(pinned, store)


def test_a_set_and_the_visible_tree_are_links_to_the_blobs(
    made: PinnedSet, pinned: PinnedModel, small: SmallModel
) -> None:
    made.publish()
    small.assert_tree(made.tree)
    lay_out(made)
    small.assert_tree(made.store.models_dir)
    for file in pinned.files:
        assert (made.tree / file.path).samefile(made.store.blob(file))
        assert (made.store.models_dir / file.path).samefile(made.store.blob(file))
    assert StoredSet(str(made.store.models_dir), pinned.entry).is_verified()
    assert not list(made.store.partial.iterdir())


@needs_modes
@pytest.mark.parametrize("links", [True, False], ids=["links", "copies"])
@pytest.mark.parametrize("umask", [0o002, 0o077], ids=["002", "077"])
def test_all_may_read_and_nobody_else_may_write_whatever_the_umask(
    made: PinnedSet,
    pinned: PinnedModel,
    small: SmallModel,
    monkeypatch: pytest.MonkeyPatch,
    umask: int,
    links: bool,
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    if not links:
        monkeypatch.setattr(os, "link", refuse)
    previous = os.umask(umask)
    try:
        for file in pinned.files:
            made.store.receive(file, [small.files[file.path]])
        made.publish()
    finally:
        os.umask(previous)
    for path in (
        *(made.tree / file.path for file in pinned.files),
        made.tree.parent / "receipt.json",
    ):
        assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert stat.S_IMODE(made.tree.parent.stat().st_mode) == 0o755
    assert StoredSet(str(made.store.models_dir), pinned.entry).is_verified()


@pytest.mark.parametrize("refusal", [errno.EPERM, errno.EXDEV, errno.ENOTSUP, errno.EMLINK])
def test_without_hard_links_files_are_copied(
    made: PinnedSet,
    pinned: PinnedModel,
    small: SmallModel,
    monkeypatch: pytest.MonkeyPatch,
    refusal: int,
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(refusal, os.strerror(refusal))

    monkeypatch.setattr(os, "link", refuse)
    made.publish()
    small.assert_tree(made.tree)
    assert StoredSet(str(made.store.models_dir), pinned.entry).is_verified()
    first = (made.tree.parent / "receipt.json").read_bytes()
    made.publish()
    assert (made.tree.parent / "receipt.json").read_bytes() == first, (
        "publishing twice gives the same receipt"
    )


def test_other_errors_of_linking_are_raised(
    made: PinnedSet, pinned: PinnedModel, small: SmallModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "link", fail)
    with pytest.raises(OSError, match="No space"):
        made.publish()
    assert not StoredSet(str(made.store.models_dir), pinned.entry).is_verified()


@needs_removal
def test_a_damaged_blob_counts_as_missing_and_is_replaced_not_changed(
    made: PinnedSet, pinned: PinnedModel, small: SmallModel
) -> None:
    made.publish()
    file = pinned.files[-1]
    with (made.tree / file.path).open("r+b") as stream:
        stream.write(b"XXXX")
    assert made.store.missing(pinned.files) == [file]
    with (made.tree / file.path).open("rb") as reader:
        made.store.receive(file, [small.files[file.path]])
        made.publish()
        assert reader.read(4) == b"XXXX", "whoever had the old file open keeps it"
    assert verify_tree(made.tree, pinned)


def test_the_users_note_is_written_once(
    made: PinnedSet, pinned: PinnedModel, tmp_path: Path
) -> None:
    for name in ("manifest.json", "manifest.json", "other.json"):
        user = Package("heimdall", str(tmp_path / name))
        PinnedSet(replace(pinned, package=user), made.store).note_user()
    assert len(list((made.store.root / "users").iterdir())) == 2

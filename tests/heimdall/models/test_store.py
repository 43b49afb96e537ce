from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import pytest

from heimdall.models.errors import IntegrityError
from heimdall.models.files import write_atomically
from heimdall.models.manifest import PinnedFile, PinnedModel
from heimdall.models.store import Store, matches
from heimdall.models.transfer.partials import claim
from tests.support.small_model import SmallModel


@pytest.fixture
def store(models_dir: Path) -> Store:
    store = Store(models_dir)
    store.prepare()
    return store


@pytest.fixture(params=["short", "long", "other"])
def wrong(pinned: PinnedModel, small: SmallModel, request: pytest.FixtureRequest) -> bytes:
    """Not what is pinned for the first file."""
    right = small.files[pinned.files[0].path]
    changed = bytes([right[0] ^ 1]) + right[1:]
    return {"short": right[:-1], "long": right + b"x", "other": changed}[request.param]


def test_wrong_bytes_are_never_published(store: Store, pinned: PinnedModel, wrong: bytes) -> None:
    file = pinned.files[0]
    with pytest.raises(IntegrityError) as caught:
        store.receive(file, [wrong])
    assert caught.value.what == file.path
    assert store.missing(pinned.files) == list(pinned.files)
    assert not list(store.partial.iterdir())
    assert not list(store.blobs.iterdir())


class _Disk:
    """The order in which files are forced to the disk and get their names, as the real calls are made."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.forced: set[int] = set()
        self.unforced: list[Path] = []
        fsync, replace = os.fsync, Path.replace

        def forced(descriptor: int) -> None:
            fsync(descriptor)
            self.forced.add(os.fstat(descriptor).st_ino)

        def renamed(source: Path, target: Path) -> Path:
            if source.lstat().st_ino not in self.forced:
                self.unforced.append(target)
            return replace(source, target)

        monkeypatch.setattr(os, "fsync", forced)
        monkeypatch.setattr(Path, "replace", renamed)


def _many(count: int) -> dict[PinnedFile, bytes]:
    contents = [str(number).encode() for number in range(count)]
    return {
        PinnedFile(f"f{number}", hashlib.sha256(content).hexdigest(), len(content)): content
        for number, content in enumerate(contents)
    }


def test_files_of_one_block_are_on_the_disk_before_any_has_its_name(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk, files = _Disk(monkeypatch), _many(40)
    with store.together():
        for file, content in files.items():
            store.receive(file, [content])
        assert not list(store.blobs.iterdir())
        assert store.arrived == {file.sha256 for file in files}
    assert store.missing(files) == []
    assert len(disk.forced) == len(files)
    assert disk.unforced == []


def test_what_was_verified_before_a_block_broke_is_published(store: Store) -> None:
    (one, first), (two, _) = _many(2).items()
    with pytest.raises(IntegrityError), store.together():  # noqa: PT012
        store.receive(one, [first])
        store.receive(two, [b"?"])
    assert store.missing([one, two]) == [two]
    assert store.arrived == {one.sha256}
    assert not list(store.partial.iterdir())


def test_a_block_that_can_not_be_published_leaves_nothing(store: Store) -> None:
    files = _many(9)
    with pytest.raises(OSError, match="blobs"), store.together():  # noqa: PT012
        for file, content in files.items():
            store.receive(file, [content])
        store.blobs.rmdir()
    assert store.arrived == set()
    assert not list(store.partial.iterdir())


def test_a_large_file_has_its_name_at_once(store: Store) -> None:
    content = bytes(1 << 20)
    file = PinnedFile("large", hashlib.sha256(content).hexdigest(), len(content))
    with store.together():
        store.receive(file, [content])
        assert store.missing([file]) == []


def test_a_copy_in_place_of_a_link_is_on_the_disk_before_it_has_its_name(
    store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(errno.EPERM, "no hard links here")

    ((file, content),) = _many(1).items()
    store.receive(file, [content])
    monkeypatch.setattr(os, "link", refused)
    disk = _Disk(monkeypatch)
    store.place(file, tmp_path / "set" / file.path)
    assert (tmp_path / "set" / file.path).read_bytes() == content
    assert disk.unforced == []


def test_a_download_that_differs_from_its_pin_is_not_taken(
    store: Store, pinned: PinnedModel, small: SmallModel, wrong: bytes
) -> None:
    file = pinned.files[0]
    right = small.files[file.path]
    with claim(store.partial, file.sha256) as download:
        download.append(wrong)
        download.close()
        with pytest.raises(IntegrityError):
            store.take(file, download)
    assert not list(store.blobs.iterdir())
    with claim(store.partial, file.sha256) as download:
        download.append(right)
        download.close()
        store.take(file, download)
    assert store.blob(file).read_bytes() == right


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

from __future__ import annotations

from pathlib import Path

import pytest

from heimdall.models.errors import IntegrityError
from heimdall.models.files import write_atomically
from heimdall.models.manifest import PinnedModel
from heimdall.models.store import Store, matches
from heimdall.models.transfer.partials import claim
from tests.support.small_model import SmallModel


@pytest.fixture
def store(models_dir: Path) -> Store:
    store = Store(models_dir)
    store.prepare()
    return store


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


@pytest.mark.parametrize("change", ["short", "long", "other"])
def test_a_download_that_differs_from_its_pin_is_not_taken(
    store: Store, pinned: PinnedModel, small: SmallModel, change: str
) -> None:
    file = pinned.files[0]
    right = small.files[file.path]
    wrong = {"short": right[:-1], "long": right + b"x", "other": bytes([right[0] ^ 1]) + right[1:]}
    with claim(store.partial, file.sha256) as download:
        download.append(wrong[change])
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

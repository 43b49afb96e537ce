from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from heimdall.models.manifest import PinnedModel
from heimdall.models.pinned_set import PinnedSet
from heimdall.models.resolver import repair, resolve_in_detail
from heimdall.models.store import Store
from heimdall.models.view import foreign, lay_out
from tests.support.capabilities import needs_links
from tests.support.small_model import SmallModel


@pytest.fixture
def without_links(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuse)


def snapshot(directory: Path) -> dict[str, bytes]:
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file() and ".store" not in path.parts
    }


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer/tokenizer.json", "net.onnx"])
@pytest.mark.parametrize("same_size", [False, True])
def test_what_others_keep_there_is_never_touched(
    mirror: SmallModel,
    pinned: PinnedModel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    name: str,
    same_size: bool,
) -> None:
    models_dir = tmp_path / "shared with others"
    theirs = models_dir / name
    theirs.parent.mkdir(parents=True)
    theirs.write_bytes(bytes(len(mirror.files[name])) if same_size else b"somebody's own")
    monkeypatch.setenv("MODEL_CACHE_DIR", str(models_dir))
    before, identity = snapshot(models_dir), theirs.stat()
    for _ in range(2):
        resolution = resolve_in_detail()
        mirror.assert_tree(resolution.directory)
        assert resolution.directory.is_relative_to(models_dir / ".store")
        assert snapshot(models_dir) == before
        assert theirs.stat() == identity
    assert foreign(PinnedSet(pinned, Store())) == [theirs]
    assert capfd.readouterr().err.count(f"where others keep {theirs}") == 1


def test_what_was_ours_is_brought_up_to_date(
    mirror: SmallModel, pinned: PinnedModel, models_dir: Path
) -> None:
    resolve_in_detail()
    weights = models_dir / "model.safetensors"
    with weights.open("r+b") as stream:
        stream.write(b"rot")
    assert repair(pinned).sources == ("mirror",)
    mirror.assert_tree(models_dir)


@pytest.mark.usefixtures("without_links")
@pytest.mark.parametrize("symbolic", [pytest.param(True, marks=needs_links), False])
def test_without_hard_links_there_is_no_third_copy(
    mirror: SmallModel,
    pinned: PinnedModel,
    models_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    symbolic: bool,
) -> None:
    if not symbolic:
        monkeypatch.setattr(os, "symlink", os.link)
    resolution = resolve_in_detail()
    mirror.assert_tree(resolution.directory)
    mirror.assert_tree(models_dir)
    copies = [
        path
        for path in models_dir.rglob("model.safetensors")
        if not path.is_symlink() and path.is_file()
    ] + [path for path in (models_dir / ".store/blobs").iterdir() if path.stat().st_size == 300_000]
    assert len(copies) == 2
    assert resolve_in_detail().sources == ()
    monkeypatch.setenv("HEIMDALL_OFFLINE", "1")
    monkeypatch.delenv("HEIMDALL_MODELS_MIRROR")
    (resolution.directory / "model.safetensors").write_bytes(b"rot")
    repair(pinned)
    mirror.assert_tree(resolution.directory)
    mirror.assert_tree(models_dir)
    assert foreign(PinnedSet(pinned, Store())) == []
    lay_out(PinnedSet(pinned, Store()))
    mirror.assert_tree(models_dir)

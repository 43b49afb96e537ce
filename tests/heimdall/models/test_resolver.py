from __future__ import annotations

import os
import stat
import tarfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from heimdall.models import locations, locking
from heimdall.models.errors import ModelUnavailable, StoreError
from heimdall.models.manifest import PinnedModel
from heimdall.models.receipts import StoredSet
from heimdall.models.resolver import Resolution, repair, resolve, resolve_in_detail
from heimdall.models.settings import Settings, SettingsError
from heimdall.models.store import Store
from tests.support.capabilities import needs_modes
from tests.support.faults import Drip, Fault
from tests.support.mapped import mapped
from tests.support.servers import plain_mirror
from tests.support.small_model import SmallModel


def test_cold_then_warm(
    mirror: SmallModel, models_dir: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    first = resolve_in_detail()
    assert first.sources == ("mirror",)
    mirror.assert_tree(first.directory)
    mirror.assert_tree(models_dir)
    mirror.asset_path.unlink()
    capfd.readouterr()
    second = resolve_in_detail()
    assert (second.directory, second.sources) == (first.directory, ())
    assert capfd.readouterr() == ("", ""), "a warm resolve says nothing"


def test_progress_goes_to_stderr_alone_and_names_the_source(
    mirror: SmallModel, models_dir: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    resolve()
    stdout, stderr = capfd.readouterr()
    assert stdout == ""
    assert (
        stderr == f"heimdall: small (standard) is ready, from mirror, verified, in {models_dir}\n"
    )


def test_no_progress_when_not_wanted(
    mirror: SmallModel, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEIMDALL_PROGRESS", "0")
    resolve()
    assert capfd.readouterr() == ("", "")


def test_two_versions_side_by_side_share_what_is_the_same(
    mirror: SmallModel, models_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = resolve()
    newer = SmallModel(
        tmp_path / "newer", {**mirror.files, "tokenizer/tokenizer.json": bytes(90_000)}, tag="v2"
    )
    newer.write_manifest(Path(locations.manifest_path()))
    monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", newer.mirror)
    new = resolve()
    assert old != new
    mirror.assert_tree(old)
    newer.assert_tree(new)
    newer.assert_tree(models_dir)
    assert (old / "model.safetensors").samefile(new / "model.safetensors")
    mirror.write_manifest(Path(locations.manifest_path()))
    assert resolve_in_detail().sources == (), "the older one is still warm"


def test_a_release_that_changes_the_asset_alone_downloads_nothing(
    mirror: SmallModel, tmp_path: Path
) -> None:
    resolve()
    repacked = SmallModel(tmp_path / "repacked", mirror.files, tag="v2")
    repacked.write_manifest(Path(locations.manifest_path()))
    assert resolve_in_detail().sources == ()


@needs_modes
def test_the_read_only_tier_is_looked_at_first_and_nothing_is_written(
    mirror: SmallModel, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = mirror.lay_out(tmp_path / "system")
    monkeypatch.setenv("HEIMDALL_SYSTEM_MODELS", str(system))
    assert resolve_in_detail() == resolve_in_detail()
    assert resolve() == system
    assert not list(home.rglob("*"))
    (system / "model.safetensors").write_bytes(bytes(300_000))
    (system / "model.safetensors").chmod(0o664)
    assert resolve() != system, "what others may write to is hashed, and does not match its pin"


def test_a_store_made_for_all_users_serves_as_read_only_tier(
    mirror: SmallModel, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = tmp_path / "system"
    made = resolve(models_dir=system)
    monkeypatch.setenv("HEIMDALL_SYSTEM_MODELS", str(system))
    assert resolve() == made
    assert not list(home.rglob("*"))


def test_a_models_directory_that_can_not_be_written_serves_if_its_bytes_are_right(
    mirror: SmallModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Store) -> None:
        raise PermissionError(13, "Permission denied")  # what a read-only mount says, also to root

    directory = mirror.lay_out(tmp_path / "mine")
    monkeypatch.setattr(Store, "prepare", refuse)
    monkeypatch.setenv("MODEL_CACHE_DIR", str(directory))
    assert resolve() == directory
    (directory / "model.safetensors").write_bytes(bytes(300_000))
    with pytest.raises(StoreError, match="Permission denied"):
        resolve()


def test_a_touched_set_is_verified_and_found_sound_without_any_source(
    mirror: SmallModel, pinned: PinnedModel, models_dir: Path
) -> None:
    tree = resolve()
    mirror.asset_path.unlink()
    os.utime(tree / "model.safetensors")
    assert not StoredSet(str(models_dir), pinned.entry).is_verified()
    assert resolve_in_detail().sources == ()
    assert StoredSet(str(models_dir), pinned.entry).is_verified()


def test_a_damaged_set_is_fetched_again(mirror: SmallModel) -> None:
    tree = resolve()
    (tree / "model.safetensors").write_bytes(b"damage")
    assert resolve_in_detail().sources == ("mirror",)
    mirror.assert_tree(tree)


def test_what_a_server_has_mapped_is_replaced(
    mirror: SmallModel, pinned: PinnedModel, models_dir: Path
) -> None:
    directory = resolve()
    weights = directory / max(pinned.files, key=lambda file: file.size).path
    weights.write_bytes(bytes(weights.stat().st_size))
    with mapped(weights):
        assert repair(pinned).sources == ("mirror",)
        mirror.assert_tree(directory)
        mirror.assert_tree(models_dir)
    assert len([*Store().partial.iterdir()]) <= 3, "the old names wait there to be removed"


def test_a_copy_by_tar_is_still_complete(
    mirror: SmallModel, tmp_path: Path, models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve()
    with tarfile.open(tmp_path / "layer.tar", "w", format=tarfile.USTAR_FORMAT) as archive:
        archive.add(models_dir, "models")
    with tarfile.open(tmp_path / "layer.tar") as archive:
        # Python before 3.11.4 has no filters.
        if hasattr(tarfile, "tar_filter"):
            archive.extraction_filter = tarfile.tar_filter
        archive.extractall(tmp_path / "image")  # noqa: S202 (our own)
    monkeypatch.setenv("HEIMDALL_SYSTEM_MODELS", str(tmp_path / "image" / "models"))
    assert resolve().is_relative_to(tmp_path / "image" / "models" / ".store")


def test_repair_mends_damage_that_size_and_time_do_not_show(
    mirror: SmallModel, pinned: PinnedModel
) -> None:
    tree = resolve()
    weights = tree / "model.safetensors"
    status = weights.stat()
    with weights.open("r+b") as stream:
        stream.write(b"rot")
    os.utime(weights, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert resolve() == tree, "nothing shows"
    assert repair(pinned).sources == ("mirror",)
    mirror.assert_tree(tree)


def test_repair_of_a_sound_set_fetches_nothing(mirror: SmallModel, pinned: PinnedModel) -> None:
    tree = resolve()
    mirror.asset_path.unlink()
    assert repair(pinned) == Resolution(tree, pinned)


def test_repair_gives_back_what_was_removed(mirror: SmallModel, pinned: PinnedModel) -> None:
    tree = resolve()
    (tree / "net.onnx").unlink()
    assert repair(pinned).directory == tree
    mirror.assert_tree(tree)


def test_without_sources_it_says_what_each_did(
    mirror: SmallModel, models_dir: Path, pinned: PinnedModel
) -> None:
    mirror.asset_path.write_bytes(b"not the asset")
    with pytest.raises(ModelUnavailable) as caught:
        resolve()
    assert str(caught.value).startswith(
        f"model small (standard) is not in {models_dir} and could not be fetched:\n  - mirror: "
    )
    assert (
        f"expected {pinned.assets[0].size} bytes with sha256 {pinned.assets[0].sha256}, found 13 bytes"
        in str(caught.value)
    )
    assert not pinned.locate().here


def test_settings_are_read_only_when_something_has_to_be_fetched(
    mirror: SmallModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEIMDALL_SOURCES", "nonsense")
    with pytest.raises(SettingsError):
        resolve()
    tree = resolve_in_detail(
        settings=Settings(mirrors=(mirror.mirror,), sources=("mirror",))
    ).directory
    assert resolve() == tree


@needs_modes
def test_new_directories_follow_the_umask(mirror: SmallModel, models_dir: Path) -> None:
    previous = os.umask(0o002)
    try:
        resolve()
    finally:
        os.umask(previous)
    for directory in (models_dir, models_dir / ".store" / "blobs"):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o775


def test_threads_that_start_together_make_one_download(
    mirror: SmallModel, models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with plain_mirror(mirror.directory, faults=[Fault(Drip(1_000_000))]) as server:
        monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", server.url)
        with ThreadPoolExecutor(4) as threads:
            found = list(threads.map(lambda _: resolve_in_detail(), range(4)))
        assert [record.status for record in server.requests.found()] == [200]
    assert sorted(resolution.sources for resolution in found) == [(), (), (), ("mirror",)]
    mirror.assert_tree(models_dir)


def test_publishers_that_ignore_each_other_end_up_with_one_sound_set(
    mirror: SmallModel, models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With locks that lie: every one fetches, publishes and lays the visible tree, at the same time."""
    monkeypatch.setattr(locking, "_try_lock", lambda _: True)
    with ThreadPoolExecutor(8) as threads:
        trees = {
            resolution.directory
            for resolution in threads.map(lambda _: resolve_in_detail(), range(24))
        }
    (tree,) = trees
    mirror.assert_tree(tree)
    mirror.assert_tree(models_dir)
    assert not list((models_dir / ".store" / "partial").iterdir())
    assert not list(models_dir.glob("*.kept-*"))

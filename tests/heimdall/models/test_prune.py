from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from heimdall.models import processes
from heimdall.models.locking import advisory_lock
from heimdall.models.prune import OLD_SECONDS, Verdict, carry_out, judge
from heimdall.models.store import Store
from tests.support.capabilities import needs_removal
from tests.support.small_model import Installation, SmallModel, from_mirror, noise

pytestmark = pytest.mark.slow


@pytest.fixture
def store(models_dir: Path) -> Store:
    return Store(models_dir)


def install(top: Path, model: SmallModel) -> Installation:
    """An environment of its own, whose first import has happened."""
    installation = Installation.make(top, model)
    variables = {"HEIMDALL_FETCH": "import", **from_mirror(model.mirror)}
    assert installation.import_heimdall(**variables).returncode == 0
    return installation


@pytest.fixture
def versions(tmp_path: Path) -> tuple[Installation, Installation]:
    """Two environments whose models differ in the tokenizer."""
    old = SmallModel(tmp_path / "v1")
    new = SmallModel(
        tmp_path / "v2", {**old.files, "tokenizer/tokenizer.json": noise(90_000, seed=5)}, tag="v2"
    )
    return install(tmp_path / "old", old), install(tmp_path / "new", new)


def verdicts(store: Store, kind: str) -> list[Verdict]:
    return [verdict for verdict in judge(store) if verdict.kind == kind]


def test_what_environments_use_stays(
    store: Store, versions: tuple[Installation, Installation]
) -> None:
    assert [verdict.keep for verdict in verdicts(store, "set")] == [True, True]
    assert all("used by the environment of" in verdict.reason for verdict in verdicts(store, "set"))
    before = sorted(store.models_dir.rglob("*"))
    carry_out(store, judge(store))
    assert sorted(store.models_dir.rglob("*")) == before


def test_a_removed_environments_set_goes_with_what_only_it_has(
    store: Store, versions: tuple[Installation, Installation]
) -> None:
    old, new = versions
    manifest = old.site / "heimdall" / "model_manifest.json"
    manifest.unlink()
    found = judge(store)
    removed = [verdict for verdict in found if not verdict.keep]
    assert sorted(verdict.kind for verdict in removed) == ["blob", "note", "set"]
    assert {verdict.reason for verdict in removed} == {
        f"the environment of {manifest} is gone",
        "no set that stays has it",
    }
    assert sum(verdict.size for verdict in removed if verdict.kind == "blob") == 80_000
    carry_out(store, found)
    assert new.import_heimdall(HEIMDALL_FETCH="import", HEIMDALL_OFFLINE="1").stderr == ""
    assert judge(store) == verdicts(store, "set")
    assert len(list(store.blobs.iterdir())) == 4


def test_the_visible_tree_does_not_keep_removed_bytes_on_the_disk(
    store: Store, versions: tuple[Installation, Installation]
) -> None:
    _, new = versions
    (new.site / "heimdall" / "model_manifest.json").unlink()
    assert (store.models_dir / "tokenizer" / "tokenizer.json").stat().st_size == 90_000
    (store.models_dir / "loop").symlink_to("loop")
    (store.models_dir / "through-a-file").symlink_to("tokenizer/tokenizer.json/below")
    carry_out(store, judge(store))
    assert not (store.models_dir / "tokenizer" / "tokenizer.json").exists()
    assert (store.models_dir / "model.safetensors").exists()


def test_an_upgraded_environment_frees_its_old_set(store: Store, tmp_path: Path) -> None:
    old = SmallModel(tmp_path / "v1")
    installation = install(tmp_path / "site", old)
    new = SmallModel(tmp_path / "v2", {**old.files, "model_config.json": b"{} \n"}, tag="v2")
    new.write_manifest(installation.site / "heimdall" / "model_manifest.json")
    variables = {"HEIMDALL_FETCH": "import", **from_mirror(new.mirror)}
    installation.import_heimdall(**variables)
    gone = [verdict for verdict in verdicts(store, "set") if not verdict.keep]
    assert len(gone) == 1
    assert "pins other files now" in gone[0].reason


@pytest.mark.parametrize("damage", ["manifest", "note", "no note"])
def test_what_can_not_be_judged_stays(
    store: Store, versions: tuple[Installation, Installation], damage: str
) -> None:
    notes = sorted((store.root / "users").iterdir())
    match damage:
        case "manifest":
            for installation in versions:
                (installation.site / "heimdall" / "model_manifest.json").write_text("{")
        case "note":
            for note in notes:
                note.write_text("[]")
        case _:
            for note in notes:
                note.unlink()
    assert [verdict.keep for verdict in judge(store)] == [True, True]


def test_a_set_without_receipt_keeps_all_blobs(
    store: Store, versions: tuple[Installation, Installation]
) -> None:
    for receipt in store.root.glob("sets/*/receipt.json"):
        receipt.unlink()
    assert verdicts(store, "blob") == []


def dead_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_unfinished_files_go_when_they_are_old_and_nobodys(
    store: Store, versions: tuple[Installation, Installation]
) -> None:
    names = {
        "a.free-0.part": True,
        "b.tmp": True,
        "c.free-1.part": False,
        "blob": True,
        "young blob": False,
    }
    for name, old in names.items():
        path = (store.blobs if "blob" in name else store.partial) / name
        path.write_bytes(b"12345")
        if old:
            os.utime(path, (1, 1))
    gone = {verdict.path.name for verdict in judge(store) if not verdict.keep}
    assert gone == {"a.free-0.part", "b.tmp", "blob"}
    later = judge(store, now=OLD_SECONDS * 1e6)
    assert {verdict.path.name for verdict in later if not verdict.keep} == set(names)


def test_what_dead_processes_left_goes_at_once(
    store: Store, versions: tuple[Installation, Installation]
) -> None:
    here, parent = processes.host_name(), os.getppid()
    dead = {f"a.{here}.{dead_process()}-0.part", f"b.{here}.{dead_process()}-0.tmp"}
    elsewhere = {"c.elsewhere.1-0.part", "index-00000000.elsewhere.1-0"}
    (store.partial / f"d.{here}.{parent}-0.part").touch()
    for name in (*dead, *elsewhere):
        (store.partial / name).touch()
    with advisory_lock(store.locks / "another.lock", 5):
        assert {it.path.name for it in verdicts(store, "partial") if not it.keep} == dead
    gone = {it.path.name for it in verdicts(store, "partial") if not it.keep}
    assert gone == dead | elsewhere


def test_while_a_set_is_put_together_its_blobs_stay(
    store: Store, versions: tuple[Installation, Installation]
) -> None:
    for installation in versions:
        (installation.site / "heimdall" / "model_manifest.json").unlink()
    with advisory_lock(store.locks / "another.lock", 5):
        blobs = verdicts(store, "blob")
    assert blobs
    assert all(verdict.keep for verdict in blobs)
    assert not any(verdict.keep for verdict in verdicts(store, "blob"))


def test_what_goes_while_it_is_looked_at_ends_nothing(
    store: Store, versions: tuple[Installation, Installation]
) -> None:
    """A link that leads nowhere is listed, and not there when it is looked at, as what another process renames is."""
    for folder in (store.partial, store.blobs):
        (folder / "a.free-0.part").symlink_to("gone")
    before = judge(store)
    assert not [verdict for verdict in before if verdict.path.is_symlink()]
    carry_out(store, before)


def test_an_empty_place_needs_no_pruning(store: Store) -> None:
    assert judge(store) == []


def test_the_command(store: Store, versions: tuple[Installation, Installation]) -> None:
    old, new = versions
    (old.site / "heimdall" / "model_manifest.json").unlink()
    dry = new.heimdall("models", "prune", "--dry-run")
    assert dry.returncode == 0
    assert "would remove  set" in dry.stdout
    assert dry.stdout.splitlines()[-1].endswith(f" kB would be freed in {store.models_dir}")
    assert len(list((store.root / "sets").iterdir())) == 2
    done = new.heimdall("models", "prune")
    assert "removed       set" in done.stdout
    assert "kept          set" in done.stdout
    assert len(list((store.root / "sets").iterdir())) == 1
    assert '"freed": 0' in new.heimdall("models", "prune", "--json").stdout


@needs_removal
def test_a_process_keeps_the_file_it_has_open(
    store: Store, versions: tuple[Installation, Installation]
) -> None:
    for installation in versions:
        (installation.site / "heimdall" / "model_manifest.json").unlink()
    weights = next((store.root / "sets").glob("*/models/model.safetensors"))
    with weights.open("rb") as stream:
        carry_out(store, judge(store))
        assert not weights.exists()
        assert stream.read() == noise(300_000)

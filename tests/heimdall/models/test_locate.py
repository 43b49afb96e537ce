"""Where a model is, and what is believed about it without hashing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from heimdall.models import locations, receipts
from heimdall.models.locate import SHARED, SYSTEM, Location, locate
from heimdall.models.manifest import PinnedModel
from heimdall.models.package import Package
from heimdall.models.receipts import StoredSet
from heimdall.models.resolver import resolve
from heimdall.models.settings import SettingsError
from tests.support.capabilities import needs_modes
from tests.support.places import DATA, KNOWN
from tests.support.small_model import ROOT, SmallModel

pytestmark = pytest.mark.usefixtures("mirror")


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HEIMDALL_SYSTEM_MODELS", str(tmp_path / "system"))
    return tmp_path / "system"


def lay(small: SmallModel, directory: Path, mode: int = 0o664) -> Path:
    """Put the files there without a receipt, as an administrator copies them."""
    small.lay_out(directory)
    for path in small.files:
        (directory / path).chmod(mode)
    return directory


def answer(location: Location) -> tuple[str, str | None, str]:
    return location.state, location.tier, location.directory


def test_absent_before_and_verified_after_resolving(small: SmallModel) -> None:
    before = locate()
    assert (answer(before), before.here) == (("absent", None, ""), False)
    assert before.entry is not None
    assert before.entry["name"] == small.name
    directory = resolve()
    after = locate()
    assert (answer(after), after.noted) == (("verified", SHARED, str(directory)), True)
    assert answer(locate(None, small.name, "standard")) == answer(after)
    small.assert_tree(directory)


def test_another_models_directory(tmp_path: Path) -> None:
    directory = resolve(models_dir=tmp_path / "elsewhere")
    assert not locate().here
    elsewhere = locate(models_dir=str(tmp_path / "elsewhere"))
    assert answer(elsewhere) == ("verified", SHARED, str(directory))


def test_the_read_only_tier_comes_first(system: Path) -> None:
    resolve()
    resolve(models_dir=system)
    location = locate()
    assert answer(location) == ("verified", SYSTEM, str(resolve()))
    assert Path(location.directory).is_relative_to(system)


@pytest.mark.parametrize("tier", [pytest.param(SYSTEM, marks=needs_modes), SHARED])
def test_files_without_a_receipt_are_unverified(
    small: SmallModel, system: Path, models_dir: Path, tier: str
) -> None:
    directory = lay(small, {SYSTEM: system, SHARED: models_dir}[tier])
    assert answer(locate()) == ("unverified", tier, str(directory))
    (directory / "model.safetensors").write_bytes(b"of another size")
    assert not locate().here


@needs_modes
def test_sizes_are_enough_in_a_read_only_tier_that_nobody_else_may_write_to(
    small: SmallModel, system: Path
) -> None:
    directory = lay(small, system, 0o644)
    for path in small.files:
        os.utime(directory / path, (1, 1))  # as Nix and container layers normalise them
    assert answer(locate()) == ("verified", SYSTEM, str(directory))
    (directory / "model.safetensors").chmod(0o646)
    assert answer(locate()) == ("unverified", SYSTEM, str(directory))


@needs_modes
def test_what_others_may_write_to_is_hashed_once_and_then_known_by_its_identity(
    small: SmallModel, system: Path, home: Path
) -> None:
    directory = lay(small, system)
    assert resolve() == directory
    assert answer(locate()) == ("verified", SYSTEM, str(directory))
    (receipt,) = (home / DATA / "private/receipts").iterdir()
    weights = directory / "model.safetensors"
    status = weights.stat()
    weights.write_bytes(bytes(len(small.files["model.safetensors"])))
    os.utime(weights, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert answer(locate()) == ("unverified", SYSTEM, str(directory))
    weights.write_bytes(small.files["model.safetensors"])
    assert resolve() == directory
    receipt.chmod(0o666)
    assert locate().state == "unverified", "others may write to the receipt"
    weights.write_bytes(bytes(len(small.files["model.safetensors"])))
    assert resolve() != directory, "other bytes"


@needs_modes
def test_what_is_verified_comes_before_what_is_not(small: SmallModel, system: Path) -> None:
    directory = resolve()
    lay(small, system)
    assert answer(locate()) == ("verified", SHARED, str(directory))


@pytest.mark.parametrize(
    ("damage", "state"),
    [
        ("touch", "unverified"),
        ("grow", "absent"),
        ("remove", "absent"),
        ("no receipt", "unverified"),
        ("empty receipt", "unverified"),
        ("receipt of other bytes", "unverified"),
    ],
)
def test_whatever_was_touched_is_not_verified(
    pinned: PinnedModel, models_dir: Path, damage: str, state: str
) -> None:
    tree = resolve()
    for file in pinned.files:
        (models_dir / file.path).unlink()  # the tree that other tools see has the same files
    weights, receipt = tree / "model.safetensors", tree.parent / receipts.RECEIPT
    match damage:
        case "touch":
            os.utime(weights, ns=(1, 1))
        case "grow":
            status = weights.stat()
            with weights.open("ab") as stream:
                stream.write(b"x")
            os.utime(weights, ns=(status.st_atime_ns, status.st_mtime_ns))
        case "remove":
            weights.unlink()
        case "no receipt":
            receipt.unlink()
        case "empty receipt":
            receipt.write_text("[]")
        case _:
            receipt.write_text(receipt.read_text().replace(pinned.files[0].sha256, "0" * 64))
    assert not StoredSet(str(models_dir), pinned.entry).is_verified()
    assert locate().state == state


def test_a_missing_note_is_told(models_dir: Path, manifest_path: Path) -> None:
    """It says who uses the set, without which `prune` could only guess."""
    resolve()
    entry = locate().entry
    assert entry is not None
    note = Path(StoredSet(str(models_dir), entry).user_note(str(manifest_path)))
    note.unlink()
    assert not locate().noted
    resolve()
    assert locate().noted
    shutil.rmtree(note.parent)
    assert locate().noted, "nothing can be noted there"


def test_what_is_not_pinned_is_absent(small: SmallModel) -> None:
    resolve()
    for location in (locate(None, "unknown"), locate(None, small.name, "unknown")):
        assert (answer(location), location.entry) == (("absent", None, ""), None)


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", '{"models": 3, "default": "m"}', json.dumps({"models": [{}]})]
)
def test_a_bad_manifest_is_no_error(manifest_path: Path, content: str) -> None:
    manifest_path.write_text(content)
    assert not locate().here


def test_without_a_home_it_is_absent_and_the_strict_way_says_why(
    pinned: PinnedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown() -> str:
        raise SettingsError("HOME", "", "your home directory")

    monkeypatch.setattr(locations, "models_dir", unknown)
    assert (locate().here, locate().entry) == (False, pinned.entry)
    with pytest.raises(SettingsError):
        pinned.locate()


def test_a_package_is_asked_for_by_its_own_manifest(small: SmallModel, tmp_path: Path) -> None:
    manifest = small.write_manifest(tmp_path / "other" / "manifest.json")
    resolve()
    location = locate(Package("other", str(manifest)))
    assert (location.verified, location.noted) == (True, False)


def test_nothing_heavy_is_loaded() -> None:
    code = "import sys, heimdall.models.locate as l; l.locate(); print(*sys.modules)"
    environment = os.environ | {"PYTHONPATH": str(ROOT), "HEIMDALL_FETCH": "never"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        encoding="utf-8",
        check=True,
        env=environment,
    )
    heavy = {"urllib3", "pathlib", "hashlib", "typing", "dataclasses"}
    heavy |= {"platformdirs"} if KNOWN else set()
    assert not heavy & set(done.stdout.split())

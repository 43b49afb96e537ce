"""The doctor names every planted fault, and none that isn't there."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from heimdall.cognitive_system import data_dirs
from heimdall.doctor import network, variables
from heimdall.doctor.examination import (
    CHECKS_OF_DIRECTORIES,
    Diagnosis,
    check_data_directories,
    examine,
    repair,
)
from heimdall.doctor.finding import Check, Finding, Request, Status
from heimdall.errors import HeimdallError
from heimdall.models import locations
from tests.support.small_model import SmallModel

CHECKS: dict[str, Check] = {
    **CHECKS_OF_DIRECTORIES,
    "variables": variables.check,
    "network": network.check,
}
"""All but the engine, which has nothing to load in a small model, and what belongs to projects."""
PLAIN, DEEP = Request(), Request(deep=True)
"""A fault is planted in a folder (the shared directory) and in variables."""


def troubles(request: Request = PLAIN) -> dict[str, Finding]:
    return {
        finding.key: finding
        for finding in examine(request, CHECKS)
        if finding.status not in {Status.PASS, Status.NOT_CHECKED}
    }


def test_a_healthy_machine_has_no_troubles(healthy: Path) -> None:
    assert troubles() == {}
    assert troubles(Request(deep=True, online=True)) == {}


def test_the_report_of_the_directories(healthy: Path) -> None:
    report = check_data_directories()
    assert {
        "heimdall_data_dir",
        "models_dir",
        "qdrant_dir",
        "logs_dir",
        "models",
        "manifest",
        "free_space",
    } == set(report)
    assert {entry["status"] for entry in report.values()} == {"✅ PASS"}
    assert {frozenset(entry) for entry in report.values()} == {
        frozenset({"status", "path", "message"})
    }
    assert report["qdrant_dir"]["path"] == str(healthy / "qdrant")


def test_an_empty_home_lacks_directories_and_the_model(pinned: object, models_dir: Path) -> None:
    report = check_data_directories()
    assert report["models_dir"]["status"] == report["logs_dir"]["status"] == "⚠️ WARN"
    assert report["models"]["status"] == "❌ FAIL"
    assert "heimdall models pull" in report["models"]["message"]
    assert not models_dir.exists(), "looking changes nothing"


def remove(*parts: str) -> Callable[[Path], None]:
    return lambda data: data.joinpath(*parts).rmdir()


def flip(pattern: str, *, keep_time: bool = True) -> Callable[[Path], None]:
    def plant(data: Path) -> None:
        (path,) = data.glob(pattern)
        status = path.stat()
        with path.open("r+b") as stream:
            stream.write(b"rot")
        if keep_time:
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

    return plant


def unlink(pattern: str) -> Callable[[Path], None]:
    return lambda data: next(iter(data.glob(pattern))).unlink()


def replace_by_file(name: str) -> Callable[[Path], None]:
    def plant(data: Path) -> None:
        (data / name).rmdir()
        (data / name).write_text("in the way")

    return plant


def dangle(name: str) -> Callable[[Path], None]:
    def plant(data: Path) -> None:
        (data / name).rmdir()
        (data / name).symlink_to(data / "unmounted")

    return plant


def leave_old_download(data: Path) -> None:
    part = data / "models/.store/partial" / f"{'0' * 64}.free-1234.part"
    part.write_bytes(bytes(200_000))
    long_ago = time.time() - 3 * 24 * 3600
    os.utime(part, (long_ago, long_ago))


def nothing(_data: Path) -> None:
    pass


SET = "models/.store/sets/*/models"
FILES = [
    # what is done, how closely it is looked at, which check says so, how, and with which words
    (remove("logs"), PLAIN, "logs_dir", Status.WARN, "not there yet"),
    (remove("qdrant"), PLAIN, "qdrant_dir", Status.WARN, "not there yet"),
    (replace_by_file("logs"), PLAIN, "logs_dir", Status.FAIL, "is no directory; move it away"),
    (dangle("qdrant"), PLAIN, "qdrant_dir", Status.FAIL, "is a link to"),
    (
        unlink(f"{SET}/model.safetensors"),
        PLAIN,
        "models",
        Status.FAIL,
        "model.safetensors is missing",
    ),
    (
        flip(f"{SET}/model.safetensors"),
        DEEP,
        "models",
        Status.FAIL,
        "model.safetensors is different",
    ),
    (
        flip(f"{SET}/net.onnx", keep_time=False),
        PLAIN,
        "models",
        Status.FAIL,
        "net.onnx is different",
    ),
    (unlink("models/net.onnx"), PLAIN, "models_view", Status.WARN, "net.onnx"),
    (leave_old_download, PLAIN, "models_leftovers", Status.WARN, "1 unfinished downloads (0.2 MB)"),
]


@pytest.mark.parametrize(("plant", "request_", "key", "status", "words"), FILES)
def test_a_planted_fault_is_named_and_no_other(
    healthy: Path,
    plant: Callable[[Path], None],
    request_: Request,
    key: str,
    status: Status,
    words: str,
) -> None:
    plant(healthy)
    found = troubles(request_)
    assert set(found) == {key}
    assert found[key].status is status
    assert words in found[key].message
    assert found[key].advice, "it says what to do"


def test_models_apart_from_the_data(
    healthy: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HEIMDALL_DATA_DIR", str(healthy))
    monkeypatch.setenv("MODEL_CACHE_DIR", str(healthy / "models"))
    assert troubles() == {}, "as initialize_shared_environment sets it"
    monkeypatch.setenv("MODEL_CACHE_DIR", str(tmp_path / "elsewhere"))
    assert "MODEL_CACHE_DIR wins" in troubles()["variables.MODEL_CACHE_DIR"].message


def test_a_variant_that_nobody_pins(healthy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEIMDALL_MODEL_VARIANT", "huge")
    found = troubles()
    assert set(found) == {"manifest", "variables.HEIMDALL_MODEL_VARIANT"}
    assert "pins no small (huge)" in found["manifest"].message


@pytest.mark.parametrize("value", ["relative/place", "~nobody-of-that-name/data"])
def test_directories_that_mean_another_place_each_time(
    healthy: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("HEIMDALL_DATA_DIR", value)
    assert "absolute path" in troubles()["variables.HEIMDALL_DATA_DIR"].message


def test_a_manifest_that_is_gone_or_damaged(healthy: Path, manifest_path: Path) -> None:
    manifest_path.write_text(manifest_path.read_text()[:100])
    assert set(troubles()) == {"manifest"}
    manifest_path.unlink()
    assert "is missing" in troubles()["manifest"].message


def test_a_check_that_can_not_be_made_is_a_finding() -> None:
    def breaks(_request: Request) -> Iterator[Finding]:
        yield Finding("one", Status.PASS, "", "fine")
        raise HeimdallError("it went away")

    found = list(examine(Request(), {"subject": breaks}))
    assert [(finding.key, finding.status) for finding in found] == [
        ("one", Status.PASS),
        ("subject", Status.FAIL),
    ]
    assert not Diagnosis(found).sound


def test_keys_are_never_lost() -> None:
    def twice(_request: Request) -> Iterator[Finding]:
        yield from (Finding("key", Status.WARN, "", text) for text in ("first", "second"))

    report = Diagnosis(list(examine(Request(), {"subject": twice})))
    assert report.as_json() == {
        "sound": True,
        "checks": {
            "key": {"status": "⚠️ WARN", "path": "", "message": "first"},
            "key.2": {"status": "⚠️ WARN", "path": "", "message": "second"},
        },
        "mended": [],
    }


def test_the_system_tier_counts(
    healthy: Path, small: SmallModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = small.lay_out(tmp_path / "system")
    monkeypatch.setenv("HEIMDALL_SYSTEM_MODELS", str(system))
    monkeypatch.setenv("MODEL_CACHE_DIR", str(tmp_path / "empty"))
    data_dirs.ensure_data_directories()
    Path(locations.models_dir()).mkdir()
    assert troubles() == {}
    (system / "model.safetensors").write_bytes(bytes(300_000))
    assert set(troubles(Request(deep=True))) == {"models"}


REPAIRABLE = [
    case for case in FILES if "is no directory" not in case[4] and "is a link" not in case[4]
]


@pytest.mark.parametrize(("plant", "request_", "key", "status", "words"), REPAIRABLE)
def test_what_is_repaired_is_sound_afterwards(
    healthy: Path,
    small: SmallModel,
    plant: object,
    request_: Request,
    key: str,
    status: object,
    words: object,
) -> None:
    assert callable(plant)
    plant(healthy)
    (step,) = repair(examine(request_, CHECKS_OF_DIRECTORIES))
    assert (step.key, step.done) == (key, True), step.what
    assert troubles(Request(deep=True)) == {}
    for tree in (healthy / "models", *healthy.glob("models/.store/sets/*/models")):
        small.assert_tree(tree)


def test_what_is_in_the_way_stays(healthy: Path) -> None:
    (healthy / "logs").rmdir()
    (healthy / "logs").write_text("mine")
    (step,) = repair(examine(Request(), CHECKS_OF_DIRECTORIES))
    assert (step.key, step.done) == ("logs_dir", False)
    assert (healthy / "logs").read_text() == "mine"


def test_a_model_that_can_not_be_fetched(healthy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (weights,) = healthy.glob("models/.store/sets/*/models/model.safetensors")
    for path in (
        weights,
        healthy / "models/model.safetensors",
        *healthy.glob("models/.store/blobs/*"),
    ):
        path.unlink()
    monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", "file:///nowhere")
    steps = [
        step for step in repair(examine(Request(), CHECKS_OF_DIRECTORIES)) if step.key == "models"
    ]
    assert [step.done for step in steps] == [False]
    assert "could not be mended: model small (standard) is not in" in steps[0].what


def test_nothing_to_repair_nothing_done(healthy: Path) -> None:
    before = sorted((path, path.lstat().st_mtime_ns) for path in healthy.rglob("*"))
    assert list(repair(examine(Request(deep=True), CHECKS_OF_DIRECTORIES))) == []
    assert sorted((path, path.lstat().st_mtime_ns) for path in healthy.rglob("*")) == before

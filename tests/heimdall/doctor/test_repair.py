from __future__ import annotations

from pathlib import Path

import pytest

from heimdall.doctor.examination import CHECKS_OF_DIRECTORIES, examine
from heimdall.doctor.finding import Request
from heimdall.doctor.repair import REPAIRS, repair
from tests.heimdall.doctor.test_examination import FILES, troubles
from tests.support.small_model import SmallModel

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


def test_every_repair_is_of_something_that_is_checked(healthy: Path) -> None:
    checked = {finding.key for finding in examine(Request(), CHECKS_OF_DIRECTORIES)}
    told_when_wrong = {"models_view", "models_leftovers", "project_schema", "project_words"}
    assert set(REPAIRS) - told_when_wrong <= checked

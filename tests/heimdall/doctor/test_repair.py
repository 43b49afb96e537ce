from __future__ import annotations

from pathlib import Path

import pytest

from heimdall.cognitive_system.health_checker import OF_THE_DIRECTORIES, run
from heimdall.doctor.finding import Request
from heimdall.doctor.repair import MENDERS, mend
from tests.heimdall.cognitive_system.test_health_checker import FILES, troubles
from tests.support.small_model import SmallModel

MENDABLE = [
    case for case in FILES if "is no directory" not in case[4] and "is a link" not in case[4]
]


@pytest.mark.parametrize(("plant", "request_", "key", "status", "words"), MENDABLE)
def test_what_is_mended_is_sound_afterwards(
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
    (step,) = mend(run(request_, OF_THE_DIRECTORIES))
    assert (step.key, step.done) == (key, True), step.what
    assert troubles(Request(deep=True)) == {}
    for tree in (healthy / "models", *healthy.glob("models/.store/sets/*/models")):
        small.assert_tree(tree)


def test_what_is_in_the_way_stays(healthy: Path) -> None:
    (healthy / "logs").rmdir()
    (healthy / "logs").write_text("mine")
    (step,) = mend(run(Request(), OF_THE_DIRECTORIES))
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
    steps = [step for step in mend(run(Request(), OF_THE_DIRECTORIES)) if step.key == "models"]
    assert [step.done for step in steps] == [False]
    assert "could not be mended: model small (standard) is not in" in steps[0].what


def test_nothing_to_mend_nothing_done(healthy: Path) -> None:
    before = sorted((path, path.lstat().st_mtime_ns) for path in healthy.rglob("*"))
    assert list(mend(run(Request(deep=True), OF_THE_DIRECTORIES))) == []
    assert sorted((path, path.lstat().st_mtime_ns) for path in healthy.rglob("*")) == before


def test_every_mender_mends_something_that_is_checked(healthy: Path) -> None:
    checked = {finding.key for finding in run(Request(), OF_THE_DIRECTORIES)}
    told_when_wrong = {"models_view", "models_leftovers", "project_schema", "project_words"}
    assert set(MENDERS) - told_when_wrong <= checked

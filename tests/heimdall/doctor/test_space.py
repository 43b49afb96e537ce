from __future__ import annotations

from pathlib import Path

import pytest

from heimdall.doctor import space
from heimdall.doctor.finding import Finding, Request, Status
from heimdall.models.resolver import resolve
from tests.support.capabilities import needs_proc
from tests.support.filesystems import tmpfs
from tests.support.small_model import SmallModel

pytestmark = pytest.mark.slow


def look() -> Finding:
    (found,) = space.check(Request())
    return found


def test_too_little_for_the_model_that_is_still_to_come(
    small: SmallModel, pinned: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tmpfs(tmp_path / "disk", "size=600k") as disk:
        monkeypatch.setenv("HEIMDALL_DATA_DIR", str(disk / "data"))
        found = look()
        assert (found.status, found.path) == (Status.FAIL, str(disk))
        assert "the model still needs 0.8 MB" in found.message
    with tmpfs(tmp_path / "larger", "size=4m") as disk:
        monkeypatch.setenv("HEIMDALL_DATA_DIR", str(disk / "data"))
        monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", small.mirror)
        resolve()
        assert (look().status, "only" in look().message) == (Status.WARN, True)


def test_no_more_files(pinned: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with tmpfs(tmp_path / "disk", "size=1g", "nr_inodes=3") as disk:
        monkeypatch.setenv("HEIMDALL_DATA_DIR", str(disk))
        for name in "ab":
            (disk / name).touch()
        found = look()
        assert (found.status, "no free inodes" in found.message) == (Status.FAIL, True)


@needs_proc
def test_what_is_no_filesystem_for_files(pinned: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEIMDALL_DATA_DIR", "/proc/self/data")
    assert look().status is Status.NOT_CHECKED

"""What belongs to somebody else: real processes of another user."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from heimdall.doctor import directories
from heimdall.doctor.examination import check_data_directories
from heimdall.doctor.finding import Request
from tests.support.filesystems import remount, tmpfs
from tests.support.other_user import OtherUser, other_users
from tests.support.small_model import ROOT, Installation, SmallModel

pytestmark = pytest.mark.slow


def looked_at_by(user: OtherUser, installation: Installation, data: Path) -> dict[str, Any]:
    """What `check_data_directories` says to that user."""
    code = (
        "import json; from heimdall.doctor.examination import check_data_directories; "
        "print(json.dumps(check_data_directories()))"
    )
    environment = installation.environment(
        HEIMDALL_DATA_DIR=str(data), PYTHONPATH=f"{installation.site}{os.pathsep}{ROOT}"
    )
    done = user.run([sys.executable, "-c", code], environment)
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def failing(report: dict[str, Any]) -> set[str]:
    return {key for key, entry in report.items() if entry["status"] == "❌ FAIL"}


@pytest.fixture
def opened(tmp_path: Path) -> Path:
    """A place that everybody may write to."""
    for parent in (tmp_path, *tmp_path.parents[:2]):
        parent.chmod(parent.stat().st_mode | 0o055)
    place = tmp_path / "shared"
    place.mkdir()
    place.chmod(0o777)
    return place


def make_all(user: OtherUser, installation: Installation, data: Path, small: SmallModel) -> None:
    """All of it, made by that user."""
    code = "from heimdall.cognitive_system.data_dirs import *; ensure_data_directories(); ensure_models_available()"
    environment = installation.environment(
        HEIMDALL_DATA_DIR=str(data), HEIMDALL_MODELS_MIRROR=small.mirror, HEIMDALL_SOURCES="mirror"
    )
    done = user.run([sys.executable, "-c", code], environment)
    assert done.returncode == 0, done.stderr


def test_a_root_made_directory(installation: Installation, small: SmallModel, opened: Path) -> None:
    user, _ = other_users()
    data = opened / "data"
    make_all(user, installation, data, small)
    assert failing(looked_at_by(user, installation, data)) == set()
    os.chown(data / "logs", 0, 0)
    report = looked_at_by(user, installation, data)
    assert failing(report) == {"logs_dir"}
    assert "it belongs to root" in report["logs_dir"]["message"]
    assert f"sudo chown 54321 {data / 'logs'}" in report["logs_dir"]["message"]


def test_a_root_made_cache_inside(
    installation: Installation, small: SmallModel, opened: Path
) -> None:
    user, _ = other_users()
    data = opened / "data"
    make_all(user, installation, data, small)
    os.chown(data / "models/.store/partial", 0, 0)
    report = looked_at_by(user, installation, data)
    assert failing(report) == {"models_dir"}
    assert "partial" in report["models_dir"]["message"]
    assert f"sudo chown -R 54321 {data / 'models'}" in report["models_dir"]["message"]


def test_a_root_made_note_beside_them(
    installation: Installation, small: SmallModel, opened: Path
) -> None:
    user, _ = other_users()
    data = opened / "data"
    make_all(user, installation, data, small)
    (data / "projects").mkdir()
    report = looked_at_by(user, installation, data)
    assert failing(report) == {"heimdall_data_dir"}
    assert str(data / "projects") in report["heimdall_data_dir"]["message"]


def test_a_place_where_nothing_can_be_made(
    installation: Installation, tmp_path: Path, opened: Path
) -> None:
    user, _ = other_users()
    opened.chmod(0o755)
    report = looked_at_by(user, installation, opened / "data")
    assert failing(report) >= {"heimdall_data_dir", "models_dir", "qdrant_dir", "logs_dir"}
    assert f"can't be made: {opened} belongs to root" in report["heimdall_data_dir"]["message"]


def test_what_is_ones_own_and_forbidden_all_the_same(
    installation: Installation, opened: Path
) -> None:
    user, _ = other_users()
    data = opened / "data"
    data.mkdir(mode=0o555)
    os.chown(data, user.uid, user.gid)
    report = looked_at_by(user, installation, data)
    assert (
        f"'chmod u+rwx {data}' unless it is mounted read-only"
        in report["heimdall_data_dir"]["message"]
    )


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="acting as another user needs root"
)
def test_a_closed_folder_above(
    tmp_path: Path, pinned: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "closed" / "data").mkdir(parents=True)
    (tmp_path / "closed").chmod(0o700)
    for parent in (tmp_path, *tmp_path.parents[:3]):
        parent.chmod(parent.stat().st_mode | 0o055)
    monkeypatch.setenv("HEIMDALL_DATA_DIR", str(tmp_path / "closed/data"))
    os.seteuid(54321)
    try:
        report = check_data_directories()
    finally:
        os.seteuid(0)
    assert failing(report) == {
        "heimdall_data_dir",
        "models_dir",
        "qdrant_dir",
        "logs_dir",
        "models",
    }
    assert (
        f"{tmp_path / 'closed'} is closed to you; it belongs to root"
        in report["logs_dir"]["message"]
    )


def test_a_read_only_mount(installation: Installation, small: SmallModel, tmp_path: Path) -> None:
    with tmpfs(tmp_path / "disk") as disk:
        remount(disk, "ro")
        report = json.loads(
            installation.run(
                "-c",
                "import json; from heimdall.doctor.examination import check_data_directories; "
                "print(json.dumps(check_data_directories()))",
                HEIMDALL_DATA_DIR=str(disk / "data"),
                PYTHONPATH=f"{installation.site}{os.pathsep}{ROOT}",
            ).stdout
        )
        remount(disk, "rw")
    assert failing(report) >= {"heimdall_data_dir", "logs_dir"}
    assert "mounted read-only" in report["logs_dir"]["message"]


def test_root_is_told_that_it_is_root(opened: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    user, _ = other_users()
    os.chown(opened, user.uid, user.gid)
    monkeypatch.setenv("HEIMDALL_DATA_DIR", str(opened))
    (found, *_) = directories.check(Request())
    assert found.status == "⚠️ WARN"
    assert "belongs to user 54321, but you are root" in found.message

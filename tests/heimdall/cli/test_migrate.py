from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.support.places import DATA
from tests.support.small_model import ROOT, Installation, SmallModel

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")
    monkeypatch.setenv("HEIMDALL_OFFLINE", "1")
    monkeypatch.chdir(tmp_path)


def test_models_of_a_project(
    installation: Installation, small: SmallModel, tmp_path: Path, home: Path
) -> None:
    path = f"{installation.site}{os.pathsep}{ROOT}"
    small.lay_out(tmp_path / "data/models")
    planned = installation.heimdall("migrate", "--dry-run", PYTHONPATH=path)
    assert planned.returncode == 0, planned.stderr
    assert (
        f"would be brought over  model  {tmp_path / 'data/models/model.safetensors'}"
        in planned.stdout
    )
    assert not (home / DATA).exists()

    done = installation.heimdall("migrate", "--remove", "--json", PYTHONPATH=path)
    report = json.loads(done.stdout)
    assert (done.returncode, report["sound"], report["dry_run"]) == (0, True, False)
    assert {step["outcome"] for step in report["steps"]} == {"brought over"}
    assert all(step["removed"] for step in report["steps"])
    small.assert_tree(home / DATA / "models")
    assert not (tmp_path / "data/models").exists()

    again = installation.heimdall("migrate", PYTHONPATH=path)
    assert again.stdout.splitlines()[0] == "nothing of an earlier release is here"


def test_what_fails_gives_exit_code_1(installation: Installation, tmp_path: Path) -> None:
    collection = tmp_path / "tmp_qdrant_storage/collections/one"
    collection.mkdir(parents=True)
    (collection / "config.json").write_text("{}")
    (collection / "out").symlink_to("/etc")
    done = installation.heimdall(
        "migrate", str(tmp_path), PYTHONPATH=f"{installation.site}{os.pathsep}{ROOT}"
    )
    assert done.returncode == 1, done.stderr
    assert "failed  qdrant" in done.stdout
    assert "leads out of" in done.stdout
    assert "Traceback" not in done.stderr

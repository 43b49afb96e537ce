from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.support.places import DATA
from tests.support.small_model import ROOT, Installation, SmallModel

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _sources(
    small: SmallModel, installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", small.mirror)
    monkeypatch.setenv("HEIMDALL_SOURCES", "mirror")
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "HEIMDALL_SYSTEM_MODELS"):
        monkeypatch.delenv(name, raising=False)


def statuses(printed: str) -> dict[str, str]:
    return {key: entry["status"] for key, entry in json.loads(printed)["checks"].items()}


def test_from_an_empty_home_to_a_mended_one(
    installation: Installation, small: SmallModel, home: Path
) -> None:
    path = f"{installation.site}{os.pathsep}{ROOT}"
    before = installation.heimdall("doctor", PYTHONPATH=path)
    assert before.returncode == 1, before.stderr
    assert "✗ models" in before.stdout
    assert "'heimdall models pull' fetches it" in before.stdout
    assert before.stdout.splitlines()[-1].startswith("1 failed, 4 to look at")
    assert not (home / DATA).exists()

    fixed = installation.heimdall("doctor", "--fix", "--json", PYTHONPATH=path)
    report = json.loads(fixed.stdout)
    assert {step["key"] for step in report["mended"]} == {
        "heimdall_data_dir",
        "models_dir",
        "qdrant_dir",
        "logs_dir",
        "models",
    }
    assert all(step["done"] for step in report["mended"])
    # The small model is noise, so that the engine can't load it: which is named too.
    assert [key for key, status in statuses(fixed.stdout).items() if status == "❌ FAIL"] == [
        "engine"
    ]
    assert fixed.returncode == 1
    small.assert_tree(home / DATA / "models")


def test_a_level_of_the_log_that_is_none_is_named_like_any_other_variable(
    installation: Installation,
) -> None:
    path = f"{installation.site}{os.pathsep}{ROOT}"
    done = installation.heimdall(
        "doctor", "--json", PYTHONPATH=path, HEIMDALL_LOG_LEVEL="loud", HEIMDALL_FETCH="maybe"
    )
    assert done.returncode == 1, done.stderr
    failed = {key for key, status in statuses(done.stdout).items() if status == "❌ FAIL"}
    assert {"variables.HEIMDALL_LOG_LEVEL", "variables.HEIMDALL_FETCH"} <= failed


def test_exit_code_0_with_warnings(installation: Installation, tmp_path: Path) -> None:
    """Where no model can be loaded and nothing else is wrong, the engine alone decides."""
    path = f"{installation.site}{os.pathsep}{ROOT}"
    installation.heimdall("doctor", "--fix", PYTHONPATH=path)
    code = (
        "import sys; from heimdall.doctor import examination; del examination.CHECKS['engine']; "
        "from heimdall.cli import main; sys.argv[1:] = ['doctor', '--json']; sys.exit(main())"
    )
    done = installation.run("-c", code, PYTHONPATH=path, HEIMDALL_MODEL_MIRROR="typo")
    assert done.returncode == 0, done.stdout
    assert json.loads(done.stdout)["sound"] is True
    assert statuses(done.stdout)["variables.HEIMDALL_MODEL_MIRROR"] == "⚠️ WARN"
    assert statuses(done.stdout)["sources"] == "➖ NOT CHECKED"  # noqa: RUF001


def test_a_folder_that_is_not_there_is_a_mistake_of_usage(installation: Installation) -> None:
    done = installation.heimdall("doctor", "nowhere")
    assert (done.returncode, done.stdout) == (2, "")
    assert "nowhere" in done.stderr

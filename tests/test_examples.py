"""The examples do what they show."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hatch_heimdall_models.cli import main
from tests.support.checkout import ROOT
from tests.support.front_ends import BOTH, build_plugin, make_venv, run, wheel_names, with_plugin

EXAMPLES = ROOT / "examples"


def copied(folder: Path, target: Path) -> Path:
    """What a clone has of a folder."""
    ignored = shutil.ignore_patterns("__pycache__", "dist", "models")
    return Path(shutil.copytree(folder, target, ignore=ignored))


@pytest.mark.slow
def test_the_python_api(tmp_path: Path) -> None:
    environment = {**os.environ, "HEIMDALL_FETCH": "never", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-W", "error", EXAMPLES / "python_api.py", tmp_path],
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.stderr == ""
    assert [line.partition("? ")[2] for line in done.stdout.splitlines()[:2]] == [
        "Retries stop after five attempts: the broker bans clients that go on.",
        "The nightly import failed because its certificate had expired.",
    ]
    assert done.stdout.endswith("2 decisions, found by keywords\n")
    assert (tmp_path / ".heimdall" / "cognitive_memory.db").is_file()


@pytest.mark.installs
def test_a_package_ships_its_model(tmp_path: Path) -> None:
    tree = copied(EXAMPLES / "ship_a_model", tmp_path / "ship_a_model")
    run("make_model.py", cwd=tree)
    lock = tree / "src/colour_names/model_manifest.json"
    committed = lock.read_bytes()
    lock.unlink()
    assert main(["lock", "--project", str(tree)]) == 0
    assert lock.read_bytes() == committed

    run(*BOTH["build"], tmp_path / "dist", cwd=tree)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    archives = [str(path) for path in (tmp_path / "dist").iterdir()]
    assert main(["check", *archives, "--project", str(tree)]) == 0
    assert [name for name in wheel_names(wheel) if ".dist-info/" not in name] == [
        "colour_names/__init__.py",
        "colour_names/model_manifest.json",
    ]

    resolver = copied(ROOT / "heimdall" / "models", tmp_path / "heimdall_models")
    around = with_plugin(build_plugin(resolver, tmp_path / "resolver-dist"))
    venv, home = make_venv(tmp_path), tmp_path / "home"
    run("-m", "pip", "--python", venv, "install", wheel, cwd=tree, variables=around)

    def user(program: str, *arguments: str) -> str:
        environment = {
            "HOME": str(home),
            "HEIMDALL_MODELS_MIRROR": (tree / "dist" / "models").as_uri(),
            "HEIMDALL_SOURCES": "mirror",
            "HEIMDALL_SYSTEM_MODELS": str(home / "none"),
            "HEIMDALL_PROGRESS": "0",
        }
        return subprocess.run(
            [venv / "bin" / program, *arguments],
            env=environment,
            cwd=home,
            capture_output=True,
            encoding="utf-8",
            check=True,
        ).stdout

    shown = user("python", "-c", "import colour_names; print(colour_names.name_of(250, 10, 20))")
    assert shown == "red\n"
    assert "model   nearest (standard)" in user("heimdall-models", "status", "colour_names")

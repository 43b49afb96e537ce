"""The shim that hatchling runs alone. Each test is a process of its own, since it is about `sys.modules`."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

PACKAGE = Path(__file__).resolve().parents[2] / "hatch_heimdall_models"
LOAD = """
from hatchling.plugin.utils import load_plugin_from_script
from hatchling.builders.hooks.plugin.interface import BuildHookInterface
import sys

def load(folder):
    return load_plugin_from_script(f"{folder}/in_tree.py", "in_tree.py", BuildHookInterface, "build_hook")
"""


def _run(script: str, *arguments: Path, **options: Any) -> list[str]:
    command = [sys.executable, "-I", "-c", LOAD + script, *map(str, arguments)]
    return subprocess.run(
        command, check=True, capture_output=True, encoding="utf-8", **options
    ).stdout.splitlines()


def _copy(folder: Path) -> Path:
    return Path(
        shutil.copytree(
            PACKAGE, folder / PACKAGE.name, ignore=shutil.ignore_patterns("__pycache__")
        )
    )


def test_the_package_is_loaded_from_its_tree_under_its_name() -> None:
    script = """
before = list(sys.path)
hook = load(sys.argv[1])
print(hook.__module__, sys.modules[hook.__module__].__file__, sys.path == before, load(sys.argv[1]) is hook)
"""
    assert _run(script, PACKAGE) == [f"hatch_heimdall_models.hook {PACKAGE / 'hook.py'} True True"]


def test_an_installed_distribution_is_set_aside(tmp_path: Path) -> None:
    installed, tree = _copy(tmp_path / "site-packages"), _copy(tmp_path / "project")
    script = """
sys.path.insert(0, sys.argv[1])
import hatch_heimdall_models.plugin
old = hatch_heimdall_models.plugin.HeimdallModelsHook
hook = load(sys.argv[2])
print(sys.modules[hook.__module__].__file__, hook is old)
print(sys.modules["hatch_heimdall_models.config"].__file__)
"""
    assert _run(script, installed.parent, tree) == [
        f"{tree / 'hook.py'} False",
        str(tree / "config.py"),
    ]

"""What the package itself offers: typed, and free of hatchling."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import packaging
import pytest

import hatch_heimdall_models

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


def test_every_name_is_there() -> None:
    # The docstring's table names them.
    names = set(
        re.findall(r"`(\w+)`", (hatch_heimdall_models.__doc__ or "").partition("| use |")[2])
    )
    assert {"parse_config", "LockMaker", "sbom_of"} <= names
    for name in names - {"ModelBuildError", "project", "problems"}:
        assert getattr(hatch_heimdall_models, name).__doc__


def test_it_needs_packaging_and_nothing_else_that_is_installed() -> None:
    script = """
import sys
# Imports of these fail from here on.
sys.modules["hatchling"] = sys.modules["cyclonedx"] = None
import hatch_heimdall_models, hatch_heimdall_models.cli
from hatch_heimdall_models import config, pin_rules
assert "packaging" not in sys.modules, "help texts and checks of archives need none of it"
assert config._licence(config.Reader({"license": "MIT"})) == "MIT"
print(*sorted({name.partition(".")[0] for name in sys.modules} - set(sys.stdlib_module_names)))
"""
    done = subprocess.run(
        # Isolated from site-packages, whose .pth files load modules of their own.
        [sys.executable, "-S", "-c", script],
        cwd=ROOT,
        env={"PYTHONPATH": os.pathsep.join([str(ROOT), str(Path(packaging.__file__).parents[1])])},
        check=True,
        capture_output=True,
        encoding="utf-8",
    )
    assert set(done.stdout.split()) == {
        "__main__",
        "cyclonedx",
        "hatch_heimdall_models",
        "hatchling",
        "packaging",
    }

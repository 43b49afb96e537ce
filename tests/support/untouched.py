"""A run fails that left something of a test in the data directory of the user who runs it: tests have homes of their own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_BEFORE = pytest.StashKey[set[Path]]()
_MOST_BYTES = 1 << 20
_OF_A_TEST = b"pytest-of-"
"""Part of the path of each test's directory. Other programs of the user's may write there meanwhile."""


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Look at what is there before the first test."""
    if not hasattr(session.config, "workerinput"):
        session.config.stash[_BEFORE] = _files()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run if there is more now, and it tells of a test's directory."""
    before = session.config.stash.get(_BEFORE, None)
    left = [] if before is None else sorted(filter(_is_of_a_test, _files() - before))
    if left:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        assert reporter is not None
        reporter.section("left outside of the tests' own homes", red=True)
        for path in left[:20]:
            reporter.line(str(path))


def _files() -> set[Path]:
    from heimdall.models import locations  # not before HEIMDALL_FETCH is set

    # `os.walk` leaves out what the user's other programs remove meanwhile.
    walked = os.walk(locations.user_data_dir())
    found = (Path(folder, name) for folder, _, names in walked for name in names)
    return {path for path in found if path.is_file()}


def _is_of_a_test(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return _OF_A_TEST in stream.read(_MOST_BYTES)
    except OSError:
        return False

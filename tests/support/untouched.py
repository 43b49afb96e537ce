"""A run fails that left something of a test in the data directory of the user who runs it: tests have homes of their own."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest

_BEFORE = pytest.StashKey[dict[Path, int]]()
_MOST_BYTES = 1 << 20
_OF_A_TEST = b"pytest-of-"
"""Part of the path of each test's directory. Other programs of the user's may write there meanwhile."""
_ran: list[tuple[float, float, str]] = []
"""When each part of each test began and ended."""


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Look at what is there before the first test."""
    if not hasattr(session.config, "workerinput"):
        session.config.stash[_BEFORE] = _traces()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note when it ran."""
    _ran.append((report.start, report.stop, report.nodeid))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run if more is there now, and name the tests that ran when it was written."""
    before = session.config.stash.get(_BEFORE, None)
    traces = {} if before is None else _traces()
    left = sorted(path for path, number in traces.items() if number > (before or {}).get(path, 0))
    if left:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        assert reporter is not None
        reporter.section("left outside of the tests' own homes", red=True)
        for path in left[:20]:
            written = path.stat().st_mtime
            # File systems' clocks may be a tick behind.
            tests = {name for start, stop, name in _ran if start - 0.1 <= written <= stop}
            reporter.line(f"{path}, written during {', '.join(sorted(tests))}")


def _traces() -> dict[Path, int]:
    """By file: how often it names a test's directory."""
    from heimdall.models import locations  # not before HEIMDALL_FETCH is set

    traces = {}
    for folder, _, names in os.walk(locations.user_data_dir()):
        for path in (Path(folder, name) for name in names):
            # What the user's other programs remove meanwhile.
            with contextlib.suppress(OSError):
                if path.is_file():
                    with path.open("rb") as stream:
                        traces[path] = stream.read(_MOST_BYTES).count(_OF_A_TEST)
    return traces

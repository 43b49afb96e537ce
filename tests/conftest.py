"""Every test has a HOME of its own and none of the variables that would change what heimdall does."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from weakref import WeakSet

import hypothesis
import pytest

from tests.support.capabilities import skip_at_what_is_missing

pytest_plugins = ["tests.support.skipped", "tests.support.untouched"]

# A busy machine is no failure. What CI says of a commit must not depend on luck; elsewhere every run looks at new cases.
EXAMPLES = int(os.environ.get("EXAMPLES", "40"))
"""How many cases of each property are looked at; more of them by hand."""
hypothesis.settings.register_profile(
    "patient",
    deadline=None,
    derandomize="CI" in os.environ,
    max_examples=EXAMPLES,
    # Time again; and all cases of a property share what its test was given.
    suppress_health_check=[
        hypothesis.HealthCheck.too_slow,
        hypothesis.HealthCheck.function_scoped_fixture,
        # What a run happens to draw first is no failure, either.
        hypothesis.HealthCheck.filter_too_much,
    ],
)
hypothesis.settings.load_profile("patient")

# A shell starts background jobs with Ctrl-C ignored, and children inherit that; tests of Ctrl-C need the default.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Some users' is 077; what is new has these modes on most machines.
os.umask(0o022)

# Every process that a test starts would compile all that it imports.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# What a thread that outlives its test says is not for the stderr of the run.
logging.getLogger().addHandler(logging.NullHandler())

# so that collecting the tests, which imports heimdall, fetches nothing
os.environ["HEIMDALL_FETCH"] = "never"

_OURS = re.compile(
    r"(HEIMDALL|HF|XDG)_.*|MODEL_CACHE_DIR|TRANSFORMERS_CACHE|SENTENCE_TRANSFORMERS_HOME|GITHUB_TOKEN",
    re.IGNORECASE,
)
_LOGGERS = [logging.getLogger(name) for name in ("heimdall", "cognitive_memory")]
_NETWORK = re.compile(r"(https?|all|no)_proxy|(PIP|UV)_(?!CACHE).*", re.IGNORECASE)
_USUAL = re.compile(r"GIT_.*|(FORCE|NO)_COLOR|CLICOLOR(_FORCE)?|COLUMNS|LINES|PAGER|LESS")
"""What terminals, CI and git's hooks set."""

_MEASURED = {"cli", "hooks", "mcp_server"}
"""Folders of tests of programs, much of which runs in processes of its own alone."""

_WINDOWS_FOLDERS = {
    "LOCALAPPDATA": ("AppData/Local", "LOCAL_APPDATA"),
    "APPDATA": ("AppData/Roaming", "APPDATA"),
    "PROGRAMDATA": ("ProgramData", "COMMON_APPDATA"),
}
"""By variable: the folder in the home, and platformdirs' name for it."""


@pytest.fixture(scope="session", autouse=True)
def measuring() -> dict[str, str]:
    """The variables with which a process measures its coverage, taken away: that doubles its time."""
    names = [name for name in os.environ if name.startswith("COVERAGE_")]
    return {name: os.environ.pop(name) for name in names}


@pytest.fixture(autouse=True)
def processes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever a test started ends with it: one that fails midway leaves nothing for the next."""
    started = WeakSet[subprocess.Popen[Any]]()
    begin = subprocess.Popen.__init__

    def noted(process: subprocess.Popen[Any], *arguments: Any, **options: Any) -> None:
        begin(process, *arguments, **options)
        started.add(process)

    monkeypatch.setattr(subprocess.Popen, "__init__", noted)
    yield
    for process in list(started):
        if process.poll() is None:
            process.kill()
            process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            with contextlib.suppress(OSError):  # what was not written yet
                if stream is not None:
                    stream.close()


@pytest.fixture(autouse=True)
def home(
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    measuring: dict[str, str],
) -> Iterator[Path]:
    """An empty HOME, and an environment without settings of the developer's."""
    if _MEASURED.intersection(request.path.parts):
        for name, value in measuring.items():
            monkeypatch.setenv(name, value)
    for name in list(os.environ):
        if any(kind.fullmatch(name) for kind in (_OURS, _NETWORK, _USUAL)):
            monkeypatch.delenv(name)
    monkeypatch.setenv("TERM", "xterm-256color")
    # it hides what a full stream does to a process
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    # Windows' folders, by programs that read variables and by platformdirs, which asks the system unless it is told so.
    for variable, (folder, name) in _WINDOWS_FOLDERS.items():
        monkeypatch.setenv(variable, str(home / folder))
        monkeypatch.setenv(f"WIN_PD_OVERRIDE_{name}", str(home / folder))
    monkeypatch.setenv("HEIMDALL_SYSTEM_MODELS", str(tmp_path / "no-system-models"))
    monkeypatch.chdir(tmp_path)
    skip_at_what_is_missing(monkeypatch)
    handlers = [(logger, handler) for logger in _LOGGERS for handler in logger.handlers]
    yield home
    # What a command under test set for its own process must not be the next test's.
    for logger in _LOGGERS:
        for handler in [each for each in logger.handlers if (logger, each) not in handlers]:
            logger.removeHandler(handler)
            handler.close()
    for name in list(os.environ):
        if _OURS.fullmatch(name):
            del os.environ[name]

"""How much the commands that are started most often have the processor do, counted: that depends on no load.

The bounds are multiples of what Python alone takes to start, measured with Python 3.11; each has a tenth of room. Who makes
one of them quicker lowers its bound.
"""

from __future__ import annotations

import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.programs import needed
from tests.support.small_model import Installation, SmallModel

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        (sys.version_info[:2], platform.machine()) != ((3, 11), "x86_64"),
        reason="the bounds are those of Python 3.11 on x86-64",
    ),
]

PULL = ("-m", "heimdall", "models", "pull")
BOUNDS = {
    ("-c", "import heimdall"): 2.1,
    ("-m", "heimdall", "--help"): 5.7,
    ("-m", "heimdall", "recall", "when", "is", "it", "deployed"): 11.4,
    PULL: 20.9,
}


def counted(environment: dict[str, str], arguments: tuple[str, ...], aside: Path) -> int:
    """Instructions of a Python process, its bytecode cached; what is pulled is pulled into a folder `aside`."""
    command = [sys.executable, *arguments]
    valgrind = [needed("valgrind"), "--tool=callgrind", "--callgrind-out-file=/dev/null"]
    for number, counting in enumerate(([], valgrind)):
        if arguments == PULL:
            environment = {**environment, "HEIMDALL_DATA_DIR": str(aside / str(number))}
        done = subprocess.run(
            [*counting, *command],
            env=environment,
            check=True,
            capture_output=True,
            encoding="utf-8",
        )
    (count,) = re.findall(r"Collected : (\d+)", done.stderr)
    return int(count)


def test_no_command_does_more_than_it_did(
    installation: Installation, small: SmallModel, tmp_path: Path
) -> None:
    needed("valgrind")
    (tmp_path / "project" / ".git").mkdir(parents=True)
    environment = {
        name: value
        for name, value in installation.environment(
            HEIMDALL_MODELS_MIRROR=small.mirror,
            HEIMDALL_SOURCES="mirror",
            HEIMDALL_PROJECT=str(tmp_path / "project"),
            PYTHONHASHSEED="0",
        ).items()
        if not name.startswith(("COV", "PYTEST")) and name != "PYTHONDONTWRITEBYTECODE"
    }
    for arguments in (("models", "pull"), ("store", "We deploy on Fridays")):
        command = [sys.executable, "-m", "heimdall", *arguments]
        subprocess.run(command, env=environment, check=True, capture_output=True)
    alone = counted(environment, ("-c", "pass"), tmp_path)
    found = {run: counted(environment, run, tmp_path) / alone for run in BOUNDS}
    assert {run: times for run, times in found.items() if times > BOUNDS[run]} == {}

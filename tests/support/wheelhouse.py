"""A folder of wheels, so that tests install and build real distributions without a package index.

It is filled once, by `python -m tests.support.wheelhouse [DIR]` from the top of the checkout, through pip and whatever
index pip is configured for, and holds for the running Python what it takes to build this project (with isolation too)
and to run it. The tests themselves get at it with `wheelhouse_environment`, and reach no index.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
DEFAULT_DIRECTORY = ROOT / ".cache" / "wheelhouse"
_STAMP = "wheelhouse.json"
# What hatchling asks for besides `build-system.requires` when it makes an editable install.
_EDITABLES = "editables~=0.3"
BACKENDS = (
    "setuptools>=77",
    "flit-core>=3.11,<4",
    "pdm-backend>=2.4",
    "poetry-core>=2.1",
    "uv-build>=0.8,<1",
    "scikit-build-core>=0.11",
)
"""Those besides hatchling on which packages with models are built."""
_OLDEST_PYTHON = "3.10"
"""Of `heimdall-models`, which is also tested there."""


def wheelhouse_environment(directory: Path = DEFAULT_DIRECTORY) -> dict[str, str]:
    """Environment variables that make pip and uv install from the wheelhouse, and from nowhere else.

    Meant to be laid over a process's environment: `{**os.environ, **wheelhouse_environment()}`.

    Raises:
        RuntimeError: if the wheelhouse is missing or was made for another Python or other requirements.
    """
    if not _is_current(directory):
        raise RuntimeError(
            f"The wheelhouse {directory} is missing or stale for this Python and pyproject.toml. "
            "Fill it with: python -m tests.support.wheelhouse"
        )
    # A URL, since pip splits its variable at spaces.
    links = directory.resolve().as_uri()
    return {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_FIND_LINKS": links,
        "PIP_NO_INDEX": "1",
        "UV_FIND_LINKS": links,
        "UV_NO_CONFIG": "1",
        "UV_NO_INDEX": "1",
        "UV_OFFLINE": "1",
        "UV_PYTHON_DOWNLOADS": "never",
    }


def fill(directory: Path = DEFAULT_DIRECTORY) -> bool:
    """Fill the wheelhouse, unless it is current.

    Returns:
        Whether there was anything to do.

    Raises:
        subprocess.CalledProcessError: if pip fails; what it printed went to this process's standard output.
    """
    if _is_current(directory):
        return False
    wanted = _stamp()
    partial = directory.with_name(f"{directory.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "--quiet",
            "--wheel-dir",
            partial,
            *wanted["requirements"],
        ],
        check=True,
    )
    # The newest releases that this Python takes are not always for the oldest one as well.
    oldest = ["--only-binary", ":all:", "--python-version", _OLDEST_PYTHON, "--dest", partial]
    command = [sys.executable, "-m", "pip", "download", "--quiet", *oldest, *wanted["oldest"]]
    subprocess.run(command, check=True)
    (partial / _STAMP).write_text(json.dumps(wanted, indent=2), encoding="utf-8")
    shutil.rmtree(directory, ignore_errors=True)
    partial.rename(directory)
    return True


def _is_current(directory: Path) -> bool:
    stamp = directory / _STAMP
    return stamp.is_file() and json.loads(stamp.read_text(encoding="utf-8")) == _stamp()


def _stamp() -> dict[str, Any]:
    """What a wheelhouse depends on."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    models = tomllib.loads((ROOT / "heimdall/models/pyproject.toml").read_text(encoding="utf-8"))
    return {
        "python": f"{sys.implementation.name} {sysconfig.get_python_version()} on {sysconfig.get_platform()}",
        "requirements": [
            *project["build-system"]["requires"],
            _EDITABLES,
            *BACKENDS,
            *project["project"]["dependencies"],
        ],
        "oldest": models["project"]["dependencies"],
    }


def _main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.support.wheelhouse", description=__doc__)
    parser.add_argument(
        "directory", nargs="?", type=Path, default=DEFAULT_DIRECTORY, help="default: %(default)s"
    )
    directory = parser.parse_args().directory
    print(f"{directory}: {'filled' if fill(directory) else 'already current'}")


if __name__ == "__main__":
    _main()

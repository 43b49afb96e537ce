"""The front ends of Python packaging, run as maintainers and users run them, with the wheelhouse as their only index."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

from tests.support.wheelhouse import wheelhouse_environment

PYTHON = sys.executable
# Each with the folder for its artifacts still to be added.
BOTH = {
    "hatch": ["-m", "hatch", "build"],
    "build": ["-m", "build", ".", "--outdir"],
    "build without isolation": ["-m", "build", "--no-isolation", ".", "--outdir"],
    "uv": ["-m", "uv", "build", "--python", PYTHON, "--out-dir"],
}
WHEEL_ONLY = {
    "build, wheel alone": ["-m", "build", "--no-isolation", "--wheel", ".", "--outdir"],
    "uv, wheel alone": ["-m", "uv", "build", "--python", PYTHON, "--wheel", "--out-dir"],
    "pip": ["-m", "pip", "wheel", ".", "--no-deps", "--wheel-dir"],
}


def run(
    *arguments: object, cwd: Path, check: bool = True, variables: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run Python in an environment of its own, which reaches the wheelhouse alone."""
    home = cwd.parent / "home"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "HATCH_CACHE_DIR": str(home / "hatch-cache"),
        "HATCH_DATA_DIR": str(home / "hatch-data"),
        "UV_CACHE_DIR": str(home / "uv-cache"),
        **wheelhouse_environment(),
        **(variables or {}),
    }
    done = subprocess.run(
        [PYTHON, *map(str, arguments)],
        cwd=cwd,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    assert not check or done.returncode == 0, done.stdout
    return done


def wheel_names(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def sdist_names(sdist: Path) -> list[str]:
    with tarfile.open(sdist) as archive:
        return archive.getnames()


def digests(folder: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.iterdir()
        if path.is_file()
    }


def make_venv(folder: Path) -> Path:
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    return folder / "venv"


def site_packages(venv: Path) -> Path:
    (site,) = venv.glob("lib/python*/site-packages")
    return site


def build_plugin(package: Path, dist: Path) -> Path:
    """Build the hook's own distribution from a copy of its package, its wheel through its sdist."""
    run(*BOTH["build without isolation"], dist, cwd=package)
    (wheel,) = dist.glob("*.whl")
    return wheel


def with_plugin(wheel: Path) -> dict[str, str]:
    """Variables that add the folder of the plugin's wheel to the wheelhouse."""
    wheelhouse, plugin = wheelhouse_environment()["PIP_FIND_LINKS"], wheel.parent.as_uri()
    return {"PIP_FIND_LINKS": f"{wheelhouse} {plugin}", "UV_FIND_LINKS": f"{wheelhouse},{plugin}"}

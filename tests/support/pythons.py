"""Other Pythons on this machine."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def find_python(version: str) -> Path:
    """An interpreter of that version, for example `3.12`: the running one, one of pyenv's or one on the path.

    Skips the test where there is none.
    """
    if f"{sys.version_info.major}.{sys.version_info.minor}" == version:
        return Path(sys.executable)
    on_path = shutil.which(f"python{version}")
    # A shim of pyenv's finds its interpreters only under the settings of whoever installed it.
    beside = (
        sorted(Path(on_path).parent.parent.glob(f"versions/{version}.*/bin/python"))
        if on_path
        else []
    )
    for candidate in [*beside, *([Path(on_path)] if on_path else [])]:
        if _is_version(candidate, version):
            return candidate
    pytest.skip(f"no Python {version} on this machine")


def _is_version(python: Path, version: str) -> bool:
    command = [str(python), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    return done.stdout.strip() == version

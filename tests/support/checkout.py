"""Copies of this very repository, with a small stand-in for the model, to be built by real front ends."""

from __future__ import annotations

import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.capabilities import program
from tests.support.manifests import manifest_of, write_models

if TYPE_CHECKING:
    from hatch_heimdall_models.manifest import Manifest

ROOT = Path(__file__).resolve().parents[2]
MODELS_DIR = "cognitive_memory/data/models"
MANIFEST = "heimdall/model_manifest.json"
LOCK = "models.lock.json"


def tracked_files() -> list[str]:
    """The files of this checkout that are under version control, without models; skips the test where there is none."""
    if not (ROOT / ".git").exists():
        pytest.skip("needs a git checkout: its tracked files say what is to be packed")
    listing = subprocess.run(
        [program("git"), "ls-files", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        encoding="utf-8",
    ).stdout
    names = (name for name in listing.split("\0") if name and (ROOT / name).is_file())
    return sorted(name for name in names if not name.startswith(f"{MODELS_DIR}/"))


def pinned_models() -> Manifest:
    """The pins that a copy gets: those of the stand-in."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    repository = project["tool"]["hatch"]["build"]["hooks"]["custom"]["repository"]
    return manifest_of(distribution=project["project"]["name"], repository=repository)


def copy_checkout(target: Path, *, models: bool) -> list[str]:
    """Copy the tracked files to `target`, with a lock for the stand-in and, if wanted, the stand-in itself.

    Returns:
        The files of the copy that are to be under version control, the lock among them, sorted.
    """
    files = {*tracked_files(), LOCK}
    for name in files - {LOCK}:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, target / name)
    # A build needs these, also while the tree they belong to is still being written.
    for name in ("README.md", "heimdall/__init__.py", "cognitive_memory/__init__.py"):
        if name not in files:
            (target / name).write_text("", encoding="utf-8")
            files.add(name)
    (target / LOCK).write_text(pinned_models().dumps(), encoding="utf-8", newline="\n")
    if models:
        write_models(target / MODELS_DIR)
    return sorted(files)

"""The commands as they are started in the field: under other names, out of archives, behind wrappers."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipapp
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.checkout import copy_checkout
from tests.support.installed_package import lay_out_package
from tests.support.places import DATA
from tests.support.small_model import ROOT, SmallModel
from tests.support.vendored_package import VendoredPackage
from tests.support.wheelhouse import DEFAULT_DIRECTORY, wheelhouse_environment

pytestmark = pytest.mark.installs

NEEDED = 'dependencies = ["click"]'
"""All that `--version` imports besides heimdall: the rest would take minutes to install six times."""


def run(*command: object, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **wheelhouse_environment(), **variables}
    return subprocess.run(
        list(map(str, command)), env=environment, capture_output=True, encoding="utf-8", check=False
    )


def make(*command: object, **variables: str) -> None:
    done = run(sys.executable, "-m", *command, **variables)
    assert done.returncode == 0, done.stdout + done.stderr


def copy_tree(tree: Path) -> None:
    copy_checkout(tree, models=False)
    project = (tree / "pyproject.toml").read_text("utf-8")
    needed = re.sub(r"^dependencies = \[.*?^\]", NEEDED, project, flags=re.DOTALL | re.MULTILINE)
    (tree / "pyproject.toml").write_text(needed, "utf-8")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("wheel")
    copy_tree(top / "tree")
    make("build", "--wheel", "--no-isolation", "--outdir", top / "dist", top / "tree")
    (wheel,) = (top / "dist").glob("*.whl")
    return wheel


def by_pipx(wheel: Path, folder: Path) -> Path:
    """`pipx install --suffix`, whose script has another name."""
    homes = {"PIPX_HOME": str(folder / "pipx"), "PIPX_BIN_DIR": str(folder / "bin")}
    make("pipx", "install", "--suffix=-beta", wheel, **homes)
    return folder / "bin" / "heimdall-beta"


def by_shiv(wheel: Path, folder: Path) -> Path:
    make("shiv", "-c", "heimdall", "-o", folder / "app.pyz", wheel)
    return folder / "app.pyz"


def by_pex(wheel: Path, folder: Path) -> Path:
    where = ("--no-index", "--find-links", DEFAULT_DIRECTORY)
    make("pex", wheel, "-c", "heimdall", "-o", folder / "app.pex", *where)
    return folder / "app.pex"


def by_zipapp(wheel: Path, folder: Path) -> Path:
    """A plain archive, out of which Python imports."""
    make("pip", "install", "-q", "--target", folder / "files", wheel)
    main = "_heimdall_commands:heimdall"
    zipapp.create_archive(folder / "files", folder / "app.pyz", main=main)
    return folder / "app.pyz"


def by_a_wrapper(what: Path, folder: Path, *options: str) -> Path:
    """As Guix and Nix do it: the script moves aside, and another one starts it."""
    make("venv", folder / "venv")
    bin_ = folder / "venv" / "bin"
    done = run(bin_ / "python", "-m", "pip", "install", "-q", *options, what)
    assert done.returncode == 0, done.stderr
    return (bin_ / "heimdall").rename(bin_ / ".heimdall-real")


def in_an_editable_install(wheel: Path, folder: Path) -> Path:
    copy_tree(folder / "tree")
    return by_a_wrapper(folder / "tree", folder, "--editable")


@pytest.mark.parametrize(
    "install",
    [by_pipx, by_shiv, by_pex, by_zipapp, by_a_wrapper, in_an_editable_install],
    ids=lambda install: install.__name__,
)
def test_a_command_under_another_name_fetches_nothing_unasked(
    install: Callable[[Path, Path], Path], wheel: Path, tmp_path: Path, home: Path
) -> None:
    program = install(wheel, tmp_path)
    nobody = {"HEIMDALL_MODELS_MIRROR": "http://127.0.0.1:9", "HEIMDALL_SOURCES": "mirror"}
    archives = {"SHIV_ROOT": str(tmp_path / "shiv"), "PEX_ROOT": str(tmp_path / "pex")}
    start = [program] if os.access(program, os.X_OK) else [sys.executable, program]
    done = run(*start, "--version", HEIMDALL_FETCH="import", **nobody, **archives)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("heimdall, version ")
    assert not (home / DATA).exists()


PROGRAM = """
import heimdall, heimdall_models, importlib.util
from heimdall.models import packages
from heimdall.models.errors import SourceError
from heimdall.models.manifest import read_model
from heimdall.models.sources.installer import find_installer
print(heimdall.__version__, read_model().package.manifest_path)
try:
    find_installer()
except SourceError as error:
    print(error)
print(packages.find_package("colours").manifest_path)
print(packages.find_package("space.shades").manifest_path)
try:
    heimdall_models.ensure("space.shades", "dark")
except heimdall_models.ManifestError as error:
    print(error)
import vendoring
print(vendoring.ensure())
"""
"""What it names without importing it was never seen by PyInstaller."""


def test_a_program_that_pyinstaller_packed_has_the_manifests_and_starts_no_python(
    wheel: Path, tmp_path: Path, home: Path
) -> None:
    models = tmp_path / "models"
    shutil.copytree(
        ROOT / "heimdall" / "models", models, ignore=shutil.ignore_patterns("__pycache__")
    )
    make("build", "--wheel", "--no-isolation", "--outdir", tmp_path, models)
    (of_models,) = tmp_path.glob("*.whl")
    make("pip", "install", "-q", "--no-deps", "--target", tmp_path / "site", wheel, of_models)
    small = SmallModel(tmp_path / "release")
    for package in ("colours", "space.shades"):
        lay_out_package(tmp_path / "site", package, small)
    vendored = VendoredPackage.make(tmp_path / "vendored", small)
    vendored.package.rename(tmp_path / "site" / "vendoring")
    (tmp_path / "program.py").write_text(PROGRAM)
    left_out = ("onnxruntime", "numpy", "tokenizers", "mcp", "pydantic", "rich", "tkinter")
    make(
        "PyInstaller",
        *("--log-level=ERROR", "--distpath", tmp_path / "dist", "--workpath", tmp_path / "work"),
        *("--specpath", tmp_path, *(f"--exclude-module={name}" for name in left_out)),
        "--collect-data=vendoring",
        tmp_path / "program.py",
        PYTHONPATH=str(tmp_path / "site"),
        HEIMDALL_FETCH="import",
        HEIMDALL_OFFLINE="1",
    )
    assert not (home / DATA).exists(), "packing imports nothing"
    program = tmp_path / "dist" / "program" / "program"
    done = run(program, HEIMDALL_FETCH="use", HEIMDALL_MODELS_MIRROR=small.mirror)
    inside = program.parent / "_internal"
    *lines, directory = done.stdout.splitlines()
    shades = inside / "space" / "shades" / "model_manifest.json"
    assert lines == [
        f"0.4.0 {inside / 'heimdall' / 'model_manifest.json'}",
        "neither pip nor uv can be started: this program is no plain Python",
        str(inside / "colours" / "model_manifest.json"),
        str(shades),
        f"model manifest {shades}: pins no dark (standard) for this machine; it pins small (standard)",
    ], done.stderr
    small.assert_tree(Path(directory))

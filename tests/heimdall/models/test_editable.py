"""Packages that are not heimdall, installed for editing from a clone without their models, with `heimdall-models` alone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from hatch_heimdall_models.cli import main
from tests.support.backends import LABELS, SEVEN, Backend, build_resolver, install
from tests.support.front_ends import build_plugin, make_venv, with_plugin
from tests.support.places import DATA
from tests.support.samples import SRC
from tests.support.wheelhouse import ROOT

pytestmark = pytest.mark.installs

HATCHLING, SETUPTOOLS = SEVEN[0], SEVEN[1]
MODES = {
    "lenient": (SETUPTOOLS, {}),
    "strict": (SETUPTOOLS, {"editable_mode": "strict"}),
    "hatchling": (HATCHLING, {}),
}


@dataclass(frozen=True)
class Editable:
    """A virtual environment with an editable install of a clone, and a home of its own."""

    folder: Path
    clone: Path
    mirror: Path

    def run(
        self, program: str, *arguments: str, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(self.folder / "home"),
            "HEIMDALL_SYSTEM_MODELS": str(self.folder / "no-system-models"),
            "HEIMDALL_MODELS_MIRROR": self.mirror.as_uri(),
            "HEIMDALL_SOURCES": "mirror",
            "PYTHONWARNINGS": "error",
            **variables,
        }
        return subprocess.run(
            [self.folder / "venv/bin" / program, *arguments],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )

    def ensure(self, package: str, **variables: str) -> subprocess.CompletedProcess[str]:
        code = f"import heimdall_models; print(heimdall_models.ensure({package!r}))"
        return self.run("python", "-c", code, **variables)


@pytest.fixture(scope="module")
def resolver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_resolver(tmp_path_factory.mktemp("resolver") / "dist")


def _installed(
    folder: Path, clone: Path, resolver: Path, *options: str, **variables: str
) -> Editable:
    python = make_venv(folder) / "bin" / "python"
    install(python, [resolver, *options, "--editable", clone], folder, **variables)
    return Editable(folder, clone, folder / "assets")


def _clone(backend: Backend, folder: Path) -> Path:
    clone = folder / "clone"
    backend.write_original(clone)
    backend.convert(clone)
    lock = ["lock", "--project", str(clone), "--assets", str(folder / "assets")]
    assert main(lock) == 0
    shutil.rmtree(clone / backend.models_dir)
    return clone


@pytest.mark.parametrize("mode", MODES)
def test_a_clone_is_found_and_filled(mode: str, resolver: Path, tmp_path: Path) -> None:
    backend, settings = MODES[mode]
    clone = _clone(backend, tmp_path)
    options = [part for pair in settings.items() for part in ("--config-setting", "=".join(pair))]
    editable = _installed(tmp_path, clone, resolver, *options)
    tree = clone / backend.models_dir

    status = editable.run("heimdall-models", "status")
    assert status.returncode == 1, status.stderr
    assert f"not here; 'heimdall-models pull --checkout {clone}' fetches it" in status.stdout
    unavailable = editable.ensure(backend.package, HEIMDALL_MODELS_MIRROR="file:///nowhere")
    assert f"pull --checkout {clone}'" in unavailable.stderr
    pulled = editable.run("heimdall-models", "pull", "--checkout", str(clone), "--json")
    assert pulled.returncode == 0, pulled.stderr
    (model,) = json.loads(pulled.stdout)["models"]
    assert (model["directory"], model["sources"]) == (str(tree), ["mirror"])
    assert (tree / "labels/names.txt").read_bytes() == LABELS

    answer = f"import {backend.package}; print({backend.package}.answer('?'))"
    used = editable.run("python", "-c", answer, HEIMDALL_OFFLINE="1")
    assert used.returncode == 0, used.stderr
    assert editable.ensure(backend.package).stdout == f"{tree}\n"
    assert not list(editable.folder.glob(f"home/{DATA}/models/.store/sets/*"))
    assert "in the checkout directory" in editable.run("heimdall-models", "status").stdout

    (tree / "weights.bin").write_bytes(os.urandom(100_000))
    again = editable.run("heimdall-models", "pull", "--checkout", str(clone))
    assert (again.returncode, "different  weights.bin" in again.stdout) == (1, True)
    pinned = editable.ensure(backend.package, PYTHONWARNINGS="default")
    assert "has not exactly what" in pinned.stderr
    assert not pinned.stdout.startswith(str(tree))


def test_a_lock_at_the_root_is_found(resolver: Path, tmp_path: Path) -> None:
    """As the hook for hatchling has it, which writes no manifest for an editable install."""
    plugin = build_plugin(
        Path(
            shutil.copytree(
                ROOT / "hatch_heimdall_models",
                tmp_path / "plugin/hatch_heimdall_models",
                ignore=shutil.ignore_patterns("__pycache__"),
            )
        ),
        tmp_path / "plugin/dist",
    )
    clone = tmp_path / "clone"
    SRC.write(clone)
    assert main(["lock", "--project", str(clone), "--assets", str(tmp_path / "assets")]) == 0
    shutil.rmtree(clone / SRC.models_dir)
    editable = _installed(tmp_path, clone, resolver, **with_plugin(plugin))
    assert not (clone / SRC.manifest).exists()
    assert editable.run("heimdall-models", "pull", "--checkout", str(clone)).returncode == 0
    for path, content in SRC.models.items():
        assert (clone / SRC.models_dir / path).read_bytes() == content
    found = editable.ensure(SRC.package, HEIMDALL_OFFLINE="1")
    assert found.stdout == f"{clone / SRC.models_dir}\n", found.stderr

    (clone / "models.lock.json").unlink()
    missing = editable.ensure(SRC.package)
    assert "models.lock.json is missing too: restore it" in missing.stderr
    assert f"'heimdall-models pull --checkout {clone}' brings the models" in missing.stderr
    assert "built without" not in missing.stderr

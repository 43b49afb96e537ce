"""Packages that are not heimdall, installed for editing from a clone without their models, with `heimdall-models` alone."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from hatch_heimdall_models.cli import main
from tests.support.backends import LABELS, SEVEN, Backend, build_resolver, install
from tests.support.front_ends import build_plugin, make_venv, with_plugin
from tests.support.places import DATA
from tests.support.resolver_alone import ResolverAlone
from tests.support.samples import SRC
from tests.support.wheelhouse import ROOT

pytestmark = pytest.mark.installs

HATCHLING, SETUPTOOLS = SEVEN[0], SEVEN[1]
MODES = {
    "lenient": (SETUPTOOLS, {}),
    "strict": (SETUPTOOLS, {"editable_mode": "strict"}),
    "hatchling": (HATCHLING, {}),
}


@pytest.fixture(scope="module")
def resolver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_resolver(tmp_path_factory.mktemp("resolver") / "dist")


def _installed(
    folder: Path, clone: Path, resolver: Path, *options: str, **variables: str
) -> ResolverAlone:
    python = make_venv(folder) / "bin" / "python"
    install(python, [resolver, *options, "--editable", clone], folder, **variables)
    return ResolverAlone(folder, (folder / "assets").as_uri())


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

    status = editable.command("status")
    assert status.returncode == 1, status.stderr
    assert f"not here; 'heimdall-models pull --checkout {clone}' fetches it" in status.stdout
    unavailable = editable.ensure(backend.package, HEIMDALL_MODELS_MIRROR="file:///nowhere")
    assert f"pull --checkout {clone}'" in unavailable.stderr
    pulled = editable.command("pull", "--checkout", str(clone), "--json")
    assert pulled.returncode == 0, pulled.stderr
    (model,) = json.loads(pulled.stdout)["models"]
    assert (model["directory"], model["sources"]) == (str(tree), ["mirror"])
    assert (tree / "labels/names.txt").read_bytes() == LABELS

    answer = f"import {backend.package}; print({backend.package}.answer('?'))"
    used = editable.run("python", "-c", answer, HEIMDALL_OFFLINE="1")
    assert used.returncode == 0, used.stderr
    assert editable.ensure(backend.package).stdout == f"{tree}\n"
    assert not list(editable.folder.glob(f"home/{DATA}/models/.store/sets/*"))
    assert "in the checkout directory" in editable.command("status").stdout

    (tree / "weights.bin").write_bytes(os.urandom(100_000))
    again = editable.command("pull", "--checkout", str(clone))
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
    assert editable.command("pull", "--checkout", str(clone)).returncode == 0
    for path, content in SRC.models.items():
        assert (clone / SRC.models_dir / path).read_bytes() == content
    found = editable.ensure(SRC.package, HEIMDALL_OFFLINE="1")
    assert found.stdout == f"{clone / SRC.models_dir}\n", found.stderr

    (clone / "models.lock.json").unlink()
    missing = editable.ensure(SRC.package)
    assert "models.lock.json is missing too: restore it" in missing.stderr
    assert f"'heimdall-models pull --checkout {clone}' brings the models" in missing.stderr
    assert "built without" not in missing.stderr

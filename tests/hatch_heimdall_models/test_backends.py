"""Packages on seven build backends, converted, built by the real ones, installed, run: their answers are the originals'."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from hatch_heimdall_models.cli import main
from tests.support.backends import (
    REPOSITORY,
    SEVEN,
    Backend,
    build,
    build_resolver,
    install,
    make_builder,
)
from tests.support.front_ends import make_venv, sdist_names
from tests.support.servers import github

pytestmark = pytest.mark.installs

ASK = """
import importlib, json, sys
print(json.dumps({name: importlib.import_module(name + sys.argv[1]).answer("?") for name in sys.argv[2:]}))
"""
PACKAGES = [backend.package for backend in SEVEN]


@dataclass(frozen=True)
class Built:
    """Everything that was built.

    Attributes:
        trees: by package.
        archives: the sdist, its wheel and the tree's wheel, by package.
        answers: what the originals said, by package.
        releases: the folder of the release assets, as `<tag>/<asset>`.
        python: of an environment with the wheels and `heimdall-models`, and nothing else that they do not need.
    """

    trees: dict[str, Path]
    archives: dict[str, list[Path]]
    answers: dict[str, str]
    releases: Path
    python: Path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    top = tmp_path_factory.mktemp("seven")
    trees = {backend.package: top / backend.name for backend in SEVEN}
    for backend in SEVEN:
        backend.write_original(trees[backend.package])
    answers = _ask("", top, [tree / "src" for tree in trees.values()])
    builder = make_builder(top / "builder")
    archives = {
        backend.package: _converted(backend, trees[backend.package], top, builder)
        for backend in SEVEN
    }
    python = make_venv(top) / "bin" / "python"
    wheels = [build_resolver(top / "resolver"), *(archives[name][1] for name in PACKAGES)]
    install(python, wheels, top)
    return Built(trees, archives, answers, top / "releases", python)


def _converted(backend: Backend, tree: Path, top: Path, builder: Path) -> list[Path]:
    backend.convert(tree)
    lock = ["lock", "--project", str(tree), "--assets", str(top / "releases")]
    assert main(lock) == 0
    assert main(["vendor", f"src/{backend.package}/_models.py", "--project", str(tree)]) == 0
    return build(backend, builder, tree, tree / "dist")


def _ask(
    module: str, home: Path, path: list[Path], python: Path | None = None, **variables: str
) -> dict[str, str]:
    environment = {
        "HOME": str(home / "home"),
        "PYTHONPATH": os.pathsep.join(map(str, path)),
        "HEIMDALL_SYSTEM_MODELS": str(home / "none"),
        "HEIMDALL_PROGRESS": "0",
        **variables,
    }
    done = subprocess.run(
        [str(python or shutil.which("python3")), "-W", "error", "-c", ASK, module, *PACKAGES],
        env=environment,
        cwd=home,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize("backend", SEVEN, ids=lambda backend: backend.name)
def test_every_archive_has_the_manifest_and_no_model(backend: Backend, built: Built) -> None:
    archives = built.archives[backend.package]
    assert len(archives) == 3
    check = ["check", *map(str, archives), "--project", str(built.trees[backend.package])]
    assert main(check) == 0
    sdist, wheel, from_tree = archives
    assert not [name for name in sdist_names(sdist) if "weights" in name]
    assert _contents(wheel) == _contents(from_tree)
    assert f"{backend.package}/model_manifest.json" in _contents(wheel)


def test_the_answers_are_the_originals(built: Built, tmp_path: Path) -> None:
    with github(built.releases, repository=REPOSITORY) as server:
        for module in ("", ".alone"):
            answers = _ask(module, tmp_path, [], built.python, HEIMDALL_GITHUB_URL=server.url)
            assert answers == built.answers
        # Each package's model once for both ways, each of which keeps files of its own.
        statuses = [record.status for record in server.requests.settled()]
    assert sorted(statuses) == sorted([302, 200] * len(SEVEN) * 2)
    for module in ("", ".alone"):
        offline = _ask(module, tmp_path, [], built.python, HEIMDALL_OFFLINE="1")
        assert offline == built.answers


def test_a_checkout_answers_by_its_own_tree(built: Built, tmp_path: Path) -> None:
    path = [tree / "src" for tree in built.trees.values()]
    answers = _ask(".alone", tmp_path, path, built.python, HEIMDALL_OFFLINE="1")
    assert answers == built.answers
    assert not (tmp_path / "home").exists()


def test_users_install_little(built: Built) -> None:
    (site,) = built.python.parent.parent.glob("lib/python*/site-packages")
    distributions = {path.name.partition("-")[0] for path in site.glob("*.dist-info")}
    assert distributions == {*PACKAGES, "heimdall_models", "packaging", "platformdirs", "urllib3"}
    sizes = [built.archives[name][1].stat().st_size for name in PACKAGES]
    assert max(sizes) < 20_000


def _contents(wheel: Path) -> dict[str, str]:
    with zipfile.ZipFile(wheel) as archive:
        return {
            name: hashlib.sha256(archive.read(name)).hexdigest()
            for name in archive.namelist()
            if ".dist-info/" not in name and not name.endswith("/")
        }

"""Projects that are not heimdall: locked, built by each front end with the published plugin, installed, fetched."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from hatch_heimdall_models.cli import main
from hatch_heimdall_models.lock import read_manifest
from tests.support.capabilities import program
from tests.support.checkout import ROOT
from tests.support.front_ends import (
    BOTH,
    WHEEL_ONLY,
    build_plugin,
    digests,
    make_venv,
    run,
    sdist_names,
    site_packages,
    wheel_names,
    with_plugin,
)
from tests.support.places import DATA
from tests.support.pythons import find_python
from tests.support.samples import FLAT, NAMESPACE, SAMPLES, SRC, Sample

pytestmark = pytest.mark.installs

PACKAGE = ROOT / "hatch_heimdall_models"
every_sample = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
REVERSED_WALK = """
import os

walk = os.walk

def reversed_walk(*arguments, **options):
    with open(os.environ["WALKED"], "a") as stream:
        stream.write(f"{arguments}\\n")
    for root, folders, names in walk(*arguments, **options):
        folders.sort(reverse=True)
        yield root, folders, sorted(names, reverse=True)

os.walk = reversed_walk
"""


@dataclass(frozen=True)
class Built:
    """A locked tree, its wheel straight from it, and its sdist."""

    sample: Sample
    tree: Path
    wheel: Path
    sdist: Path

    @property
    def mirror(self) -> dict[str, str]:
        """Variables by which its assets are fetched from the tree."""
        assets = self.tree / "dist" / "models"
        return {"HEIMDALL_MODELS_MIRROR": assets.as_uri(), "HEIMDALL_SOURCES": "mirror"}


@pytest.fixture(scope="module")
def plugin_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plugin")
    package = shutil.copytree(
        PACKAGE, folder / PACKAGE.name, ignore=shutil.ignore_patterns("__pycache__")
    )
    return build_plugin(Path(package), folder / "dist")


@pytest.fixture(scope="module")
def plugin_path(plugin_wheel: Path) -> str:
    """A folder with the plugin as installed, for builds without isolation."""
    target = plugin_wheel.parent.parent / "installed"
    with zipfile.ZipFile(plugin_wheel) as archive:
        archive.extractall(target)
    return str(target)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, plugin_path: str) -> dict[str, Built]:
    """Every sample, built from a tree with models."""
    found = {}
    for sample in SAMPLES:
        folder = tmp_path_factory.mktemp("sample")
        tree = folder / "tree"
        sample.write(tree)
        assert main(["lock", "--project", str(tree)]) == 0
        arguments = [*BOTH["build without isolation"], folder / "dist", "--sdist", "--wheel"]
        run(*arguments, cwd=tree, variables={"PYTHONPATH": plugin_path})
        (wheel,), (sdist,) = (folder / "dist").glob("*.whl"), (folder / "dist").glob("*.tar.gz")
        found[sample.name] = Built(sample, tree, wheel, sdist)
    return found


@pytest.fixture
def copy(tmp_path: Path, built: dict[str, Built]) -> Path:
    """A fresh tree of the src sample."""
    return Path(shutil.copytree(built[SRC.name].tree, tmp_path / "project" / "tree"))


def _digest(path: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest()}


@every_sample
def test_the_archives_hold_exactly_what_they_should(
    sample: Sample, built: dict[str, Built]
) -> None:
    wheel, sdist = built[sample.name].wheel, built[sample.name].sdist
    metadata = [name for name in wheel_names(wheel) if ".dist-info/" in name]
    assert sorted(set(wheel_names(wheel)) - set(metadata)) == sample.wheel_files
    assert sorted(name.partition("/")[2] for name in metadata) == [
        "METADATA",
        "RECORD",
        "WHEEL",
        "licenses/LICENSES/model.txt",
    ]
    assert sorted(name.partition("/")[2] for name in sdist_names(sdist)) == sample.sdist_files


def test_an_sdist_gives_the_wheel_of_the_tree(
    tmp_path: Path, built: dict[str, Built], plugin_wheel: Path
) -> None:
    for sample in SAMPLES:
        command = ["-m", "pip", "wheel", "--no-deps", "--wheel-dir", tmp_path / "dist"]
        sdist, tree = built[sample.name].sdist, built[sample.name].tree
        run(*command, sdist, cwd=tree, variables=with_plugin(plugin_wheel))
    assert digests(tmp_path / "dist") == {
        name: digest for sample in built.values() for name, digest in _digest(sample.wheel).items()
    }


@pytest.mark.parametrize("name", ["hatch", "build", "uv", "pip"])
@pytest.mark.parametrize("models", [True, False], ids=["models", "no models"])
def test_front_ends_agree(
    copy: Path, name: str, models: bool, built: dict[str, Built], plugin_wheel: Path
) -> None:
    if not models:
        shutil.rmtree(copy / SRC.models_dir)
    dist = copy.parent / "dist"
    command = {**BOTH, **WHEEL_ONLY}[name]
    run(*command, dist, cwd=copy, variables=with_plugin(plugin_wheel))
    (dist / ".gitignore").unlink(missing_ok=True)
    expected = _digest(built[SRC.name].wheel) | (
        _digest(built[SRC.name].sdist) if name in BOTH else {}
    )
    assert digests(dist) == expected


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_every_python_gives_the_same_files(
    copy: Path, version: str, built: dict[str, Built], plugin_wheel: Path
) -> None:
    python = find_python(version)
    dist = copy.parent / "dist"
    command = ["-m", "uv", "build", "--python", python, "--out-dir", dist]
    run(*command, cwd=copy, variables=with_plugin(plugin_wheel))
    (wheel,), (sdist,) = dist.glob("*.whl"), dist.glob("*.tar.gz")
    assert sdist_names(sdist) == sdist_names(built[SRC.name].sdist)
    assert _members(wheel) == _members(built[SRC.name].wheel)


def _members(wheel: Path) -> list[tuple[str, bytes, tuple[int, ...], int]]:
    """Everything but the compressed form, which is that of the zlib at hand."""
    with zipfile.ZipFile(wheel) as archive:
        return [
            (info.filename, archive.read(info), info.date_time, info.external_attr)
            for info in archive.infolist()
        ]


def test_a_git_url(copy: Path, built: dict[str, Built], plugin_wheel: Path) -> None:
    (copy / ".gitignore").write_text(f"/dist\n/{SRC.models_dir}\n")
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    for arguments in (["init", "-q"], ["add", "-A"], [*identity, "commit", "-q", "-m", "a"]):
        subprocess.run([program("git"), *arguments], cwd=copy, check=True)
    venv = make_venv(copy.parent)
    requirement = f"iris-sorter @ git+{copy.as_uri()}"
    cwd = copy.parent / "elsewhere"
    cwd.mkdir()
    command = ["-m", "pip", "--python", venv, "install", "--no-deps", requirement]
    run(*command, cwd=cwd, variables=with_plugin(plugin_wheel))
    package = site_packages(venv) / "iris_sorter"
    assert sorted(path.name for path in package.iterdir() if path.is_file()) == [
        "__init__.py",
        "model_manifest.json",
    ]
    pinned = (package / "model_manifest.json").read_bytes()
    assert pinned == (copy / "models.lock.json").read_bytes()
    # With what git has, .gitignore aside, the wheel is the same as with the models.
    dist = copy.parent / "dist"
    command = ["-m", "pip", "wheel", "--no-deps", "--wheel-dir", dist, requirement]
    run(*command, cwd=cwd, variables=with_plugin(plugin_wheel))
    assert digests(dist) == _digest(built[SRC.name].wheel)


@pytest.mark.skipif(os.name != "posix", reason="umask and time zones are POSIX's")
def test_nothing_around_the_build_is_in_its_bytes(
    copy: Path, built: dict[str, Built], plugin_path: str
) -> None:
    there = copy.parent / "with space" / "ümlaut"
    there.parent.mkdir()
    copy.rename(there)
    for path in [*there.rglob("*"), there]:
        os.utime(path, (1_000_000_000, 1_000_000_000))
        path.chmod(0o700 if path.is_dir() else 0o600)
    (copy.parent / "site" / "sitecustomize.py").parent.mkdir()
    (copy.parent / "site" / "sitecustomize.py").write_text(REVERSED_WALK)
    walked = copy.parent / "walked"
    around = {
        "PYTHONPATH": os.pathsep.join([str(copy.parent / "site"), plugin_path]),
        "WALKED": str(walked),
        "TZ": "Pacific/Kiritimati",
        "LC_ALL": "C",
        "PYTHONHASHSEED": "7",
    }
    dist = copy.parent / "dist"
    command = [*BOTH["build without isolation"], dist, "--sdist", "--wheel"]
    old = os.umask(0o077)
    try:
        run(*command, cwd=there, variables=around)
    finally:
        os.umask(old)
    assert SRC.models_dir in walked.read_text()
    assert digests(dist) == _digest(built[SRC.name].wheel) | _digest(built[SRC.name].sdist)


def _install(built: Built, target: Path) -> Path:
    run("-m", "pip", "install", "--no-deps", "--target", target, built.wheel, cwd=built.tree)
    return target


def _ensure(
    site: Path, arguments: str, home: Path, **variables: str
) -> subprocess.CompletedProcess[str]:
    script = (
        "import sys; from heimdall.models import ensure, ModelError\n"
        f"try: print(ensure({arguments}))\n"
        "except ModelError as error: sys.exit(f'{type(error).__name__}: {error}')\n"
        "assert not {'iris_sorter', 'two_tongues', 'acme.vision'} & set(sys.modules)"
    )
    environment = {
        "HOME": str(home),
        "PYTHONPATH": os.pathsep.join([str(site), str(ROOT)]),
        "HEIMDALL_SYSTEM_MODELS": str(home / "none"),
        "HEIMDALL_FETCH": "use",
        **variables,
    }
    command = [sys.executable, "-W", "error", "-c", script]
    return subprocess.run(
        command, cwd=home, env=environment, capture_output=True, encoding="utf-8", check=False
    )


@every_sample
def test_an_installed_package_is_fetched_by_the_runtime_half(
    sample: Sample, built: dict[str, Built], tmp_path: Path, home: Path
) -> None:
    site = _install(built[sample.name], tmp_path / "site")
    mirror = built[sample.name].mirror
    # That variant is one of heimdall's own model.
    first = _ensure(site, repr(sample.package), home, HEIMDALL_MODEL_VARIANT="compact", **mirror)
    assert first.returncode == 0, first.stderr
    assert "is ready, from mirror, verified" in first.stderr
    directory = Path(first.stdout.strip())
    (model,) = [
        model
        for model in read_manifest(built[sample.name].tree / "models.lock.json").models
        if not model.marker
    ]
    assert {
        path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file()
    } == {file.path for file in model.files}
    for file in model.files:
        assert (directory / file.path).read_bytes() == sample.models[file.path]
    again = _ensure(site, repr(sample.package), home, HEIMDALL_OFFLINE="1")
    assert (again.stdout, again.stderr) == (first.stdout, "")


def test_models_of_several_packages_live_side_by_side(
    built: dict[str, Built], tmp_path: Path, home: Path
) -> None:
    seen = set()
    for sample in SAMPLES:
        site = _install(built[sample.name], tmp_path / sample.name)
        mirror = built[sample.name].mirror
        seen.add(_ensure(site, repr(sample.package), home, **mirror).stdout)
    assert len(seen) == 3
    models = home / DATA / "models"
    assert [path.name for path in models.iterdir()] == [".store"]
    # An image that was filled like this is a read-only tier.
    done = _ensure(
        tmp_path / FLAT.name, repr(FLAT.package), tmp_path, HEIMDALL_SYSTEM_MODELS=str(models)
    )
    assert done.stdout in seen
    assert not (tmp_path / DATA).exists()


def test_a_model_that_is_not_for_this_machine(
    built: dict[str, Built], tmp_path: Path, home: Path
) -> None:
    site = _install(built[FLAT.name], tmp_path / "site")
    done = _ensure(site, "'two_tongues', 'german'", home)
    assert done.returncode == 1
    assert "ManifestError: " in done.stderr
    assert (
        "pins no german (standard) for this machine; it pins english (standard), german (standard)"
        in done.stderr
    )


def test_a_namespace_has_several_homes(built: dict[str, Built], tmp_path: Path, home: Path) -> None:
    (tmp_path / "other" / "acme" / "sound").mkdir(parents=True)
    site = _install(built[NAMESPACE.name], tmp_path / "site")
    mirror = built[NAMESPACE.name].mirror
    path = Path(os.pathsep.join([str(tmp_path / "other"), str(site)]))
    assert _ensure(path, "'acme.vision'", home, **mirror).returncode == 0


@functools.cache
def _readme_block(first_line: str) -> str:
    text = (PACKAGE / "README.md").read_text(encoding="utf-8")
    (block,) = [
        block
        for block in re.findall(r"```\w*\n(.*?)```", text, re.DOTALL)
        if block.startswith(first_line)
    ]
    return str(block)


def test_the_published_command_vendors_the_same_file(
    built: dict[str, Built], tmp_path: Path, plugin_path: str
) -> None:
    tree = built[SRC.name].tree
    file = "src/iris_sorter/_models.py"
    command = ["-m", "hatch_heimdall_models", "vendor", file, "--project", tree]
    run(*command, cwd=tmp_path, variables={"PYTHONPATH": plugin_path})
    assert main(["vendor", file, "--check", "--project", str(tree)]) == 0
    (tree / file).unlink()


def test_the_readme_configuration_works(tmp_path: Path, plugin_path: str) -> None:
    tree = tmp_path / "tree"
    model = tree / "src/my_package/models/net.onnx"
    for path, text in {
        tree / "pyproject.toml": _readme_block("[build-system]\n"),
        tree / "src/my_package/__init__.py": "",
        tree / "LICENSES/net.txt": "free",
        model: "x" * 100_000,
    }.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert main(["lock", "--project", str(tree)]) == 0
    command = [*WHEEL_ONLY["build, wheel alone"], tmp_path / "dist"]
    run(*command, cwd=tree, variables={"PYTHONPATH": plugin_path})
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        pins = json.loads(archive.read("my_package/model_manifest.json"))
    assert pins["models"][0]["files"][0]["sha256"] == hashlib.sha256(model.read_bytes()).hexdigest()

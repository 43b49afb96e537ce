"""This very repository, built and installed by each front end, from every kind of source.

One pair of archives is looked at closely; every other build must give the same bytes.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tarfile
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.support.checkout import LOCK, MANIFEST, MODELS_DIR, ROOT, copy_checkout, pinned_models
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
)
from tests.support.manifests import FILES, LARGE, write_models

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.installs

OF_HEIMDALL_MODELS = {
    f"heimdall/models/{name}"
    for name in (
        "LICENSE",
        "README.md",
        "pyproject.toml",
        "pyinstaller_hooks/hook-heimdall_models.py",
    )
}
"""What makes the distribution heimdall-models of the same source, and is no part of the package."""
COMMANDS = "heimdall/_heimdall_commands.py"
"""What the wheel has beside the package."""
LEFT_OUT = (".ci/", ".github/", ".gitattributes")
"""Beginnings of tracked paths that are of no use outside the repository, and therefore not in the sdist."""

FRONT_ENDS = {**BOTH, **WHEEL_ONLY}

front_ends = pytest.mark.parametrize("command", FRONT_ENDS.values(), ids=FRONT_ENDS)


@dataclass(frozen=True)
class Built:
    """A copy of the repository, its files under version control, and the archives that were built of it."""

    tree: Path
    files: list[str]
    wheel: Path
    sdist: Path


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Built from a tree with models: its sdist, and its wheel straight from the tree."""
    folder = tmp_path_factory.mktemp("reference")
    files = copy_checkout(folder / "tree", models=True)
    run(
        *BOTH["build without isolation"], folder / "dist", "--sdist", "--wheel", cwd=folder / "tree"
    )
    (wheel,), (sdist,) = (folder / "dist").glob("*.whl"), (folder / "dist").glob("*.tar.gz")
    return Built(folder / "tree", files, wheel, sdist)


@pytest.fixture(params=[True, False], ids=["models", "no models"])
def tree(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    copy_checkout(tmp_path / "tree", models=request.param)
    return tmp_path / "tree"


@pytest.fixture
def tree_with_models(tmp_path: Path) -> Path:
    copy_checkout(tmp_path / "tree", models=True)
    return tmp_path / "tree"


def expected(reference: Built, *, sdist: bool) -> dict[str, str]:
    wanted = [reference.wheel, reference.sdist] if sdist else [reference.wheel]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in wanted}


def test_the_wheel_has_exactly_the_packages_the_manifest_and_metadata(reference: Built) -> None:
    packages = [
        name
        for name in reference.files
        if name.startswith(("heimdall/", "cognitive_memory/"))
        and name not in {*OF_HEIMDALL_MODELS, COMMANDS}
        and not name.startswith("heimdall/plugin/")  # assistants take it from the repository
    ]
    metadata = reference.wheel.name.removesuffix("-py3-none-any.whl") + ".dist-info"
    assert sorted(wheel_names(reference.wheel)) == sorted(
        [
            *packages,
            COMMANDS.removeprefix("heimdall/"),
            "heimdall/model_manifest.json",
            f"{metadata}/METADATA",
            f"{metadata}/RECORD",
            f"{metadata}/WHEEL",
            f"{metadata}/entry_points.txt",
            f"{metadata}/licenses/LICENSE",
        ]
    )


def test_the_sdist_has_exactly_the_tree_the_manifest_and_metadata(reference: Built) -> None:
    top = reference.sdist.name.removesuffix(".tar.gz")
    names = [name for name in reference.files if not name.startswith(LEFT_OUT)]
    assert {"pyproject.toml", "README.md", "LICENSE", ".gitignore", LOCK} < set(names)
    assert sorted(sdist_names(reference.sdist)) == sorted(
        f"{top}/{name}" for name in [*names, "PKG-INFO", "heimdall/model_manifest.json"]
    )


def test_the_manifest_is_the_lock_in_both(reference: Built) -> None:
    pinned = pinned_models().dumps().encode()
    assert (reference.tree / LOCK).read_bytes() == pinned
    with zipfile.ZipFile(reference.wheel) as wheel:
        assert wheel.read(MANIFEST) == pinned
    with tarfile.open(reference.sdist) as sdist:
        member = sdist.extractfile(f"{reference.sdist.name.removesuffix('.tar.gz')}/{MANIFEST}")
        assert member is not None
        assert member.read() == pinned


def test_the_wheel_is_small(reference: Built) -> None:
    """Its modules have 2 kB each when they are packed; models, vectors, test data would stand out."""
    assert reference.wheel.stat().st_size < 1_000_000
    with zipfile.ZipFile(reference.wheel) as wheel:
        large = [file.filename for file in wheel.infolist() if file.compress_size > 8_192]
    code = "cognitive_memory/encoding/token_codes/all-MiniLM-L6-v2.npy"  # 41 kB
    assert {name for name in large if ".dist-info/" not in name} <= {MANIFEST, code}


@front_ends
def test_every_front_end_gives_the_same_bytes_with_and_without_models(
    command: list[str], tree: Path, reference: Built
) -> None:
    dist = tree.parent / "dist"
    run(*command, dist, cwd=tree)
    # uv puts a .gitignore into the folder.
    (dist / ".gitignore").unlink(missing_ok=True)
    assert digests(dist) == expected(reference, sdist=command in BOTH.values())


def test_an_sdist_gives_the_same_wheel_without_its_lock_too(
    tmp_path: Path, reference: Built
) -> None:
    shutil.unpack_archive(reference.sdist, tmp_path, filter="data")
    (unpacked,) = tmp_path.iterdir()
    for round_, lock in enumerate([True, False]):
        if not lock:
            (unpacked / LOCK).unlink()
        dist = tmp_path / f"dist-{round_}"
        run(*WHEEL_ONLY["build, wheel alone"], dist, cwd=unpacked)
        assert digests(dist) == expected(reference, sdist=False)


def test_a_given_date_is_kept_from_tree_and_from_sdist(
    tree_with_models: Path, reference: Built
) -> None:
    dates = {"SOURCE_DATE_EPOCH": "1700000000"}
    direct, through_sdist = tree_with_models.parent / "direct", tree_with_models.parent / "through"
    run(*WHEEL_ONLY["build, wheel alone"], direct, cwd=tree_with_models, variables=dates)
    run(*BOTH["build without isolation"], through_sdist, cwd=tree_with_models, variables=dates)
    assert digests(direct).items() <= digests(through_sdist).items()
    assert digests(direct) != expected(reference, sdist=False)


@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_an_installation_has_what_the_wheel_has(
    tree: Path, reference: Built, installer: str
) -> None:
    venv = make_venv(tree.parent)
    if installer == "pip":
        run("-m", "pip", "--python", venv, "install", "--no-deps", "--no-compile", ".", cwd=tree)
    else:
        run("-m", "uv", "pip", "install", "--python", venv, "--no-deps", ".", cwd=tree)
    site = site_packages(venv)
    assert (site / MANIFEST).read_bytes() == pinned_models().dumps().encode()
    installed = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    added = {
        name for name in installed - set(wheel_names(reference.wheel)) if ".dist-info/" not in name
    }
    # Scratch files of uv's own in an environment.
    assert added <= {"_virtualenv.py", "_virtualenv.pth"}
    assert set(wheel_names(reference.wheel)) <= installed
    assert not any(name.startswith(f"{MODELS_DIR}/") for name in installed)


@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_an_editable_installation_uses_the_tree(tree: Path, installer: str) -> None:
    venv = make_venv(tree.parent)
    if installer == "pip":
        run("-m", "pip", "--python", venv, "install", "--no-deps", "--editable", ".", cwd=tree)
    else:
        run(
            "-m", "uv", "pip", "install", "--python", venv, "--no-deps", "--editable", ".", cwd=tree
        )
    find = "import importlib.util as u; print(*(u.find_spec(n).origin for n in ('heimdall', 'cognitive_memory')))"
    shown = subprocess.run(
        [venv / "bin" / "python", "-I", "-c", find],
        check=True,
        capture_output=True,
        encoding="utf-8",
        env={},
    ).stdout
    assert shown.split() == [
        str(tree / name / "__init__.py") for name in ("heimdall", "cognitive_memory")
    ]
    assert not (tree / MANIFEST).exists()
    assert not list(site_packages(venv).rglob("model_manifest.json"))


@pytest.mark.parametrize("command", BOTH.values(), ids=BOTH)
def test_without_hooks_no_model_is_shipped_either(
    command: list[str], tree_with_models: Path
) -> None:
    dist = tree_with_models.parent / "dist"
    run(*command, dist, cwd=tree_with_models, variables={"HATCH_BUILD_NO_HOOKS": "1"})
    (wheel,), (sdist,) = dist.glob("*.whl"), dist.glob("*.tar.gz")
    names = [*wheel_names(wheel), *sdist_names(sdist)]
    assert not [name for name in names if MODELS_DIR in name or name.endswith(MANIFEST)]


@front_ends
def test_a_changed_model_stops_every_front_end_without_a_traceback(
    command: list[str], tree_with_models: Path
) -> None:
    write_models(tree_with_models / MODELS_DIR, {"model.safetensors": LARGE + b"x"})
    dist = tree_with_models.parent / "dist"
    done = run(*command, dist, cwd=tree_with_models, check=False)
    assert done.returncode != 0
    for content in (FILES["model.safetensors"], LARGE + b"x"):
        assert hashlib.sha256(content).hexdigest() in done.stdout
    assert "Traceback" not in done.stdout
    assert not list(dist.glob("*heimdall*"))


@front_ends
def test_an_archive_with_a_model_is_left_by_no_front_end(
    command: list[str], tree_with_models: Path
) -> None:
    pyproject = tree_with_models / "pyproject.toml"
    text = pyproject.read_text(encoding="utf-8")
    leaking = text.replace(
        "[tool.hatch.build]\n", '[tool.hatch.build]\nartifacts = ["*.safetensors"]\n'
    )
    assert leaking != text
    pyproject.write_text(leaking, encoding="utf-8")
    dist = tree_with_models.parent / "dist"
    done = run(*command, dist, cwd=tree_with_models, check=False)
    assert done.returncode != 0
    assert f"carries {MODELS_DIR}/model.safetensors, which lies in models-dir" in done.stdout
    assert "Traceback" not in done.stdout
    assert not list(dist.glob("*heimdall*"))


@pytest.fixture(scope="module")
def plugin_wheel(reference: Built) -> Path:
    """The hook's own distribution, its wheel built through its sdist."""
    return build_plugin(reference.tree / "hatch_heimdall_models", reference.tree.parent / "plugin")


def test_the_plugin_distribution_is_the_package_without_the_shim(
    plugin_wheel: Path, reference: Built
) -> None:
    package = [name for name in reference.files if name.startswith("hatch_heimdall_models/")]
    modules = [name for name in package if name.endswith(".py") and not name.endswith("in_tree.py")]
    metadata = plugin_wheel.name.removesuffix("-py3-none-any.whl") + ".dist-info"
    assert sorted(wheel_names(plugin_wheel)) == sorted(
        [
            *modules,
            "hatch_heimdall_models/manifest.schema.json",
            "hatch_heimdall_models/py.typed",
            f"{metadata}/METADATA",
            f"{metadata}/RECORD",
            f"{metadata}/WHEEL",
            f"{metadata}/entry_points.txt",
            f"{metadata}/licenses/LICENSE",
        ]
    )


def test_the_plugin_distribution_carries_the_same_licence() -> None:
    assert (ROOT / "hatch_heimdall_models" / "LICENSE").read_bytes() == (
        ROOT / "LICENSE"
    ).read_bytes()

"""Projects with their models' tables, read and used from their trees. Real editable installs: test_editable."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

from heimdall.models import ManifestError, ensure
from heimdall.models.checkout import Checkout, CheckoutError, find_checkout, read_checkout
from heimdall.models.packages import find_package
from tests.support.capabilities import needs_root
from tests.support.small_model import SmallModel

OWN = '[tool.heimdall-models]\nmodels-dir = "src/red/models/"\nmanifest = "src/red/model_manifest.json"\n'
HOOKED = OWN.replace("tool.heimdall", "tool.hatch.build.hooks.heimdall")
MANIFEST, LOCK = "src/red/model_manifest.json", "models.lock.json"


@pytest.mark.parametrize(
    ("pyproject", "hatch", "lock"),
    [
        (OWN, "", MANIFEST),
        (HOOKED, "", LOCK),
        (HOOKED.replace(".heimdall-models", ".custom"), "", LOCK),
        (f'{HOOKED}lock = "pins.json"\n', "", "pins.json"),
        (f"{OWN}[tool.hatch.build.hooks.heimdall-models]\n", "", LOCK),
        ("", HOOKED.replace("tool.hatch.", ""), LOCK),
        (HOOKED.replace("src", "other"), HOOKED.replace("tool.hatch.", ""), LOCK),
        (f'[tool.hatch.build.hooks.custom]\npath = "x.py"\n{OWN}', "", MANIFEST),
    ],
)
def test_the_table_is_read_as_the_build_reads_it(
    tmp_path: Path, pyproject: str, hatch: str, lock: str
) -> None:
    (tmp_path / "pyproject.toml").write_text(pyproject)
    if hatch:
        (tmp_path / "hatch.toml").write_text(hatch)
    assert read_checkout(tmp_path) == Checkout(tmp_path, "src/red/models", MANIFEST, lock, {})


def test_variants_have_folders_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(f'{OWN}variant-folders = {{ compact = "small" }}\n')
    checkout = read_checkout(tmp_path)
    assert checkout.tree("standard") == tmp_path / "src/red/models"
    assert checkout.tree("compact") == tmp_path / "src/red/models/small"


@pytest.mark.parametrize(
    ("pyproject", "problem"),
    [
        (None, "there is no such file"),
        ("x = ", "can't be read"),
        ("[project]\n", r"has no \[tool.heimdall-models\]"),
        ("tool = 3\n", "configures no models"),
        ('[tool.heimdall-models]\nmodels-dir = "models"\n', "'manifest' .* is not there"),
        (OWN.replace("src/red/models/", "../models"), "has a '.' or '..' component"),
        (OWN.replace('"src/red/models/"', "3"), "is not a string"),
        (f'{OWN}lock = "/etc/passwd"\n', "is not a plain relative POSIX path"),
    ],
)
def test_what_is_wrong_with_it_is_said(tmp_path: Path, pyproject: str | None, problem: str) -> None:
    if pyproject is not None:
        (tmp_path / "pyproject.toml").write_text(pyproject)
    with pytest.raises(CheckoutError, match=problem):
        read_checkout(tmp_path)


def test_a_python_without_a_reader_of_toml_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pyproject.toml").write_text(OWN)
    monkeypatch.setitem(sys.modules, "tomllib", None)
    with pytest.raises(CheckoutError, match=r"only Python 3\.11 or later can read it"):
        read_checkout(tmp_path)
    assert find_checkout(tmp_path / MANIFEST) is None


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The source tree of `red`, on the path."""
    root = tmp_path / "project"
    (root / "src/red").mkdir(parents=True)
    (root / "src/red/__init__.py").write_text("raise RuntimeError\n")
    (root / "pyproject.toml").write_text(OWN)
    monkeypatch.syspath_prepend(root / "src")
    return root


@pytest.mark.parametrize(("table", "pins"), [(OWN, MANIFEST), (HOOKED, LOCK)])
def test_the_tree_is_used_and_hashed_once(
    project: Path, small: SmallModel, table: str, pins: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "pyproject.toml").write_text(table)
    small.write_manifest(project / pins)
    tree = small.lay_out(project / "src/red/models")
    monkeypatch.setenv("HEIMDALL_OFFLINE", "1")
    assert ensure("red") == tree
    from heimdall.models import own_receipts

    monkeypatch.setattr(own_receipts, "verify_tree", None)
    assert ensure("red") == tree


def test_a_tree_with_other_files_gives_way_to_what_is_pinned(
    project: Path, small: SmallModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", small.mirror)
    monkeypatch.setenv("HEIMDALL_SOURCES", "mirror")
    small.write_manifest(project / MANIFEST)
    tree = small.lay_out(project / "src/red/models")
    content = small.files["model.safetensors"]
    (tree / "model.safetensors").write_bytes(content[::-1])
    for _ in range(2):
        with pytest.warns(UserWarning, match=f"pull --checkout {re.escape(str(project))}"):
            small.assert_tree(ensure("red"))
    (tree / "model.safetensors").write_bytes(content)
    assert ensure("red") == tree


def test_what_an_installer_put_below_a_checkout_is_none_of_it(
    project: Path, small: SmallModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = project / ".venv/lib/python3.11/site-packages"
    (site / "red").mkdir(parents=True)
    (site / "red/__init__.py").write_text("")
    (site / "pyproject.toml").write_text(OWN.replace("src/", ""))
    monkeypatch.syspath_prepend(site)
    with pytest.raises(ManifestError, match="'red' was built without hatch-heimdall-models"):
        ensure("red")
    small.write_manifest(site / "red/model_manifest.json")
    assert find_package("red").checkout is None


@needs_root
def test_a_pyproject_of_somebody_else_above_it_has_no_say(project: Path, small: SmallModel) -> None:
    small.write_manifest(project / LOCK)
    (project / "pyproject.toml").write_text(HOOKED)
    assert find_package("red").checkout
    os.chown(project / "pyproject.toml", 65534, -1)
    with pytest.raises(ManifestError):
        find_package("red")


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        (OWN, r"src/red/model_manifest\.json is missing too: restore it"),
        (HOOKED, r"models\.lock\.json is missing too: restore it"),
        ("", "configures no models"),
        (OWN.replace("src/red/model_m", "m"), "says that the manifest is .*/project/manifest.json"),
    ],
)
def test_a_source_tree_without_pins_is_told_from_a_bad_build(
    project: Path, table: str, problem: str
) -> None:
    (project / "pyproject.toml").write_text(table)
    with pytest.raises(ManifestError, match=problem) as caught:
        ensure("red")
    assert f"pull --checkout {project}' brings the models" in str(caught.value)
    assert "built without" not in str(caught.value)


def test_a_folder_of_links_leads_to_its_checkout(
    project: Path, small: SmallModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As setuptools makes it for strict editable installs, without what is no package data."""
    small.write_manifest(project / LOCK)
    (project / "pyproject.toml").write_text(HOOKED)
    links = project / "build/__editable__.red/red"
    links.mkdir(parents=True)
    (links / "__init__.py").symlink_to(project / "src/red/__init__.py")
    monkeypatch.syspath_prepend(links.parent)
    assert find_package("red").manifest_path == str(project / LOCK)

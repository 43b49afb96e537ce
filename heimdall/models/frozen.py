"""What a program that PyInstaller packs takes along of the packages that pin models."""

from __future__ import annotations

import shutil
from pathlib import Path

from .package import MANIFEST_NAME
from .packages import find_package, installed_packages


def manifests(folder: str) -> list[tuple[str, str]]:
    """The manifests of this environment's packages, each with the folder where the program finds it: PyInstaller's `datas`.

    They are all taken, since a package may be named without being imported. Heimdall's own hook takes heimdall's.

    Args:
        folder: gets copies of those that have another name, as the locks of checkouts have.
    """
    packages = [find_package(name) for name in installed_packages()]
    return [
        (
            str(_named(Path(package.manifest_path), Path(folder, package.name))),
            package.name.replace(".", "/"),
        )
        for package in packages
        if not package.is_heimdall
    ]


def hook_dirs() -> list[str]:
    """The folders of the hooks that PyInstaller is to use."""
    return [str(Path(__file__).with_name("pyinstaller_hooks"))]


def _named(path: Path, folder: Path) -> Path:
    if path.name == MANIFEST_NAME:
        return path
    folder.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copyfile(path, folder / MANIFEST_NAME))

"""Reading a committed lock, and holding what lies on disk against it."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from hatch_heimdall_models.files import read_text
from hatch_heimdall_models.inventory import by_folder
from hatch_heimdall_models.manifest import Manifest, loads

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from hatch_heimdall_models.inventory import HashedFile


def read_manifest(path: Path) -> Manifest:
    """Read a lock or a manifest from a file.

    Raises:
        ModelBuildError: if it can't be read or is not a valid manifest.
    """
    return loads(read_text(path), subject=str(path))


def differences(
    pins: Manifest,
    files: Sequence[HashedFile],
    variant_folders: Mapping[str, str] = MappingProxyType({}),
) -> list[str]:
    """Every difference between the files that `pins` holds and those that are there, a sentence each.

    Where two models or variants pin different bytes under one path, either is right. A folder that is empty is not there
    to be compared, as long as there is something else.

    Args:
        pins: what is pinned.
        files: what lies in the models directory.
        variant_folders: the folder in it that holds the files of a variant; those of all others lie in itself.
    """
    pinned: dict[str, set[tuple[str, int]]] = {}
    present = {file.path: (file.sha256, file.size) for file in files}
    inhabited = {
        folder
        for folder, inside in by_folder(files, variant_folders.values()).items()
        if inside or not files
    }
    for model in pins.models:
        folder = variant_folders.get(model.variant, "")
        for file in model.files if folder in inhabited else ():
            path = f"{folder}/{file.path}" if folder else file.path
            pinned.setdefault(path, set()).add((file.sha256, file.size))
    problems = []
    for path in sorted(pinned.keys() | present.keys()):
        if path not in present:
            problems.append(f"{path} is pinned but not there")
        elif path not in pinned:
            problems.append(f"{path} is there but not pinned")
        elif present[path] not in pinned[path]:
            wanted = " or ".join(_shown(*pin) for pin in sorted(pinned[path]))
            problems.append(f"{path}: pinned is {wanted}, found {_shown(*present[path])}")
    return problems


def _shown(sha256: str, size: int) -> str:
    return f"sha256 {sha256} ({size} bytes)"

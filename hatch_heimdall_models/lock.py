"""The committed lock against what lies on disk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hatch_heimdall_models.errors import ModelBuildError
from hatch_heimdall_models.inventory import FoundFile
from hatch_heimdall_models.manifest import Manifest, loads


def read_manifest(path: Path) -> Manifest:
    """Read a lock or a manifest from a file.

    Raises:
        ModelBuildError: if it can't be read or is not a valid manifest.
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelBuildError(str(path), [f"can't be read: {error}"]) from error
    return loads(text, subject=str(path))


def differences(lock: Manifest, found: Sequence[FoundFile]) -> list[str]:
    """Every difference between the files that `lock` pins and those that were found, a sentence each."""
    pinned = {file.path: (file.sha256, file.size) for model in lock.models for file in model.files}
    present = {file.path: (file.sha256, file.size) for file in found}
    problems = []
    for path in sorted(pinned.keys() | present.keys()):
        if path not in present:
            problems.append(f"{path} is pinned by the lock but not there")
        elif path not in pinned:
            problems.append(f"{path} is there but not pinned by the lock")
        elif pinned[path] != present[path]:
            (wanted, wanted_size), (actual, actual_size) = pinned[path], present[path]
            problems.append(
                f"{path}: the lock pins sha256 {wanted} ({wanted_size} bytes), found {actual} ({actual_size} bytes)"
            )
    return problems

"""Finished archives held against the lock, wherever a backend has put the project's files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_heimdall_models.archive import ArchivePolicy, violations
from hatch_heimdall_models.members import members

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from hatch_heimdall_models.config import HookConfig
    from hatch_heimdall_models.manifest import Manifest


def archive_problems(archive: Path, config: HookConfig, lock: Manifest) -> list[str]:
    """Everything that is wrong with a finished wheel or sdist, a sentence each.

    Args:
        archive: made by any backend.
        config: the project's table.
        lock: what its manifest has to say.

    Raises:
        ValueError: if the name says that it is neither.
        OSError, zipfile.BadZipFile, tarfile.TarError: if it can't be read.
    """
    place = _place(config.manifest, (member.path for member in members(archive)))
    return violations(
        archive,
        ArchivePolicy(
            models_dir=_moved(config.models_dir, config.manifest, place),
            manifest_path=place,
            manifest=lock,
            max_wheel_size=config.max_wheel_size,
        ),
    )


def missing_licences(wheel: Path, config: HookConfig, root: Path) -> list[str]:
    """Licences of the models that a finished wheel does not carry, a sentence each.

    Args:
        wheel: made by any backend.
        config: the project's table.
        root: the project's root, where the licences are.

    Raises:
        OSError, zipfile.BadZipFile: if the wheel or a licence can't be read.
    """
    wanted = {path: (root / path).read_bytes() for m in config.models for path in m.license_files}
    sizes = {len(text) for text in wanted.values()}
    # By content: backends agree neither on the folder nor on the name in it.
    carried = {m.stream.read() for m in members(wheel) if wanted and m.size in sizes}
    return [
        f"lacks {path}, the licence of a model: add it to the project's license-files"
        for path, text in wanted.items()
        if text not in carried
    ]


def _place(path: str, names: Iterable[str]) -> str:
    """Where a file of the project went in an archive: the member that most of its path fits."""
    parts = path.split("/")
    found = [name for name in names if name.rpartition("/")[2] == parts[-1]]
    return max(found, key=lambda name: (_shared(name.split("/"), parts), -len(name)), default=path)


def _moved(path: str, file: str, place: str) -> str:
    """Where a folder of the project went, if `file` went to `place`.

    >>> _moved("src/package/models", "src/package/pins.json", "package/pins.json")
    'package/models'
    """
    parts, placed = file.split("/"), place.split("/")
    shared = _shared(parts, placed)
    before = parts[: len(parts) - shared]
    folder = path.split("/")
    if folder[: len(before)] != before:
        return path
    return "/".join([*placed[: len(placed) - shared], *folder[len(before) :]])


def _shared(one: list[str], other: list[str]) -> int:
    """How many parts at the end are the same."""
    count = 0
    for mine, theirs in zip(reversed(one), reversed(other), strict=False):
        if mine != theirs:
            break
        count += 1
    return count

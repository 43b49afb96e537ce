"""A committed lock: reading it, holding what lies on disk against it, and writing a new one beside the old.

`differences` is about files, `lock_differences` about two locks.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from hatch_heimdall_models.files import read_text, write_if_different
from hatch_heimdall_models.inventory import by_folder
from hatch_heimdall_models.manifest import Manifest, loads

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from hatch_heimdall_models.inventory import HashedFile
    from hatch_heimdall_models.manifest import Model, ModelFile


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

    Where two models or variants pin different bytes under one path, either is right. A folder that
    is empty is not there to be compared, as long as there is something else.

    Args:
        pins: what is pinned.
        files: what lies in the models directory.
        variant_folders: the folder in it that holds the files of a variant; those of all others lie
            in itself.
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


def lock_differences(old: Manifest | None, new: Manifest) -> list[str]:
    """Every value in which `old` is not as `new`, a sentence each with its JSON path."""
    if old is None:
        return ["there is no lock"]
    before, after = dict(_leaves(old)), dict(_leaves(new))
    return [
        f"{path}: the lock has {before.get(path, 'nothing')!r}, expected {after.get(path, 'nothing')!r}"
        for path in sorted(before.keys() | after.keys())
        if before.get(path) != after.get(path)
    ]


def entry_of(
    lock: Manifest | None, name: str, variant: str, marker: str | None = None
) -> Model | None:
    """The entry of this name, variant and marker, if the lock has one."""
    for entry in lock.models if lock else ():
        if (entry.name, entry.variant, entry.marker) == (name, variant, marker):
            return entry
    return None


def carried_over(files: Iterable[ModelFile], known: Model | None) -> tuple[ModelFile, ...]:
    """The files, with what the known entry says about the same bytes: their places, and their inline text.

    The text, since zlib's output may differ from machine to machine, and a lock should not.
    """
    old = {file.sha256: file for file in known.files} if known else {}
    return tuple(
        replace(
            file, also=file.also or same.also, inline=file.inline and (same.inline or file.inline)
        )
        if (same := old.get(file.sha256))
        else file
        for file in files
    )


def settle(
    path: Path, old: Manifest | None, new: Manifest, *, check: bool, command: str
) -> tuple[bool, list[str]]:
    """Write the lock, or, to `check`, compare it alone.

    Args:
        path: of the lock.
        old: the lock so far.
        new: what it has to say.
        check: whether nothing is to be written.
        command: what writes it, for people.

    Returns:
        Whether the lock is right now, and lines for people.
    """
    text = new.dumps()
    # What is written is read by the rules of the run-time half, so that no user is refused it.
    loads(text, subject=str(path))
    if not check:
        changed = write_if_different(path, text.encode())
        return True, [f"{'wrote' if changed else 'unchanged:'} {path}"]
    if differences := lock_differences(old, new):
        return False, [
            f"{path} is out of date; '{command}' pins what is there, if that is right:",
            *differences,
        ]
    return True, [f"{path} pins what is there"]


def _shown(sha256: str, size: int) -> str:
    return f"sha256 {sha256} ({size} bytes)"


def _leaves(manifest: Manifest) -> Iterator[tuple[str, Any]]:
    """Every value of the manifest with its path; models and files are named, not numbered."""
    yield from _walk("", {"distribution": manifest.distribution, "repository": manifest.repository})
    yield "default", manifest.default
    for model in manifest.models:
        document = model.as_json()
        files = document.pop("files")
        where = f"{model.name} {model.variant}"
        yield from _walk(where, document)
        for file in files:
            yield from _walk(
                f"{where} {file['path']}", {key: file[key] for key in file if key != "path"}
            )


def _walk(where: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _walk(f"{where}.{key}" if where else key, item)
    else:
        yield where, value

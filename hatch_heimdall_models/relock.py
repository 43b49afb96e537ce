"""A new lock beside the old one: what it takes over, what is different, and writing it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hatch_heimdall_models.files import write_if_different

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from hatch_heimdall_models.manifest import Manifest, Model, ModelFile


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
    if not check:
        changed = write_if_different(path, new.dumps().encode())
        return True, [f"{'wrote' if changed else 'unchanged:'} {path}"]
    if differences := lock_differences(old, new):
        return False, [f"{path} is out of date; '{command}' would update it:", *differences]
    return True, [f"{path} pins what is there"]


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

"""A new lock beside the old one: what it takes over, and what is different."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

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


def entry_of(lock: Manifest | None, model: Model) -> Model | None:
    """The entry of the same name, variant and marker, if the lock has one."""
    for entry in lock.models if lock else ():
        if (entry.name, entry.variant, entry.marker) == (model.name, model.variant, model.marker):
            return entry
    return None


def with_text_of(
    files: tuple[ModelFile, ...], known: tuple[ModelFile, ...]
) -> tuple[ModelFile, ...]:
    """The files, with the known text of the same inline content: zlib's output may differ from machine to machine."""
    texts = {file.sha256: file.inline for file in known if file.inline is not None}
    return tuple(
        replace(file, inline=texts.get(file.sha256, file.inline)) if file.inline else file
        for file in files
    )


def carried_over(model: Model, known: Model | None) -> Model:
    """The model, with what the known entry says about the same files: their text, other places, and how they are run."""
    if known is None:
        return model
    places = {file.sha256: file.also for file in known.files}
    files = tuple(
        replace(file, also=file.also or places.get(file.sha256, ())) for file in model.files
    )
    paths = {file.path for file in files}
    graphs = {name: graph for name, graph in known.graphs.items() if graph["path"] in paths}
    return replace(model, files=with_text_of(files, known.files), graphs=graphs)


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

"""Folders of model files, as earlier releases kept them: known bytes by hash, the rest as verified copies."""

from __future__ import annotations

import contextlib
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from heimdall.migration_0_3 import copying
from heimdall.migration_0_3.report import Options, Outcome, Step, failure
from heimdall.models import receipts
from heimdall.models.errors import ModelUnavailable, StoreError
from heimdall.models.files import sha256_of
from heimdall.models.manifest import PinnedFile, PinnedModel, read_model
from heimdall.models.package import heimdall
from heimdall.models.resolver import resolve_in_detail
from heimdall.models.sources.base import Context
from heimdall.models.sources.local import adopt
from heimdall.models.space import NoSpaceError
from heimdall.models.store import Store, matches
from heimdall.models.transfer.progress import Progress

_SUPERSEDED = "this release pins other bytes under that name; nothing uses these any more, remove them if you like"
_FINISHED_BY = "kept in the store for 'heimdall models pull', which fetches the rest"


def looks_like_models(folder: Path) -> bool:
    """Whether somebody keeps model files there: a graph, or one of the names that are pinned."""
    return any(folder.glob("*.onnx")) or any(
        (folder / name).is_file() for name in ("model_config.json", "model.safetensors")
    )


def migrate(folder: Path, options: Options) -> Iterator[Step]:
    """Bring a folder's files into the shared models directory.

    Repositories of Hugging Face's cache in it come as a whole, since links in them lead from one
    file to another.

    Raises:
        ManifestError, SettingsError: the installation or a variable has to be corrected first.
    """
    store = Store()
    if folder.resolve() == store.models_dir.resolve():
        detail = "it is the shared models directory itself"
        yield Step("file", str(folder), Outcome.PRESENT, detail=detail)
        return
    pinned = _pinned_models()
    repositories = [
        path
        for path in sorted(folder.rglob("models--*"))
        if path.is_dir() and not path.is_symlink()
    ]
    contents = _Contents.of(folder, pinned, repositories)
    yield from _adopt(contents, pinned, store, options)
    for repository in repositories:
        target = store.models_dir / repository.relative_to(folder)
        yield copying.migrate("file", repository, target, options)
    names = {file.path.casefold() for model in pinned for file in model.files}
    for path in contents.others:
        relative = path.relative_to(folder)
        if relative.parts[0] == receipts.STORE:
            continue  # its blobs were looked at by hash; the rest of it belongs to that place
        if path.is_symlink() or not path.is_file():
            yield Step("file", str(path), Outcome.LEFT, detail="is a link, or no file")
        elif relative.as_posix().casefold() in names:
            yield Step("file", str(path), Outcome.LEFT, detail=_SUPERSEDED)
        else:
            yield copying.migrate("file", path, store.models_dir / relative, options)
    if options.remove:
        copying.remove_empty(folder)


@dataclass(slots=True)
class _Contents:
    """A folder's files: those whose bytes are pinned, by their sha256, and the others.

    A source of the resolver.
    """

    place: str
    by_sha256: dict[str, list[Path]] = field(default_factory=dict)
    others: list[Path] = field(default_factory=list)
    name: str = "legacy"
    remote: bool = False

    @classmethod
    def of(
        cls, folder: Path, models: Sequence[PinnedModel], repositories: Sequence[Path]
    ) -> _Contents:
        """Look at every file outside of `repositories`.

        Hashed are those that have the size of a pinned one.
        """
        contents = cls(str(folder))
        pins = {(file.size, file.sha256) for model in models for file in model.files}
        sizes = {size for size, _ in pins}
        for path in sorted(folder.rglob("*")):
            if (path.is_dir() and not path.is_symlink()) or any(
                path.is_relative_to(repository) for repository in repositories
            ):
                continue
            pin = None
            # What can't be read is one of the others, whose copy says why.
            with contextlib.suppress(OSError):
                status = path.lstat()
                if stat.S_ISREG(status.st_mode) and (size := status.st_size) in sizes:
                    pin = (size, sha256_of(path))
            if pin in pins:
                contents.by_sha256.setdefault(pin[1], []).append(path)
            else:
                contents.others.append(path)
        return contents

    def deliver(self, wanted: Sequence[PinnedFile], context: Context) -> None:
        """As a source of the resolver: whatever the file is called here."""
        for file in wanted:
            adopt(self.by_sha256.get(file.sha256, ()), file, context)


def _pinned_models() -> list[PinnedModel]:
    """Every model of the manifest that is for this machine, the wanted variant first."""
    chosen, document = read_model(), receipts.read_manifest(heimdall().manifest_path)
    names = [(entry["name"], entry["variant"]) for entry in document["models"]]
    others = [
        name
        for name in names
        if name != (chosen.name, chosen.variant) and receipts.choose_entry(document, *name)
    ]
    return [chosen, *(read_model(None, *name) for name in others)]


def _adopt(
    contents: _Contents, models: Sequence[PinnedModel], store: Store, options: Options
) -> Iterator[Step]:
    """Let the store take the pinned files.

    Each is told of once, with the first model that has it.
    """
    untold = dict(contents.by_sha256)
    for model in models:
        files = [file for file in model.files if file.sha256 in contents.by_sha256]
        # Small files travel in the manifest itself: finding them says nothing.
        if all(file.content is not None for file in files):
            continue
        told = [(file, untold.pop(file.sha256)) for file in files if file.sha256 in untold]
        location = model.locate(str(store.models_dir))
        tree = Path(location.directory) if location.verified else None
        outcome = Outcome.PRESENT if tree else Outcome.PLANNED
        note = ""
        if tree is None and not options.dry_run:
            try:
                tree, note = _resolve(model, contents, store)
            except (StoreError, NoSpaceError, OSError) as error:
                yield failure("model", contents.place, error, store.models_dir)
                continue
            outcome = Outcome.MIGRATED
        for file, paths in told:
            target = tree / file.path if tree else store.blob(file)
            detail = note or f"{file.path} of {model.label}"
            for path in paths:
                step = Step("model", str(path), outcome, str(target), detail)
                yield _adopted(step, path, file, target, options)
    # small files of a model that is not here otherwise
    for path in (path for paths in untold.values() for path in paths):
        detail = "these bytes travel in the manifest"
        yield Step("model", str(path), Outcome.PRESENT, detail=detail)


def _resolve(model: PinnedModel, contents: _Contents, store: Store) -> tuple[Path | None, str]:
    """Let the resolver take what is there; the model's directory, or None and what that means."""
    try:
        resolution = resolve_in_detail(
            *(model.name, model.variant),
            models_dir=store.models_dir,
            progress=Progress(),
            sources=[contents],
        )
    except ModelUnavailable:
        return None, f"{model.label} needs more than this folder has; {_FINISHED_BY}"
    return resolution.directory, ""


def _adopted(step: Step, path: Path, file: PinnedFile, target: Path, options: Options) -> Step:
    """The step, once the file in the store was hashed and, if that is asked for, the source removed."""
    if options.dry_run:
        return replace(step, detail=f"{step.detail}, by its sha256")
    if not matches(target, file):
        return failure("model", path, "could not be taken into the store", target)
    removed = options.remove and matches(path, file)
    if removed:
        path.unlink()
    return replace(step, detail=f"{step.detail}, verified", removed=removed)

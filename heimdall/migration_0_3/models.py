"""Folders of model files, as earlier releases kept them: known bytes by hash, the rest as verified copies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from heimdall.errors import HeimdallError
from heimdall.migration_0_3 import copying, folders
from heimdall.migration_0_3.report import Outcome, Step, Wishes, failure
from heimdall.models import locations, receipts
from heimdall.models.errors import ModelUnavailable, StoreError
from heimdall.models.files import sha256_of
from heimdall.models.manifest import PinnedFile, PinnedModel, read_model
from heimdall.models.package import heimdall
from heimdall.models.resolver import resolve_in_detail
from heimdall.models.settings import Settings
from heimdall.models.sources.base import Context
from heimdall.models.sources.local import adopt
from heimdall.models.space import NoSpaceError
from heimdall.models.store import Store, matches
from heimdall.models.transfer.progress import Progress

_FINISHED_BY = "kept in the store for 'heimdall models pull', which fetches the rest"


def looks_like_models(folder: Path) -> bool:
    """Whether somebody keeps model files there: a graph, or one of the names that are pinned."""
    return any(folder.glob("*.onnx")) or any(
        (folder / name).is_file() for name in ("model_config.json", "model.safetensors")
    )


def bring_over(folder: Path, wishes: Wishes) -> list[Step]:
    """Bring a folder's files into the shared models directory.

    Repositories of Hugging Face's cache in it come as a whole, since links in them lead from one file to another.

    Raises:
        ManifestError, SettingsError: the installation or a variable has to be mended first.
    """
    store = Store(Path(locations.models_dir()))
    if folder.resolve() == store.models_dir.resolve():
        return [
            Step(
                "file",
                str(folder),
                Outcome.THERE,
                detail="it is the shared models directory itself",
            )
        ]
    pinned = _pinned_models()
    units = [path for path in sorted(folder.rglob("models--*")) if path.is_dir()]
    known = _Known.of(folder, pinned, units)
    steps = list(_adopt(known, pinned, store, wishes))
    steps += [
        folders.bring_over("file", unit, store.models_dir / unit.relative_to(folder), wishes)
        for unit in units
    ]
    names = {file.path.casefold() for model in pinned for file in model.files}
    for path in known.others:
        relative = path.relative_to(folder)
        if relative.parts[0] == receipts.STORE:
            continue  # its blobs were looked at by hash; the rest of it belongs to that place
        try:
            steps.append(
                _copy(
                    path,
                    store.models_dir / relative,
                    superseded=relative.as_posix().casefold() in names,
                    wishes=wishes,
                )
            )
        except (HeimdallError, OSError) as error:
            steps.append(failure("file", path, error, store.models_dir / relative))
    if wishes.remove and not wishes.dry_run:
        copying.remove_empty(folder)
    return steps


@dataclass(slots=True)
class _Known:
    """A folder's files: those whose bytes are pinned, by their sha256, and the others."""

    place: str
    by_sha256: dict[str, list[Path]] = field(default_factory=dict)
    others: list[Path] = field(default_factory=list)
    name: str = "legacy"
    remote: bool = False

    @classmethod
    def of(cls, folder: Path, models: Sequence[PinnedModel], units: Sequence[Path]) -> _Known:
        """Look at every file outside of `units`; hashed are those that have the size of a pinned one."""
        known = cls(str(folder))
        digests = {file.sha256 for model in models for file in model.files}
        sizes = {file.size for model in models for file in model.files}
        for path in sorted(folder.rglob("*")):
            if (path.is_dir() and not path.is_symlink()) or any(
                path.is_relative_to(unit) for unit in units
            ):
                continue
            sha256 = _digest(path) if not path.is_symlink() and _size(path) in sizes else None
            if sha256 in digests:
                known.by_sha256.setdefault(str(sha256), []).append(path)
            else:
                known.others.append(path)
        return known

    def deliver(self, wanted: Sequence[PinnedFile], context: Context) -> None:
        """As a source of the resolver: whatever the file is called here."""
        for file in wanted:
            any(adopt(path, file, context) for path in self.by_sha256.get(file.sha256, ()))


def _pinned_models() -> list[PinnedModel]:
    """Every model of the manifest that is for this machine, the wanted variant first."""
    chosen, document = read_model(), receipts.read_json(heimdall().manifest_path)
    entries = [(entry["name"], entry["variant"]) for entry in document["models"]]
    others = [
        pair
        for pair in entries
        if pair != (chosen.name, chosen.variant) and receipts.choose_entry(document, *pair)
    ]
    return [chosen, *(read_model(None, *pair) for pair in others)]


def _adopt(
    known: _Known, models: Sequence[PinnedModel], store: Store, wishes: Wishes
) -> Iterator[Step]:
    done: set[str] = set()
    for model in models:
        # Small files travel in the manifest itself: finding them says nothing.
        here = [file for file in model.files if file.sha256 in known.by_sha256]
        if not any(file.content is None for file in here):
            continue
        location = model.locate(str(store.models_dir))
        tree = Path(location.directory) if location.verified else None
        was_there, note = location.verified, ""
        if tree is None and not wishes.dry_run:
            try:
                tree, note = _resolve(model, known, store)
            except (StoreError, NoSpaceError, OSError) as error:
                yield failure("model", known.place, error, store.models_dir)
                done |= {file.sha256 for file in here}
                continue
        for file in here:
            if file.sha256 in done:
                continue
            done.add(file.sha256)
            for path in known.by_sha256[file.sha256]:
                target = tree / file.path if tree else store.blob(file)
                yield _adopted(
                    path,
                    file,
                    target,
                    wishes,
                    was_there=was_there,
                    note=note or f"{file.path} of {model.label}",
                )
    # small files of a model that is not here otherwise
    for sha256 in known.by_sha256.keys() - done:
        for path in known.by_sha256[sha256]:
            yield Step(
                "model", str(path), Outcome.THERE, detail="these bytes travel in the manifest"
            )


def _resolve(model: PinnedModel, known: _Known, store: Store) -> tuple[Path | None, str]:
    """Let the resolver take what is there; the model's directory, or None and what that means."""
    settings = Settings.from_environment()
    try:
        resolution = resolve_in_detail(
            *(model.name, model.variant),
            models_dir=store.models_dir,
            settings=settings,
            progress=Progress(),
            sources=[known],
        )
    except ModelUnavailable:
        return None, f"{model.label} needs more than this folder has; {_FINISHED_BY}"
    return resolution.directory, ""


def _adopted(
    path: Path, file: PinnedFile, target: Path, wishes: Wishes, *, was_there: bool, note: str
) -> Step:
    if wishes.dry_run:
        outcome = Outcome.THERE if was_there else Outcome.WOULD
        return Step("model", str(path), outcome, str(target), f"{note}, by its sha256")
    if not matches(target, file):
        return failure("model", path, "could not be taken into the store", target)
    step = Step(
        "model",
        str(path),
        Outcome.THERE if was_there else Outcome.BROUGHT,
        str(target),
        f"{note}, verified",
    )
    if wishes.remove and matches(path, file):
        path.unlink()
        return step.taken_away()
    return step


def _copy(path: Path, target: Path, *, superseded: bool, wishes: Wishes) -> Step:
    if path.is_symlink() or not path.is_file():
        return Step("file", str(path), Outcome.LEFT, detail="is a link, or no file")
    if superseded:
        detail = "this release pins other bytes under that name; nothing uses these any more, remove them if you like"
        return Step("file", str(path), Outcome.LEFT, detail=detail)
    if target.exists():
        if _digest(target) != sha256_of(path):
            detail = f"{target} has other bytes, and is not replaced"
            return Step("file", str(path), Outcome.LEFT, str(target), detail)
        step = Step("file", str(path), Outcome.THERE, str(target))
    elif wishes.dry_run:
        return Step("file", str(path), Outcome.WOULD, str(target), "as a verified copy")
    else:
        copying.copy_file(path, target)
        step = Step("file", str(path), Outcome.BROUGHT, str(target), "copied, and read back")
    if wishes.remove and not wishes.dry_run and sha256_of(path) == sha256_of(target):
        path.unlink()
        return step.taken_away()
    return step


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _digest(path: Path) -> str | None:
    try:
        return sha256_of(path)
    except OSError:
        return None
